import django_filters

from crm_sync.models import CrmConflict, CrmIntegration, CrmLink, CrmSyncItem, CrmSyncRun
from crm_sync.models.links import KINDS


class IntegrationFilter(django_filters.FilterSet):
    """What GET /crm-integrations can be narrowed by."""

    crmType = django_filters.CharFilter(field_name="crm_type", max_length=50)
    status = django_filters.ChoiceFilter(choices=CrmIntegration.Status.choices)


class RunFilter(django_filters.FilterSet):
    """What sync logs can be narrowed by."""

    syncType = django_filters.ChoiceFilter(field_name="sync_type", choices=CrmSyncRun.Type.choices)


class AllRunsFilter(RunFilter):
    """What GET /crm-sync-runs can be narrowed by."""

    integrationId = django_filters.UUIDFilter(field_name="integration_id")


class ItemFilter(django_filters.FilterSet):
    """What GET /crm-sync-items can be narrowed by."""

    runId = django_filters.UUIDFilter(field_name="run_id")
    kind = django_filters.ChoiceFilter(choices=KINDS)
    contactId = django_filters.UUIDFilter(field_name="contact_id")
    clientId = django_filters.UUIDFilter(field_name="client_id")
    side = django_filters.ChoiceFilter(choices=CrmSyncItem.Side.choices)
    action = django_filters.ChoiceFilter(choices=CrmSyncItem.Action.choices)
    outcome = django_filters.ChoiceFilter(choices=CrmSyncItem.Outcome.choices)


class DeadLetterFilter(django_filters.FilterSet):
    """What GET /crm-dead-letters can be narrowed by."""

    integrationId = django_filters.UUIDFilter(field_name="integration_id")
    kind = django_filters.ChoiceFilter(choices=KINDS)
    state = django_filters.ChoiceFilter(choices=[(state.value, state.label) for state in CrmLink.DEAD])
    code = django_filters.CharFilter(max_length=60)


class ConflictFilter(django_filters.FilterSet):
    """What GET /crm-conflicts can be narrowed by."""

    integrationId = django_filters.UUIDFilter(field_name="integration_id")
    status = django_filters.ChoiceFilter(choices=CrmConflict.Status.choices)
