"""What a CV says, as proposals with confidence that a person accepts: nothing is written by itself.

A confidence is between 0 and 1: above 0.9 the text says it in so many words (`Email: ...`), below 0.6 it is a guess
from where something stands.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import phonenumbers

from recruitment.cv.skills import find_skills

EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}")
LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"'|,;)]{4,300}|(?:linkedin\.com|github\.com)/[^\s<>\"'|,;)]{2,200}", re.I)
LABELLED_NAME = re.compile(r"^\s*(?:full\s+)?name\s*[:-]\s*(?P<name>.{3,80})$", re.I | re.M)
NAME_WORD = re.compile(r"^[^\W\d_][^\W\d_.'\u2019-]*(?:[.'\u2019-][^\W\d_]*)*$")
NOT_NAMES = frozenset(
    [
        "curriculum",
        "vitae",
        "resume",
        "résumé",
        "cv",
        "profile",
        "summary",
        "experience",
        "education",
        "skills",
        "contact",
        "objective",
        "about",
        "page",
        "email",
        "phone",
        "address",
        "engineer",
        "developer",
        "manager",
        "analyst",
    ]
)
STATED_YEARS = re.compile(r"(?P<years>\d{1,2}(?:\.\d)?)\s*\+?\s*(?:years?|yrs?)(?P<what>[^.\n]{0,40})", re.I)
MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
POINT = rf"(?:(?:(?P<month{{0}}>{MONTHS})[a-z]*\.?\s+|(?P<number{{0}}>\d{{{{1,2}}}})[/.])?(?P<year{{0}}>(?:19|20)\d{{{{2}}}}))"
SPAN = re.compile(
    POINT.format("1")
    + r"\s*(?:-|\u2013|\u2014|to|until)\s*(?:(?P<now>present|now|today|current|heute)|"
    + POINT.format("2")
    + ")",
    re.I,
)
SKILLS_HEADING = re.compile(
    r"^\s*(?:technical\s+|key\s+|core\s+)?(?:skills?|technologies|competenc\w+|expertise)\b[^\n]{0,40}$", re.I | re.M
)
HEADING = re.compile(r"^\s*[A-Z][A-Z &/]{3,40}:?\s*$", re.M)
EDUCATION_HEADING = re.compile(r"^\s*(?:education|academic|qualifications?|studies)\b", re.I)
MOST_TEXT = 60_000


def propose(text: str, *, region: str, dictionary: Mapping[str, str]) -> dict[str, Any]:
    """Return {field: {value, confidence}} of what the text says; fields it says nothing of are missing."""
    text = text[:MOST_TEXT]
    found: dict[str, Any] = {}
    emails = list(dict.fromkeys(EMAIL.findall(text)))
    if emails:
        found["email"] = _proposal(emails[0].lower(), 0.95 if len(emails) == 1 else 0.75)
    if phone := _phone(text, region):
        found["phone"] = phone
    if name := _name(text, emails[0] if emails else ""):
        found["firstName"] = _proposal(name[0], name[2])
        found["lastName"] = _proposal(name[1], name[2])
    for link in LINK.findall(text):
        address = link if link.lower().startswith("http") else f"https://{link}"
        field = "linkedinUrl" if "linkedin." in link.lower() else "portfolioUrl"
        found.setdefault(field, _proposal(address.rstrip("."), 0.95 if field == "linkedinUrl" else 0.6))
    if skills := _skills(text, dictionary):
        found["skills"] = skills
    if years := _years(text):
        found["yearsOfExperience"] = years
    return found


def _proposal(value: Any, confidence: float) -> dict[str, Any]:
    return {"value": value, "confidence": confidence}


def _phone(text: str, region: str) -> dict[str, Any] | None:
    for match in phonenumbers.PhoneNumberMatcher(text[:5_000], region):
        number = phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164)
        return _proposal(number, 0.95 if match.raw_string.strip().startswith("+") else 0.8)
    return None


def _name(text: str, email: str) -> tuple[str, str, float] | None:
    labelled = LABELLED_NAME.search(text[:3_000])
    if labelled and (parted := _parted(labelled["name"].split("|")[0])):
        return (*parted, 0.95)
    local = re.sub(r"[^a-z]", "", email.partition("@")[0].lower())
    lines = [line.strip() for line in text.splitlines() if line.strip()][:8]
    for place, line in enumerate(lines):
        parted = _parted(line.split("|")[0].split(",")[0])
        if parted is None:
            continue
        agrees = any(len(part) > 2 and part.lower() in local for part in " ".join(parted).split())
        return (*parted, 0.9 if agrees else 0.7 if place == 0 else 0.5)
    return None


def _parted(line: str) -> tuple[str, str] | None:
    """Return first and last name where the line can be one: two to four words in capitals."""
    words = line.split()
    if not 2 <= len(words) <= 4 or any(word.lower().strip(":") in NOT_NAMES for word in words):
        return None
    if not all(NAME_WORD.match(word) and word[0].isupper() for word in words):
        return None
    shown = [word.capitalize() if word.isupper() and len(word) > 2 else word for word in words]
    return " ".join(shown[:-1]), shown[-1]


def _skills(text: str, dictionary: Mapping[str, str]) -> list[dict[str, Any]]:
    heading = SKILLS_HEADING.search(text)
    listed: dict[str, int] = {}
    unknown: list[str] = []
    if heading:
        after = HEADING.search(text, heading.end())
        part = text[heading.end() : after.start() if after else heading.end() + 1_500]
        listed = find_skills(part, dictionary)
        # What stands in the list and in no dictionary: new skills come up every year.
        items = (item.strip(" .:-") for item in re.split(r"[,;|•\n]", part))
        unknown = [item for item in dict.fromkeys(items) if 1 <= len(item.split()) <= 3 and 2 <= len(item) <= 40]
        unknown = [item for item in unknown if not find_skills(item, dictionary)]
    mentioned = find_skills(text, dictionary)
    ranked = sorted(mentioned, key=lambda name: (name not in listed, -mentioned[name], name))
    known = [_proposal(name, 0.95 if name in listed else 0.8 if mentioned[name] > 1 else 0.6) for name in ranked]
    return [*known, *(_proposal(name, 0.55) for name in unknown)][:60]


def _years(text: str) -> dict[str, Any] | None:
    """Return the years of experience: as the text says them, else as its dated work adds up."""
    for match in STATED_YEARS.finditer(text):
        if "experience" in match["what"].lower():
            return _proposal(min(60.0, float(match["years"])), 0.9)
    months = _months_worked(text)
    if months >= 6:
        return _proposal(round(months / 12, 1), 0.6)
    stated = [float(match["years"]) for match in STATED_YEARS.finditer(text)]
    return _proposal(min(60.0, max(stated)), 0.5) if stated else None


def _months_worked(text: str) -> int:
    """Return in how many months somebody worked, those of two jobs at a time counted once; studies are left out."""
    worked: set[int] = set()
    today, in_education = date.today(), False  # noqa: DTZ011 - a day more or less does not count
    for line in text.splitlines():
        if EDUCATION_HEADING.match(line):
            in_education = True
        elif HEADING.match(line):
            in_education = False
        for match in SPAN.finditer(line):
            if in_education:
                continue
            start = _month(match, "1", first=True)
            end = today.year * 12 + today.month if match["now"] else _month(match, "2", first=False)
            if 0 < end - start <= 60 * 12:
                worked.update(range(start, end))
    return len(worked)


def _month(match: "re.Match[str]", which: str, *, first: bool) -> int:
    name, number = match[f"month{which}"], match[f"number{which}"]
    if name:
        month = MONTHS.split("|").index(name.lower()[:3]) + 1
    else:
        month = min(12, max(1, int(number))) if number else 1 if first else 12
    return int(match[f"year{which}"]) * 12 + month - (1 if first else 0)
