"""Numbers as lists hold them: E.164, or the beginning of some with a trailing *."""

import re
from collections.abc import Sequence

from contacts.phones import PhoneProblem, normalize_many
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import current_organization_id

PREFIX = re.compile(r"\+?([1-9][0-9]{2,13})\*")
_PUNCTUATION = str.maketrans("", "", " ().-")


def region_of_organization() -> str:
    """Return the country whose dialling rules hold for numbers without a +."""
    return Organization.objects.values_list("default_region", flat=True).get(pk=current_organization_id())


def entry_numbers(values: Sequence[str], region: str) -> list[str | PhoneProblem]:
    """Return each value as an entry holds it. A number need only be dialable: lists name those no plan knows, too."""
    plain = normalize_many(values, region, allow_unverified=True)
    found: list[str | PhoneProblem] = []
    for value, phone in zip(values, plain, strict=True):
        compact = value.translate(_PUNCTUATION)
        if compact.endswith("*"):
            match = PREFIX.fullmatch(compact)
            # Without a + the beginning is national where the region is North American.
            digits = match[1] if match else ""
            if digits and not compact.startswith("+") and region in ("US", "CA") and not digits.startswith("1"):
                digits = "1" + digits
            found.append(f"+{digits}*" if 3 <= len(digits) <= 14 else PhoneProblem("not the beginning of a number"))
        else:
            found.append(phone if isinstance(phone, PhoneProblem) else phone.e164)
    return found
