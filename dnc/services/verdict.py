"""The verdict on numbers: the one way to ask whether somebody may be called or written to.

    judge(["+12125550123"])                    every reason, for any number of numbers
    refusals(["+12125550123"], mode="sms")     what a sender asks in the transaction that claims its messages

Both read inside the caller's transaction with a statement of their own, so an entry that was committed before the
claim began is always seen. They write nothing; `certificates.check_numbers` is the same with evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from contacts.phones import Phone, PhoneProblem, normalize_many
from dnc.services.decision import Context, Decision, first_digits
from dnc.services.hits import hits_of
from dnc.services.numbers import region_of_organization
from vocelio.organizations.scope import current_organization_id

# libphonenumber's word for "unknown".
NO_REGION = "ZZ"


@dataclass(frozen=True)
class Verdict:
    """What was decided about one number as it was given; `phone_number` is None for what is no number."""

    input: str
    phone_number: str | None
    decision: Decision

    @property
    def code(self) -> str:
        return self.decision.code

    def allows(self, mode: str) -> bool:
        """Say whether this way of contact is allowed, at whatever hour: "manual", "autodialer", "sms", "whatsapp"."""
        return self.decision.allows(mode)

    def allows_now(self, mode: str) -> bool:
        """Say whether it is allowed and the person's clocks are within calling hours."""
        return bool(self.decision.modes[mode]["callableNow"])

    def why_not(self, mode: str) -> str:
        """Return the first reason against it, in words; blank when it is allowed."""
        if self.allows(mode):
            return ""
        for reason in self.decision.reasons:
            if reason["effect"] in ("blocks", "limits") and mode in reason.get("modes", (mode,)):
                return str(reason["message"])
        return str(self.decision.body["meaning"])

    def waits_for_cap(self, mode: str) -> bool:
        """Say whether nothing but the number of attempts of the last day is against it: it is allowed again later."""
        against = {
            reason["code"]
            for reason in self.decision.reasons
            if reason["effect"] in ("blocks", "limits") and mode in reason.get("modes", (mode,))
        }
        return against == {"frequency_cap"}

    def described(self) -> dict[str, Any]:
        """Return the verdict as the API answers it."""
        return {"input": self.input, "phoneNumber": self.phone_number, **self.decision.body}


def judge(
    phone_numbers: Sequence[str], *, at: datetime | None = None, dnc_list_ids: Sequence[Any] | None = None
) -> list[Verdict]:
    """Return the verdict on each number, in the order asked; numbers without + belong to the organization's country."""
    return judge_with_context(phone_numbers, at=at, dnc_list_ids=dnc_list_ids)[0]


def refusals(phone_numbers: Sequence[str], *, mode: str, at: datetime | None = None) -> dict[str, str]:
    """Return why not, in words, for each of the numbers that may not be contacted this way.

    Calling hours are not considered: whoever sends asks `judge` and `allows_now` for them.
    """
    return {verdict.input: verdict.why_not(mode) for verdict in judge(phone_numbers, at=at) if not verdict.allows(mode)}


def judge_with_context(
    phone_numbers: Sequence[str], *, at: datetime | None = None, dnc_list_ids: Sequence[Any] | None = None
) -> tuple[list[Verdict], Context]:
    """Do the same and return what it was decided from."""
    at = at or timezone.now()
    # What begins with + needs no region.
    region = NO_REGION if all(number.startswith("+") for number in phone_numbers) else region_of_organization()
    phones = normalize_many(phone_numbers, region)
    numbers = {int(phone.e164) for phone in phones if isinstance(phone, Phone)}
    context = Context.read(at=at, areas={first_digits(number) for number in numbers}, chosen=dnc_list_ids)
    hits = (
        hits_of(
            sorted(numbers),
            organization_id=current_organization_id(),
            list_ids=[each.pk for each in context.entry_lists],
            registry_ids=context.registry_ids,
            at=at,
        )
        if numbers
        else {}
    )
    verdicts = []
    for given, phone in zip(phone_numbers, phones, strict=True):
        if isinstance(phone, PhoneProblem):
            # Dialable but unknown to every numbering plan is an invalid number; anything else is none.
            again = normalize_many([given], region, allow_unverified=True)[0]
            decision = context.refused_input(phone.reason, is_number=isinstance(again, Phone))
            verdicts.append(Verdict(given, again.e164 if isinstance(again, Phone) else None, decision))
        else:
            number = int(phone.e164)
            verdicts.append(Verdict(given, phone.e164, context.decide(first_digits(number), hits.get(number, ""))))
    return verdicts, context
