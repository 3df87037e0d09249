"""What stays the same while a run compares records of one kind, and one record on its way through."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from contacts.models import Client, Contact
from crm_sync.models import CrmIntegration, CrmLink, CrmSyncRun
from crm_sync.providers.values import Kind, RemoteField, RemoteRecord, Value
from crm_sync.services.fields import Unusable
from crm_sync.services.kinds import RecordKind, record_kind
from crm_sync.services.merge import FieldRule, Merge
from crm_sync.services.rules import Settings, remote_fields, rules_of, settings_of
from vocelio.organizations.models import Organization

# Two clocks are never equal: edits this close together count as simultaneous, and the CRM's wins.
SKEW = timedelta(seconds=5)


@dataclass
class Comparison:
    """Everything that stays the same while one run compares records of one kind."""

    integration: CrmIntegration
    run: CrmSyncRun
    records: RecordKind
    settings: Settings
    rules: list[FieldRule]
    types: dict[str, RemoteField]
    region: str
    is_dry: bool = False
    # Records a dry run has already paired: nothing is stored that would say so.
    paired: set[uuid.UUID] = field(default_factory=set)

    @classmethod
    def of(cls, run: CrmSyncRun, kind: Kind) -> "Comparison":
        integration = run.integration
        return cls(
            integration=integration,
            run=run,
            records=record_kind(kind),
            settings=settings_of(integration),
            rules=rules_of(integration, kind),
            types=remote_fields(integration, kind),
            region=Organization.objects.values_list("default_region", flat=True).get(pk=run.organization_id),
            is_dry=run.is_dry,
        )

    @property
    def kind(self) -> Kind:
        return self.records.kind

    @property
    def mapping(self) -> dict[str, str]:
        return {rule.local: rule.remote for rule in self.rules}

    @property
    def names(self) -> list[str]:
        """Return the CRM's fields to read."""
        return sorted({rule.remote for rule in self.rules})


@dataclass
class Row:
    """One record of a page on its way through. `ours` is the record it is paired with."""

    record: RemoteRecord
    remote: dict[str, Value | Unusable]
    link: CrmLink
    is_first: bool
    ours: Contact | Client | None = None
    merge: Merge = field(default_factory=Merge)
    # Code, field and reason why it cannot be stored here.
    problem: tuple[str, str, str] | None = None
    makes_ours: bool = False
    is_revived: bool = False
    had_conflict: bool = False
    local: dict[str, Value] = field(default_factory=dict)
    # What is withheld, and why.
    notes: list[str] = field(default_factory=list)

    def text(self, name: str) -> str:
        """Return a text of the CRM's that we can hold; empty otherwise."""
        value = self.remote.get(name)
        return value if isinstance(value, str) else ""

    def after(self, name: str) -> Value:
        """Return what our record will hold."""
        return self.merge.to_local.get(name, self.local.get(name))

    def withhold(self, name: str, reason: str) -> None:
        """Leave the field as it is on both sides, until one of them changes."""
        if name in self.merge.to_local:
            del self.merge.to_local[name]
            self.merge.local_base[name] = self.local[name]
            self.notes.append(f"{name}: {reason}")

    def is_newer_here(self, changed_at: datetime | None) -> bool:
        """Say whether our record was changed after the CRM's, beyond what two clocks differ by."""
        return self.ours is not None and changed_at is not None and self.ours.updated_at - changed_at > SKEW
