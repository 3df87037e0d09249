"""How much two contacts look like one person, and which pairs are worth asking.

Nothing here knows the database. Pairs are found by blocking: contacts that share one of several keys (parts of name,
company, e-mail, phone, address) are compared, all others are not. The score is that of Fellegi and Sunter (1969): each
field adds weight for agreement or takes some for disagreement, by how unlikely either is of one person; an empty field
says nothing. On dataset 1 of FEBRL the figures stand in benchmarks/README.md.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

# Pairs at least this likely are shown to people.
THRESHOLD = 0.8
# Larger blocks, of a family name in a big city, say, are compared within a window of neighbours only.
BLOCK = 40
WINDOW = 6

_COMPANY_FORMS = re.compile(
    r"\b(?:inc|incorporated|llc|ltd|limited|corp|corporation|co|company|gmbh|ag|kg|sa|sas|sarl|srl|spa|bv|nv|plc|pty|"
    r"group|holdings?|the)\b"
)
_WORDS = re.compile(r"[^a-z0-9]+")
# Domains that say nothing of a company.
_FREE_MAIL = {
    "gmail.com",
    "googlemail.com",
    "yahoo.com",
    "hotmail.com",
    "outlook.com",
    "aol.com",
    "icloud.com",
    "gmx.de",
    "web.de",
}


class Person(NamedTuple):
    """A contact in the form in which it is compared: lower case, no accents, no marks."""

    given: str = ""
    family: str = ""
    company: str = ""
    mailbox: str = ""
    domain: str = ""
    phone: str = ""
    street: str = ""
    city: str = ""
    postcode: str = ""
    state: str = ""


def fold(text: str) -> str:
    """Return the text in lower case, without accents, words parted by single spaces."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode() or text
    return _WORDS.sub(" ", text.lower()).strip()


def person(
    given: str, family: str, company: str, email: str, phone: str, street: str, city: str, postcode: str, state: str
) -> Person:
    """Return a contact's fields, as they are stored, ready to be compared."""
    mailbox, _, domain = email.lower().partition("@")
    return Person(
        fold(given),
        fold(family),
        " ".join(_COMPANY_FORMS.sub(" ", fold(company)).split()) if company else "",
        fold(mailbox.partition("+")[0]),
        domain,
        phone[-10:] if phone else "",
        fold(street),
        fold(city),
        postcode.replace(" ", "").lower(),
        state.lower(),
    )


def keys(one: Person) -> Iterator[str]:
    """Yield the blocks a contact belongs to; two of one person share one even with a slip in either."""
    given, family, company, mailbox, domain, phone, street, city, postcode, _ = one
    first, second = (family, given) if family <= given else (given, family)
    if given and family:
        # In either order: names are often swapped.
        yield f"n{first[:3]}{second[:3]}{(first + second)[-1]}"
        yield f"c{sound(first)}{sound(second)}"
        if postcode:
            yield f"z{sound(family)}{postcode}"
            yield f"y{given[:3]}{postcode}"
        if city:
            yield f"t{first[:2]}{second[:2]}{city[:5]}"
        if company:
            yield f"k{family[:4]}{company[:6]}"
    elif given or family:
        yield f"s{(given or family)}{company or city or postcode}"
    if mailbox:
        yield f"m{mailbox}{domain[:4] if domain not in _FREE_MAIL else ''}"
        if family and domain and domain not in _FREE_MAIL:
            yield f"d{domain}{family[:3]}"
    if phone:
        yield f"p{phone[:-1]}"
        yield f"q{phone[-7:]}"
    if street:
        number, _, name = street.partition(" ")
        if name and postcode:
            yield f"a{name[:6]}{postcode}"
        if name and city:
            yield f"b{number}{name[:4]}{city[:4]}"


_NO_DIGITS = str.maketrans("", "", "0123456789")
_SOUNDS = str.maketrans("bfpvcgjkqsxzdtlmnraeiouyhw", "11112222222233455600000000")


def sound(name: str) -> str:
    """Return how a name sounds, roughly (Soundex, with the first letter coded too)."""
    coded = name.translate(_SOUNDS).replace(" ", "")
    kept = [digit for index, digit in enumerate(coded) if digit != "0" and (index == 0 or coded[index - 1] != digit)]
    return name[:1] + "".join(kept)[:3]


def candidate_pairs(people: Sequence[Person]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of indexes that share a block; a pair may come more than once."""
    yield from pairs_of_blocks(blocks(people))


def blocks(people: Iterable[Person]) -> list[int]:
    """Return block and index of every contact, packed into sortable numbers: 45 bits of the key, 24 of the index."""
    return [(hash(key) & 0x1FFFFFFFFFFF) << 24 | index for index, one in enumerate(people) for key in keys(one)]


def pairs_of_blocks(packed: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the pairs within each block of the packed numbers, which are sorted in place."""
    packed.sort()
    start, size = 0, len(packed)
    while start < size:
        block = packed[start] >> 24
        end = start + 1
        while end < size and packed[end] >> 24 == block:
            end += 1
        if end - start > 1:
            reach = end if end - start <= BLOCK else None
            for left in range(start, end):
                for right in range(left + 1, reach or min(end, left + WINDOW)):
                    yield packed[left] & 0xFFFFFF, packed[right] & 0xFFFFFF
        start = end


def likeness(one: Person, two: Person) -> tuple[float, list[str]]:
    """Return how likely both are one person, from 0 to 1, and the fields that speak for it."""
    weight, reasons = -4.0, []
    for name, added in _weights(one, two):
        weight += added
        if added >= 1.5:
            reasons.append(name)
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, weight)))), reasons


def _weights(one: Person, two: Person) -> Iterator[tuple[str, float]]:
    yield "name", _names(one, two)
    if one.phone and two.phone:
        if one.phone == two.phone:
            yield "phone", 6.0
        else:
            # Colleagues have neighbouring numbers as often as people slip.
            yield "phone", 0.0 if DamerauLevenshtein.distance(one.phone, two.phone, score_cutoff=1) == 1 else -1.0
    if one.mailbox and two.mailbox:
        if one.mailbox == two.mailbox and one.domain == two.domain:
            yield "email", 8.0
        else:
            near = 0.0 if _numbered(one.mailbox, two.mailbox) else JaroWinkler.similarity(one.mailbox, two.mailbox)
            if one.domain == two.domain:
                yield "email", 3.5 if near > 0.92 else 0.5 if near > 0.8 else -1.5
            else:
                yield "email", 2.5 if near > 0.97 and len(one.mailbox) > 5 else 0.3 if near > 0.85 else -0.8
    if one.company and two.company:
        near = JaroWinkler.similarity(one.company, two.company)
        yield "company", 2.0 if near > 0.92 else 0.5 if near > 0.85 else -1.0
    if one.street and two.street:
        near = JaroWinkler.similarity(one.street, two.street, score_cutoff=0.5)
        tokens = _shared(one.street, two.street)
        near = max(near, tokens)
        yield "address", 5.0 if near > 0.93 else 3.0 if near > 0.85 else 1.0 if near > 0.75 else -1.5
    if one.city and two.city:
        near = JaroWinkler.similarity(one.city, two.city)
        yield "city", 1.2 if near > 0.92 else 0.4 if near > 0.85 else -0.8
    if one.postcode and two.postcode:
        if one.postcode == two.postcode:
            yield "zip", 1.8
        else:
            yield "zip", 0.6 if DamerauLevenshtein.distance(one.postcode, two.postcode, score_cutoff=1) == 1 else -1.0
    if one.state and two.state and one.state != two.state:
        yield "state", -0.8


def _names(one: Person, two: Person) -> float:
    straight = _part(one.given, two.given, 2.6) + _part(one.family, two.family, 3.6)
    if one.given and two.family and one.family and two.given and straight < 3:
        return max(straight, _part(one.given, two.family, 2.6) + _part(one.family, two.given, 3.0))
    if (one.given and two.family) or (one.family and two.given):
        return max(straight, _part(one.given, two.family, 2.0), _part(one.family, two.given, 2.0))
    return straight


def _part(one: str, two: str, full: float) -> float:
    if not one or not two:
        return 0.0
    if one == two:
        return full
    near = 0.0 if _numbered(one, two) else JaroWinkler.similarity(one, two)
    if near >= 0.93:
        return full * 0.85
    if near >= 0.85:
        return full * 0.55
    if len(one) == 1 or len(two) == 1:
        return 0.5 if one[0] == two[0] else -full * 0.6
    return 0.0 if near >= 0.75 else -full * 0.7


def _numbered(one: str, two: str) -> bool:
    """Say whether two names differ by their digits only, as those of a series do: hand1, hand11."""
    return one != two and one.translate(_NO_DIGITS) == two.translate(_NO_DIGITS)


def _shared(one: str, two: str) -> float:
    """Return the part of the words that both addresses have."""
    left, right = set(one.split()), set(two.split())
    return len(left & right) / max(1, min(len(left), len(right))) if min(len(left), len(right)) > 1 else 0.0
