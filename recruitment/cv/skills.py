"""The dictionary of skills: what the project ships, and the words the organization uses itself."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from recruitment.models import CandidateSkill, JobSkill
from recruitment.models.skills import fold

FILE = Path(__file__).with_name("data") / "skills.tsv"
LONGEST = 5
# Words and what keeps C++, C#, .NET, Node.js and CI/CD whole.
TOKEN = re.compile(r"\.?[^\W_](?:[\w+#]|[./&'-](?=\w))*[+#]*", re.UNICODE)
# Found as a word of a sentence they mean something else; they count among listed skills alone.
ORDINARY = frozenset(
    [
        "c",
        "r",
        "go",
        "word",
        "express",
        "spring",
        "swift",
        "rust",
        "chef",
        "puppet",
        "lean",
        "oracle",
        "apache",
        "sketch",
        "excel",
        "ui",
        "ux",
        "rest",
        "ros",
        "hive",
        "dart",
        "julia",
        "transformers",
        "rails",
        "unity",
        "looker",
        "spark",
        "redux",
        "figma",
    ]
)
MOST_OWN = 2_000


@cache
def shipped() -> Mapping[str, str]:
    """Return {folded way to write: name} of the shipped file."""
    names: dict[str, str] = {}
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            name, *others = line.split("\t")
            for each in (name, *others):
                names.setdefault(fold(each), name)
    return names


def own() -> dict[str, str]:
    """Return the skills of the open organization's jobs and candidates, as they are written there."""
    names: dict[str, str] = {}
    for model in (CandidateSkill, JobSkill):
        rows = model.objects.order_by("folded").distinct("folded").values_list("folded", "name")
        names = dict(rows[:MOST_OWN]) | names
    return names


def find_skills(text: str, dictionary: Mapping[str, str]) -> dict[str, int]:
    """Return {name: how often} of the skills in a text, the longest match at each place."""
    tokens = TOKEN.findall(text)
    folded = [token.casefold().rstrip(".") for token in tokens]
    found: dict[str, int] = {}
    place = 0
    while place < len(folded):
        for length in range(min(LONGEST, len(folded) - place), 0, -1):
            phrase = " ".join(folded[place : place + length])
            name = dictionary.get(phrase)
            # "Go" and "R" as they are written, never "go" in a sentence.
            if name is not None and (phrase not in ORDINARY or tokens[place] in (name, name.upper())):
                found[name] = found.get(name, 0) + 1
                place += length - 1
                break
        place += 1
    return found


def dictionary(organizations_own: Iterable[tuple[str, str]] = ()) -> dict[str, str]:
    """Return the shipped words with the organization's over them."""
    return {**shipped(), **dict(organizations_own)}
