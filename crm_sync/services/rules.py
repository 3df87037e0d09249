"""What a connection's settings mean, and whether they make sense."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crm_sync.models import CrmIntegration
from crm_sync.providers.values import Choice, FieldType, Kind, RemoteField
from crm_sync.services.fields import CUSTOM
from crm_sync.services.kinds import RecordKind, record_kind, record_kinds
from crm_sync.services.merge import Direction, FieldRule, Rule
from vocelio.errors import Invalid

# The document's spelling of a connection's direction.
DIRECTIONS = {"bidirectional": Direction.BOTH, "pull": Direction.PULL, "push": Direction.PUSH}
# Name: the values it may have, or a (least, most) pair, and its default.
SETTINGS: dict[str, tuple[Any, Any]] = {
    # Off unless asked for: a second kind costs a second share of the vendor's quota.
    "companies": ((True, False), False),
    "syncDirection": (tuple(DIRECTIONS), "bidirectional"),
    # Whether records that exist on one side alone are made on the other.
    "createLocal": ((True, False), True),
    "createRemote": ((True, False), True),
    # A record deleted in the CRM goes to our trash; one deleted here stays in the CRM unless told otherwise.
    "remoteDeletes": (("trash", "keep"), "trash"),
    "localDeletes": (("keep", "delete"), "keep"),
    "conflict": (tuple(Rule), Rule.NEWEST.value),
    # Percent of the linked records that one run may delete, or change, before it stops and asks.
    "maxDeletes": ((1, 100), 10),
    "maxChanges": ((1, 100), 50),
    # Hours after which the ids of both sides are compared.
    "reconcileHours": ((1, 720), 24),
}


@dataclass(frozen=True)
class Settings:
    """A connection's settings with their defaults."""

    direction: Direction
    create_local: bool
    create_remote: bool
    remote_deletes: str
    local_deletes: str
    max_deletes: int
    max_changes: int
    reconcile_hours: int

    @property
    def pulls(self) -> bool:
        return self.direction != Direction.PUSH

    @property
    def pushes(self) -> bool:
        return self.direction != Direction.PULL


def settings_of(integration: CrmIntegration) -> Settings:
    """Return what the connection's syncSettings say."""
    given = {name: integration.sync_settings.get(name, default) for name, (_, default) in SETTINGS.items()}
    return Settings(
        direction=DIRECTIONS[given["syncDirection"]],
        create_local=given["createLocal"],
        create_remote=given["createRemote"],
        remote_deletes=given["remoteDeletes"],
        local_deletes=given["localDeletes"],
        max_deletes=given["maxDeletes"],
        max_changes=given["maxChanges"],
        reconcile_hours=given["reconcileHours"],
    )


def kinds_of(integration: CrmIntegration) -> list[Kind]:
    """Return what the connection syncs, in the order in which a run goes through it."""
    return [
        each.kind
        for each in record_kinds()
        if each.kind in integration.provider.types
        and (not each.setting or integration.sync_settings.get(each.setting, SETTINGS[each.setting][1]))
    ]


def mapping_of(integration: CrmIntegration, kind: Kind) -> dict[str, Any]:
    """Return the connection's pairs of fields, the vendor's usual ones when it has none."""
    usual = integration.provider.types.get(kind)
    return getattr(integration, record_kind(kind).mappings) or (dict(usual.mapping) if usual else {})


def rules_of(integration: CrmIntegration, kind: Kind) -> list[FieldRule]:
    """Return how each mapped field is kept equal; a field the CRM does not let us write is pulled only."""
    settings = settings_of(integration)
    usual = integration.sync_settings.get("conflict", Rule.NEWEST.value)
    fields = remote_fields(integration, kind)
    rules = []
    for local, value in mapping_of(integration, kind).items():
        wanted = value if isinstance(value, dict) else {"field": value}
        direction = Direction(wanted.get("direction", settings.direction))
        if settings.direction != Direction.BOTH:
            direction = settings.direction
        field = fields.get(wanted["field"])
        if field is not None and not field.is_writable:
            if direction == Direction.PUSH:
                continue
            direction = Direction.PULL
        rules.append(
            FieldRule(
                local=local,
                remote=wanted["field"],
                direction=direction,
                conflict=Rule(
                    wanted.get("conflict", Rule.UNION if local == "tags" and usual == Rule.NEWEST else usual)
                ),
                blanks_win=wanted.get("blanks") == "win",
            )
        )
    return rules


def remote_fields(integration: CrmIntegration, kind: Kind) -> dict[str, RemoteField]:
    """Return the CRM's fields by name, as last read."""
    return {
        row["name"]: RemoteField(
            name=row["name"],
            label=row["label"],
            type=FieldType(row["type"]),
            is_writable=row["isWritable"],
            is_required=row["isRequired"],
            is_unique=row["isUnique"],
            is_custom=row["isCustom"],
            max_length=row["maxLength"],
            choices=tuple(Choice(choice["value"], choice["label"]) for choice in row["choices"]),
        )
        for row in integration.remote_fields.get(kind, [])
    }


def field_row(field: RemoteField) -> dict[str, Any]:
    """Return one of the CRM's fields as it is stored and as the API shows it."""
    return {
        "name": field.name,
        "label": field.label,
        "type": field.type.value,
        "isWritable": field.is_writable,
        "isRequired": field.is_required,
        "isUnique": field.is_unique,
        "isCustom": field.is_custom,
        "maxLength": field.max_length,
        "choices": [{"value": choice.value, "label": choice.label} for choice in field.choices],
    }


def check_mappings(kind: RecordKind, mappings: Mapping[str, Any], known: Mapping[str, RemoteField]) -> None:
    """Raise Invalid with every bad pair; `known` are the CRM's fields, empty while they have not been read."""
    problems: list[dict[str, Any]] = []
    first, *others = kind.mappings.split("_")
    parameter = first + "".join(map(str.title, others))

    def refuse(name: str, message: str, constraint: str) -> None:
        field = f"{parameter}.{name}"[:120]
        problems.append({"field": field, "value": None, "constraint": constraint, "message": message})

    targets: dict[str, str] = {}
    for local, value in mappings.items():
        if not kind.fields.knows(local):
            names = ", ".join([*kind.fields.plain, f"{CUSTOM}<name>"])
            refuse(local, f"There is no such field; there are: {names}.", "unknown")
            continue
        wanted = value if isinstance(value, dict) else {"field": value}
        target = wanted.get("field")
        if not isinstance(target, str) or not 0 < len(target) <= 200 or "\0" in target:
            refuse(local, "Name the field of the CRM.", "required")
            continue
        for name, allowed in (("direction", tuple(Direction)), ("conflict", tuple(Rule)), ("blanks", ("win", "lose"))):
            if name in wanted and wanted[name] not in allowed:
                refuse(f"{local}.{name}", f"{name} is one of: {', '.join(allowed)}.", "choice")
        for name in wanted.keys() - {"field", "direction", "conflict", "blanks"}:
            refuse(f"{local}.{name}", "There is no such setting.", "unknown")
        if known and target not in known:
            refuse(local, f"The CRM has no field {target!r}.", "does_not_exist")
        if target in targets:
            refuse(local, f"{targets[target]} is already paired with {target!r}.", "unique")
        targets[target] = local
    if mappings and not set(kind.fields.needed) & mappings.keys():
        refuse(kind.fields.needed[0], kind.need, "required")
    if problems:
        raise Invalid(problems[0]["message"], errors=problems)


def check_settings(given: Mapping[str, Any]) -> None:
    """Raise Invalid with every bad setting."""
    problems: list[dict[str, Any]] = []
    for name, value in given.items():
        allowed = SETTINGS.get(name, (None, None))[0]
        if allowed is None:
            message, constraint = "There is no such setting.", "unknown"
        elif isinstance(allowed[0], int) and not isinstance(allowed[0], bool):
            if type(value) is int and allowed[0] <= value <= allowed[1]:
                continue
            message, constraint = f"A whole number from {allowed[0]} to {allowed[1]}.", "range"
        elif any(type(value) is type(each) or isinstance(value, str) for each in allowed) and value in allowed:
            continue
        else:
            message, constraint = f"One of: {', '.join(str(each).lower() for each in allowed)}.", "choice"
        problems.append(
            {"field": f"syncSettings.{name}"[:120], "value": None, "constraint": constraint, "message": message}
        )
    if problems:
        raise Invalid(problems[0]["message"], errors=problems)
