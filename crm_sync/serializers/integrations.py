from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm_sync.models import CrmCredential, CrmIntegration
from crm_sync.models.links import KINDS
from crm_sync.providers.values import Kind
from crm_sync.services.connections import webhook_address
from crm_sync.services.limits import used
from vocelio.api.serializers import ModelSerializer, PlainJSONField, Serializer
from vocelio.organizations.scope import current_organization_id


class CredentialSerializer(Serializer):
    """What is shown of a secret: its kind, its last four characters, when it ends."""

    kind = serializers.CharField()
    last_four = serializers.CharField()
    expires_at = serializers.DateTimeField(allow_null=True)
    expires_soon = serializers.BooleanField()


class IntegrationSerializer(ModelSerializer):
    """A connection to a CRM. `apiKey` is written and never shown."""

    crm_type = serializers.CharField(max_length=50, help_text="Which CRM; see GET /crm-integrations/providers.")
    name = serializers.CharField(max_length=255)
    api_key = serializers.CharField(
        write_only=True, required=False, allow_blank=True, max_length=4000, help_text="A service key or API token."
    )
    endpoint_url = serializers.CharField(
        required=False, allow_blank=True, max_length=500, help_text="The vendor's own https address, if not the usual."
    )
    field_mappings = PlainJSONField(
        required=False,
        help_text="Our field: the CRM's field, or {field, direction: both|pull|push, conflict: "
        "newest|local|remote|union|manual, blanks: lose|win}. In an update, null removes a pair.",
    )
    company_mappings = PlainJSONField(
        required=False, help_text="The same for companies and our clients; see syncSettings.companies."
    )
    sync_settings = PlainJSONField(
        required=False,
        help_text="companies (true: sync companies too, as clients), syncDirection (bidirectional, pull, push), createLocal, createRemote, remoteDeletes (trash, keep), "
        "localDeletes (keep, delete), conflict, maxDeletes, maxChanges (percent), reconcileHours.",
    )
    options = PlainJSONField(required=False, help_text="What the provider asks for, e.g. dataCenter.")
    auto_sync = serializers.BooleanField(required=False)
    sync_frequency = serializers.IntegerField(required=False, min_value=5, max_value=10080, help_text="Minutes.")
    credential = serializers.SerializerMethodField()
    webhook_url = serializers.SerializerMethodField(help_text="Where the vendor calls back; enter it there.")
    warnings = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = CrmIntegration
        fields = [
            "id",
            "crm_type",
            "name",
            "status",
            "status_message",
            "auto_sync",
            "sync_frequency",
            "last_sync_at",
            "next_sync_at",
            "needs_confirmation",
            "total_contacts",
            "synced_contacts",
            "failed_contacts",
            "endpoint_url",
            "field_mappings",
            "company_mappings",
            "sync_settings",
            "options",
            "account_id",
            "account_name",
            "warnings",
            "credential",
            "webhook_url",
            "created_at",
            "updated_at",
            "api_key",
        ]
        read_only_fields = [
            "status",
            "status_message",
            "last_sync_at",
            "next_sync_at",
            "needs_confirmation",
            "total_contacts",
            "synced_contacts",
            "failed_contacts",
            "account_id",
            "account_name",
            "created_at",
            "updated_at",
        ]

    def validate_name(self, value: str) -> str:
        if "\0" in value:
            raise serializers.ValidationError("This must not contain NUL characters.", code="nul")
        return value

    @extend_schema_field(CredentialSerializer(allow_null=True))
    def get_credential(self, integration: CrmIntegration) -> dict[str, Any] | None:
        row = self._credentials().get(integration.pk)
        return CredentialSerializer(row).data if row is not None and row.last_four else None

    def get_webhook_url(self, integration: CrmIntegration) -> str:
        # Decrypted for one connection, not for a list of them.
        return webhook_address(integration) if "view" in self.context and self.context["view"].detail else ""

    def _credentials(self) -> dict[Any, CrmCredential]:
        """Read the credentials of all rows to be shown at once."""
        root: Any = self.root
        if not hasattr(root, "_crm_credentials"):
            rows = root.instance if isinstance(root.instance, (list, tuple)) else [root.instance]
            ids = [row.pk for row in rows if row is not None]
            current_organization_id()
            root._crm_credentials = {
                row.integration_id: row for row in CrmCredential.objects.filter(integration_id__in=ids)
            }
        found: dict[Any, CrmCredential] = root._crm_credentials
        return found


class ConsentSerializer(Serializer):
    """How to begin connecting through the vendor's consent page."""

    crm_type = serializers.CharField(max_length=50, required=False)
    name = serializers.CharField(max_length=255, required=False)
    integration_id = serializers.UUIDField(required=False, help_text="An existing connection to be connected anew.")
    endpoint_url = serializers.CharField(required=False, allow_blank=True, max_length=500)
    options = PlainJSONField(required=False)
    client_id = serializers.CharField(
        required=False, allow_blank=True, max_length=500, help_text="Of your own app at the vendor's."
    )
    client_secret = serializers.CharField(required=False, allow_blank=True, max_length=500, write_only=True)


class ConsentStartedSerializer(Serializer):
    """Where to send the person's browser."""

    authorization_url = serializers.CharField()


class ConsentAnswerSerializer(Serializer):
    """What the vendor added to the address it sent the person back to."""

    state = serializers.CharField(max_length=500)
    code = serializers.CharField(max_length=4000, required=False, allow_blank=True)
    error = serializers.CharField(max_length=500, required=False, allow_blank=True)
    parameters = serializers.DictField(
        child=serializers.CharField(max_length=2000, allow_blank=True),
        required=False,
        help_text="Whatever else was in the address, e.g. Zoho's `location`.",
    )


class ChoiceSerializer(Serializer):
    value = serializers.CharField(allow_blank=True)
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]


class FieldsOfSerializer(Serializer):
    """Which kind of record the fields are asked for."""

    kind = serializers.ChoiceField(KINDS, default=Kind.CONTACTS.value)


class RemoteFieldSerializer(Serializer):
    """A field of the CRM, to be mapped."""

    name = serializers.CharField()
    label = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    type = serializers.CharField()
    is_writable = serializers.BooleanField()
    is_required = serializers.BooleanField()
    is_unique = serializers.BooleanField()
    is_custom = serializers.BooleanField()
    max_length = serializers.IntegerField(allow_null=True)
    choices = ChoiceSerializer(many=True)
    samples = serializers.ListField(child=serializers.JSONField(), help_text="Values of a few records.")
    mapped_to = serializers.CharField(allow_null=True, help_text="Our field, where it is mapped.")


class FieldsSerializer(Serializer):
    """Both sides of the mapping of one kind of record."""

    kind = serializers.ChoiceField(KINDS)

    remote = RemoteFieldSerializer(many=True)
    local = serializers.ListField(child=serializers.CharField(), help_text="Ours; also customFields.<name>.")
    suggested = serializers.DictField(child=serializers.CharField())


class SettingSerializer(Serializer):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    help = serializers.CharField(allow_blank=True)
    default = serializers.CharField(allow_blank=True)
    choices = ChoiceSerializer(many=True)


class ProviderSerializer(Serializer):
    """A CRM that can be connected."""

    crm_type = serializers.CharField(source="slug")
    label = serializers.CharField()  # type: ignore[assignment]
    credential_kinds = serializers.ListField(child=serializers.CharField())
    key_label = serializers.CharField(allow_blank=True)
    takes_webhooks = serializers.BooleanField()
    options = SettingSerializer(many=True, source="settings")


class QuotaSerializer(Serializer):
    """A meter: units spent in the window, of how many."""

    window = serializers.CharField()
    unit = serializers.CharField()
    used = serializers.SerializerMethodField()
    limit = serializers.IntegerField(source="amount")
    seconds = serializers.FloatField()
    vendor_limit = serializers.IntegerField(allow_null=True, help_text="As the vendor last said.")
    vendor_remaining = serializers.IntegerField(allow_null=True)
    blocked_until = serializers.DateTimeField(allow_null=True)

    def get_used(self, quota: Any) -> int:
        return used(quota)


class ProvidersSerializer(Serializer):
    providers = ProviderSerializer(many=True)


class QuotasSerializer(Serializer):
    quotas = QuotaSerializer(many=True)
