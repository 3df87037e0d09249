"""What rows of deals call by name: stages, clients, people, reasons, currencies."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from contacts.models import Contact
from sales.models import ExchangeRate, LostReason, Stage, StageKind
from sales.services.money import own_currency
from sales.services.pipelines import usual_pipeline
from vocelio.organizations.models import Membership
from vocelio.organizations.scope import current_organization_id

Problem = tuple[str, str, str]
# By name, else by domain; of several the oldest.
_CLIENTS = """
    SELECT wanted.cell, client.id, client.name FROM unnest(%(cells)s::text[]) AS wanted (cell)
    CROSS JOIN LATERAL (SELECT fold_text(wanted.cell) AS name OFFSET 0) AS folded
    CROSS JOIN LATERAL (
        (SELECT id, name, 1 AS rank FROM clients WHERE organization_id = (SELECT %(organization)s::uuid)
            AND sort_name = folded.name AND deleted_at IS NULL ORDER BY id LIMIT 1)
        UNION ALL
        (SELECT id, name, 2 FROM clients WHERE organization_id = (SELECT %(organization)s::uuid)
            AND domain = lower(wanted.cell) AND domain <> '' AND deleted_at IS NULL ORDER BY id LIMIT 1)
        ORDER BY rank LIMIT 1
    ) AS client
"""


def stage_name(stage: Stage) -> str:
    """Return how files and previews call a stage."""
    return f"{stage.pipeline.name}: {stage.name}"


@dataclass
class References:
    """The records that some rows name, by what the rows call them."""

    first: Stage
    stages: dict[str, Stage]
    usual_stages: dict[str, Stage]
    clients: dict[str, tuple[uuid.UUID, str]]
    contacts: dict[str, uuid.UUID]
    members: dict[str, tuple[uuid.UUID, str]]
    reasons: dict[str, tuple[uuid.UUID, str]]
    currencies: set[str]
    own_currency: str

    @classmethod
    def named(cls, rows: Sequence[dict[str, str]]) -> "References":
        """Look up all that the rows name, a statement for each kind."""

        def cells(name: str) -> list[str]:
            return list({row[name] for row in rows if row.get(name)})

        stages = cls.stages_by_name()
        usual = usual_pipeline()
        return cls(
            first=cls.first_stage(),
            stages={name.casefold(): stage for name, stage in stages.items()},
            usual_stages={each.name.casefold(): each for each in stages.values() if each.pipeline_id == usual.pk},
            clients=_clients(cells("client")),
            contacts=_contacts(cells("contact")),
            members=_members() if cells("owner") else {},
            reasons={name.casefold(): (pk, name) for pk, name in LostReason.objects.values_list("pk", "name")},
            currencies=set(ExchangeRate.objects.values_list("currency", flat=True).distinct()),
            own_currency=own_currency(),
        )

    @staticmethod
    def stages_by_name() -> dict[str, Stage]:
        """Return the stages in use as files call them."""
        stages = Stage.objects.alive().filter(pipeline__deleted_at__isnull=True).select_related("pipeline")
        return {stage_name(stage): stage for stage in stages.order_by("position", "id")}

    @staticmethod
    def first_stage() -> Stage:
        """Return where deals begin that name no stage."""
        stages = Stage.objects.alive().filter(pipeline=usual_pipeline(), kind=StageKind.OPEN)
        stage: Stage = stages.select_related("pipeline").order_by("position", "id")[0]
        return stage

    def settle(self, values: dict[str, str]) -> Problem | None:
        """Bring a row's names into the form they have here; return field, reason and advice of one nobody has."""
        pipeline, cell = values.pop("pipeline", ""), values.get("stage", "")
        if pipeline or cell:
            stage = self._stage(pipeline, cell)
            if stage is None:
                field = "stage" if cell else "pipeline"
                return field, f"There is no {field} of this name", "Write it as on the board."
            values["stage"] = stage_name(stage)
        for field, known in (("client", self.clients), ("owner", self.members), ("lost_reason", self.reasons)):
            cell = values.get(field, "")
            if not cell:
                continue
            found = known.get(cell if field == "client" else cell.casefold())
            if found is None:
                return field, *_ADVICE[field]
            values[field] = found[1]
        if (cell := values.get("contact", "")) and cell.lower() not in self.contacts:
            return "contact", *_ADVICE["contact"]
        code = values.get("currency", "")
        if code and code != self.own_currency and code not in self.currencies:
            return "currency", f"There is no exchange rate for {code} yet", "A manager adds it under exchange rates."
        return None

    def contact(self, values: dict[str, str]) -> uuid.UUID | None:
        return self.contacts.get(values.get("contact", "").lower())

    def found(self, values: dict[str, str]) -> dict[str, tuple[str, Any]]:
        """Return {name of the value: (field of the deal, id)} of settled values."""
        found: dict[str, tuple[str, Any]] = {}
        stage = self.stages.get(values.get("stage", "").casefold())
        found["stage"] = "stage", (stage or self.first).pk
        for name, field, known in (
            ("client", "client", self.clients),
            ("owner", "assigned_to", self.members),
            ("lost_reason", "lost_reason", self.reasons),
        ):
            cell = values.get(name, "")
            if one := known.get(cell if name == "client" else cell.casefold()):
                found[name] = field, one[0]
        return found

    def _stage(self, pipeline: str, cell: str) -> Stage | None:
        if not cell:
            within = [each for each in self.stages.values() if each.pipeline.name.casefold() == pipeline.casefold()]
            return next((each for each in within if each.kind == StageKind.OPEN), None)
        if pipeline:
            return self.stages.get(f"{pipeline}: {cell}".casefold())
        named = self.usual_stages.get(cell.casefold()) or self.stages.get(cell.casefold())
        if named is not None:
            return named
        elsewhere = [each for each in self.stages.values() if each.name.casefold() == cell.casefold()]
        return elsewhere[0] if len(elsewhere) == 1 else None


_ADVICE = {
    "client": ("There is no client of this name or domain", "Import or add the client first, or correct the name."),
    "owner": ("There is no member of this name or e-mail address", "Write the e-mail address they sign in with."),
    "lost_reason": ("There is no lost reason of this name", "Write it as under lost reasons."),
    "contact": ("There is no contact with this e-mail address or phone number", "Import or add the contact first."),
}


def _clients(cells: list[str]) -> dict[str, tuple[uuid.UUID, str]]:
    if not cells:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_CLIENTS, {"cells": cells, "organization": current_organization_id()})
        return {cell: (client_id, name) for cell, client_id, name in cursor.fetchall()}


def _contacts(cells: list[str]) -> dict[str, uuid.UUID]:
    if not cells:
        return {}
    alive, wanted = Contact.objects.alive(), [cell.lower() for cell in cells]
    by_email = alive.filter(email__in=wanted).order_by("-created_at").values_list("email", "pk")
    return dict(by_email) | dict(alive.filter(phone__in=wanted).values_list("phone", "pk"))


def _members() -> dict[str, tuple[uuid.UUID, str]]:
    """Return active members by e-mail address and, where it is one person's, by name."""
    rows = Membership.objects.active().filter(organization_id=current_organization_id())
    people = list(rows.values_list("user_id", "user__email", "user__name"))
    names = [name.casefold() for _, _, name in people]
    by_name = {name.casefold(): (pk, email) for pk, email, name in people if name and names.count(name.casefold()) == 1}
    return by_name | {email.casefold(): (pk, email) for pk, email, _ in people}
