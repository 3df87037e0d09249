"""Decide what may be done with a number: the rules applied to what is known of it. Pure but for its context.

`decide` is the only place where a number becomes allowed or refused. Checks, scrubs, messages and calls all come here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from dnc.models import DncList, Entitlement, Registry, RegistryArea
from dnc.models.lists import Channel, ListStatus, ListType
from dnc.rules import Area, RuleBook, area_of, calling_window, rule_book
from dnc.rules.areas import DIGITS
from dnc.rules.book import Rule

MODES = ("manual", "autodialer", "sms", "whatsapp")
# Which ways of contact a no to a channel ends.
MODES_OF_CHANNEL = {
    Channel.ALL: MODES,
    Channel.CALL: ("manual", "autodialer"),
    Channel.SMS: ("sms",),
    Channel.WHATSAPP: ("whatsapp",),
    Channel.EMAIL: (),
}
# Result codes as DNCScrub's users know them; whatever is in here may not be called.
REFUSING = frozenset("PBDSLIM")
CODES = {
    "C": "Clean",
    "D": "On a Do-Not-Call registry or list",
    "P": "On the company's own Do-Not-Call list",
    "E": "Clean, with a valid business relationship or consent",
    "O": "Listed, but a business relationship or consent overrides it",
    "R": "Clean, the business relationship has expired",
    "W": "Clean, wireless",
    "Y": "Clean, internet telephony",
    "L": "Wireless, and its state bars calls to wireless numbers",
    "B": "Blocked: it cannot be proven clean, or a cap is reached",
    "S": "Reassigned since the date asked about",
    "I": "Not a valid number",
    "M": "Not a number at all",
}


@dataclass(frozen=True)
class Decision:
    """What holds for every number of one area with the same hits; `window` is as of the context's moment."""

    code: str
    reasons: tuple[dict[str, Any], ...]
    modes: dict[str, dict[str, Any]]
    body: dict[str, Any]

    def allows(self, mode: str) -> bool:
        """Say whether this way of contact is allowed, at whatever hour."""
        return bool(self.modes[mode]["allowed"])


@dataclass
class Context:
    """The organization's lists, subscriptions and the versions in force, read once for any number of numbers."""

    at: datetime
    lists: list[DncList]
    registries: dict[int, Registry]
    entitlements: list[Entitlement]
    versions: dict[tuple[int, str], date]
    # Lists that were chosen; None for all. The company's own are always consulted.
    chosen: frozenset[Any] | None = None
    _decisions: dict[tuple[str, str], Decision] = field(default_factory=dict)

    @classmethod
    def read(cls, *, at: datetime, areas: set[str] | None = None, chosen: Sequence[Any] | None = None) -> "Context":
        """Read what holds at that moment for numbers of these areas; of all areas when None."""
        lists = list(DncList.objects.select_related("registry").order_by("registry_id", "created_at", "id"))
        registries = {registry.pk: registry for registry in Registry.objects.active()}
        versions = RegistryArea.objects.filter(registry__in=registries)
        if areas is not None:
            countries = {registry.country_code for registry in registries.values() if registry.country_code != "1"}
            versions = versions.filter(area__in=areas | countries)
        return cls(
            at=at,
            lists=lists,
            registries=registries,
            entitlements=list(Entitlement.objects.get_queryset().on(at.date())),
            versions={
                (registry, area): day
                for registry, area, day in versions.values_list("registry_id", "area", "version_date")
            },
            chosen=None if chosen is None else frozenset(chosen),
        )

    @cached_property
    def consulted(self) -> list[DncList]:
        """Return the lists that are asked: active, and chosen or the company's own."""
        return [
            each
            for each in self.lists
            if each.status == ListStatus.ACTIVE
            and (self.chosen is None or each.pk in self.chosen or each.type == ListType.COMPANY)
        ]

    @cached_property
    def entry_lists(self) -> list[DncList]:
        """Return the lists with entries of their own, in the order that hits number them."""
        return [each for each in self.consulted if each.registry_id is None]

    @cached_property
    def registry_ids(self) -> list[int]:
        return [each.registry_id for each in self.consulted if each.registry_id in self.registries]

    def decide(self, area: str, hits: str) -> Decision:
        """Return the decision for numbers that begin so and have these hits."""
        key = (area, hits)
        decision = self._decisions.get(key)
        if decision is None:
            decision = self._decisions[key] = _Case(self, area_of(area), hits.split(" ") if hits else []).decide()
        return decision

    def refused_input(self, reason: str, *, is_number: bool) -> Decision:
        """Return the decision for what is no number, or no valid one."""
        code = "I" if is_number else "M"
        reasons = ({"code": "invalid" if is_number else "malformed", "effect": "blocks", "message": reason},)
        modes = {mode: {"allowed": False, "callableNow": False, "secondsUntil": None} for mode in MODES}
        return Decision(code, reasons, modes, _body(code, reasons, modes, None, None, "unknown", None, self.at))


class _Case:
    """One decision in the making."""

    def __init__(self, context: Context, area: Area, hits: list[str]) -> None:
        self.context, self.area = context, area
        self.day = context.at.date()
        self.book: RuleBook = rule_book(self.day)
        self.reasons: list[dict[str, Any]] = []
        self.blocked: dict[str, str] = {}
        self.registries_hit = {int(hit[1:]) for hit in hits if hit[0] == "R"}
        self.entries = [hit[1:].split("|") for hit in hits if hit[0] == "E"]
        self.permissions = [hit.split("|")[1:] for hit in hits if hit[0] == "P"]
        self.facts = {hit[0]: hit.split("|")[1:] for hit in hits if hit[0] in "LS"}
        self.attempts = sum(int(hit[1:]) for hit in hits if hit[0] == "A")
        self.line = self.line_type()

    def decide(self) -> Decision:
        company = self.company_entries()
        unproven = self.coverage()
        listed = self.listings()
        consent, relationship, expired = self.permitted()
        reassigned = self.facts.get("S", ["", ""])[0] == "yes"
        permit = None if reassigned else consent or relationship
        if reassigned:
            self.reason("reassigned", "blocks", f"Given to somebody else since {self.facts['S'][1]}.")
            self.block(MODES, "reassigned")
        if permit is not None:
            self.reason(permit["kind"], "permits", permit["message"], rule=permit["rule"])
        overridden = False
        for name, message, extra in listed:
            may_override = permit is not None and name != "industry_list"
            overridden = overridden or may_override
            self.reason(name, "overridden" if may_override else "blocks", message, **extra)
            if not may_override:
                self.block(MODES, name)
        barred = self.book.rule("wireless_barred", self.area.jurisdictions) if self.line == "wireless" else None
        if barred and consent is None:
            self.reason("wireless_barred", "blocks", "This state bars calls to wireless numbers.", rule=barred.id)
            self.block(MODES, "wireless_barred")
        for rule in self.book.rules("needs_consent", self.area.jurisdictions):
            if self.line in rule.value["lines"] and (consent is None or reassigned):
                modes = tuple(rule.value["modes"])
                self.reason("consent_needed", "limits", "Needs written consent first.", rule=rule.id, modes=list(modes))
                self.block(modes, "consent_needed")
        capped = self.frequency()
        code = self.code(company, unproven, listed, overridden, reassigned, bool(barred and consent is None), capped)
        if code in "CWY" and permit is not None:
            code = "E"
        elif code == "C" and expired:
            code = "R"
        return self.finished(code, permit)

    def company_entries(self) -> bool:
        """Block what the company's own list forbids, over everything else; say whether a call by hand is among it."""
        lists, stops = self.context.entry_lists, False
        for index, channels, since in self.entries:
            dnc_list = lists[int(index) - 1]
            if dnc_list.type != ListType.COMPANY:
                continue
            modes = {
                mode
                for channel in (channels.split(",") if channels else [Channel.ALL])
                for mode in MODES_OF_CHANNEL[Channel(channel)]
            }
            if modes:
                self.block(tuple(sorted(modes)), "company_list")
                self.reason(
                    "company_list",
                    "blocks",
                    f"Asked not to be contacted, on {dnc_list.name} since {since}.",
                    **of_list(dnc_list),
                    since=since,
                    modes=sorted(modes),
                )
            stops = stops or "manual" in modes
        return stops

    def coverage(self) -> bool:
        """Block what no fresh registry that the organization may use can prove clean; say whether that is so."""
        rule = self.book.rule("registry", self.area.jurisdictions)
        if rule is None:
            place = f"numbers of {self.area.country}" if self.area.country else "this area code"
            return self.unproven("no_registry", f"No registry is known for {place}.")
        by_registry = {each.registry_id: each for each in self.context.lists if each.registry_id}
        found = False
        for registry in self.context.registries.values():
            if registry.country != self.area.country:
                continue
            if registry.kind == Registry.Kind.STATE and self.area.state not in registry.states:
                continue
            dnc_list = by_registry.get(registry.pk)
            if dnc_list is None:
                if registry.slug == rule.value["registry"]:
                    found = self.unproven(
                        "no_registry_list", f"{registry.name} is not among your lists.", registry, rule=rule.id
                    )
                continue
            if dnc_list.status != ListStatus.ACTIVE:
                self.reason("registry_off", "notes", f"{registry.name} is switched off.", **of_list(dnc_list))
                continue
            if dnc_list not in self.context.consulted:
                continue
            found = self.proof(registry, dnc_list) or found
        return found

    def proof(self, registry: Registry, dnc_list: DncList) -> bool:
        area = self.area.area if registry.country_code == "1" else registry.country_code
        entitled = any(
            each.registry_id == registry.pk and (not each.area_codes or self.area.area[1:] in each.area_codes)
            for each in self.context.entitlements
        )
        if not entitled:
            return self.unproven(
                "outside_subscription", f"Your subscription to {registry.name} does not cover it.", registry, dnc_list
            )
        version = self.context.versions.get((registry.pk, area))
        if version is None:
            return self.unproven("registry_missing", f"{registry.name} is not loaded for it.", registry, dnc_list)
        freshness = self.book.rule("freshness", self.area.jurisdictions)
        if freshness is not None and (self.day - version).days > freshness.value["days"]:
            return self.unproven(
                "registry_stale",
                f"{registry.name} is of {version}, older than {freshness.value['days']} days.",
                registry,
                dnc_list,
                rule=freshness.id,
                versionDate=version.isoformat(),
            )
        return False

    def unproven(
        self,
        name: str,
        message: str,
        registry: Registry | None = None,
        dnc_list: DncList | None = None,
        **extra: Any,
    ) -> bool:
        details = of_list(dnc_list) if dnc_list else {"list": registry.name} if registry else {}
        self.reason(name, "blocks", message, **details, **extra)
        self.block(MODES, name)
        return True

    def listings(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Return the registries and lists, other than the company's, that name the number."""
        found = []
        by_registry = {each.registry_id: each for each in self.context.consulted if each.registry_id}
        for registry_id in sorted(self.registries_hit & set(by_registry)):
            registry = self.context.registries[registry_id]
            area = self.area.area if registry.country_code == "1" else registry.country_code
            version = self.context.versions.get((registry_id, area))
            day = version.isoformat() if version else None
            found.append(
                (
                    "registry",
                    f"Listed in {registry.name}, version of {day}.",
                    {**of_list(by_registry[registry_id]), "versionDate": day},
                )
            )
        lists = self.context.entry_lists
        for index, _, since in self.entries:
            dnc_list = lists[int(index) - 1]
            if dnc_list.type != ListType.COMPANY:
                found.append(
                    (
                        f"{dnc_list.type}_list",
                        f"On {dnc_list.name} since {since}.",
                        {**of_list(dnc_list), "since": since},
                    )
                )
        return found

    def permitted(self) -> tuple[dict[str, Any] | None, dict[str, Any] | None, bool]:
        """Return a standing consent, a standing relationship, and whether a relationship has run out."""
        consent = relationship = None
        expired = False
        for kind, occurred, expires, channel in self.permissions:
            since = date.fromisoformat(occurred)
            if kind == "consent":
                rule = self.book.rule("consent", self.area.jurisdictions)
                if rule and channel != Channel.EMAIL and (not expires or date.fromisoformat(expires) >= self.day):
                    consent = self.permit("consent", f"Written consent of {occurred}.", rule, since, expires or None)
                continue
            rule = self.book.rule("ebr", self.area.jurisdictions, kind=kind)
            end = add_months(since, rule.value["months"]) if rule else since - timedelta(days=1)
            # Zero months: the state knows no such defence.
            if rule is None or not rule.value["months"] or self.day > end:
                expired = True
                self.reason(
                    "relationship_expired",
                    "notes",
                    f"The {kind} of {occurred} no longer counts.",
                    rule=rule.id if rule else None,
                )
            elif relationship is None or end.isoformat() > relationship["until"]:
                relationship = self.permit(
                    f"relationship_{kind}",
                    f"The {kind} of {occurred} counts until {end}.",
                    rule,
                    since,
                    end.isoformat(),
                )
        return consent, relationship, expired

    def permit(self, kind: str, message: str, rule: Rule, since: date, until: str | None) -> dict[str, Any]:
        return {"kind": kind, "message": message, "rule": rule.id, "since": since.isoformat(), "until": until}

    def frequency(self) -> bool:
        rule = self.book.rule("frequency", self.area.jurisdictions)
        if rule is None or self.attempts < rule.value["attempts"]:
            return False
        self.reason(
            "frequency_cap",
            "blocks",
            f"Contacted {self.attempts} times in {rule.value['hours']} hours; {rule.value['attempts']} are allowed.",
            rule=rule.id,
        )
        self.block(MODES, "frequency_cap")
        return True

    def line_type(self) -> str:
        if "L" in self.facts:
            line, since = self.facts["L"]
            rule = self.book.rule("ported", self.area.jurisdictions)
            # A number that was ported to wireless a few days ago may still be called as what it was.
            if (
                line == "wireless"
                and since
                and rule
                and (self.day - date.fromisoformat(since)).days <= rule.value["days"]
            ):
                return "landline"
            return line
        if self.area.country == "GB":
            # Ofcom's numbering plan: 01, 02, 03 geographic and nationwide, 07 mobile but for 070 and 076, 056 VoIP.
            first = self.area.area[2:]
            if first[0] in "123":
                return "landline"
            if first[0] == "7" and first not in ("70", "76"):
                return "wireless"
            return "voip" if first == "56" else "unknown"
        return "unknown"

    def code(
        self,
        company: bool,
        unproven: bool,
        listed: list[Any],
        overridden: bool,
        reassigned: bool,
        barred: bool,
        capped: bool,
    ) -> str:
        if company:
            return "P"
        if any(reason["code"] == "industry_list" for reason in self.reasons):
            return "D"
        if listed and not overridden:
            return "D"
        if unproven or capped:
            return "B"
        if reassigned:
            return "S"
        if barred:
            return "L"
        if listed:
            return "O"
        return {"wireless": "W", "voip": "Y"}.get(self.line, "C")

    def block(self, modes: tuple[str, ...], name: str) -> None:
        for mode in modes:
            self.blocked.setdefault(mode, name)

    def reason(self, code: str, effect: str, message: str, **details: Any) -> None:
        self.reasons.append({"code": code, "effect": effect, "message": message, **details})

    def finished(self, code: str, permit: dict[str, Any] | None) -> Decision:
        at = self.context.at
        window = calling_window(self.area, at)
        modes = {}
        for mode in MODES:
            allowed = mode not in self.blocked
            modes[mode] = {
                "allowed": allowed,
                "callableNow": allowed and window.is_open,
                "secondsUntil": window.seconds_until_open(at) if allowed else None,
            }
        reasons = tuple(self.reasons)
        return Decision(
            code, reasons, modes, _body(code, reasons, modes, self.area, window, self.line, permit, at, self.attempts)
        )


def _body(
    code: str,
    reasons: tuple[dict[str, Any], ...],
    modes: dict[str, dict[str, Any]],
    area: Area | None,
    window: Any,
    line: str,
    permit: dict[str, Any] | None,
    at: datetime,
    attempts: int = 0,
) -> dict[str, Any]:
    """Return the decision as the API answers it; the contents are API."""
    return {
        "code": code,
        "meaning": CODES[code],
        "isCallable": code not in REFUSING,
        "reasons": list(reasons),
        "modes": modes,
        "permission": permit,
        "lineType": line,
        "country": area.country if area else "",
        "state": area.state if area else "",
        "timeZones": list(area.zones) if area else [],
        "callingWindow": {
            "isOpen": window.is_open if window else False,
            "opensAt": window.opens_at if window else None,
            "closesAt": window.closes_at if window else None,
            "secondsLeft": window.seconds_left(at) if window else None,
            "rule": (window.rule or None) if window else None,
        },
        "contactedLast24Hours": attempts,
    }


def of_list(dnc_list: DncList) -> dict[str, str]:
    return {"list": dnc_list.name, "listId": str(dnc_list.pk)}


def add_months(day: date, months: int) -> date:
    """Return the same day so many months later, the last of the month when there is none."""
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month, min(day.day, last))


def first_digits(number: int) -> str:
    """Return what decides a number's area."""
    return str(number)[:DIGITS]
