"""What is weighed of candidates, a hundred at a time: one statement and no model instances, which cost five times as much."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import orjson
from django.db.models import QuerySet, TextField
from django.db.models.expressions import RawSQL

from ai_matching.services.skills import Had
from ai_matching.services.vectors import named
from contacts.models import Contact
from recruitment.models.profiles import Salary
from vocelio.crypto.envelope import unseal

# A thousand rows of a skill each took 4 ms to read.
SKILLS = RawSQL(
    "(SELECT json_agg(json_build_array(name, level, years) ORDER BY folded)::text FROM candidate_skills AS skill"
    " WHERE skill.organization_id = candidate_profiles.organization_id AND skill.profile_id = candidate_profiles.id)",
    [],
    output_field=TextField(),
)
COLUMNS = (
    "pk", "contact_id", "headline", "city", "state", "country", "years_of_experience", "remote_preference",
    "will_relocate", "notice_period_days", "available_on", "job_search", "desired_salary", "contact__first_name",
    "contact__last_name", "contact__email", "contact__phone", SKILLS,
)  # fmt: skip


@dataclass(slots=True)
class Person:
    """A candidate as far as matching asks. Names are there to be shown; nothing weighs them."""

    pk: uuid.UUID
    contact_id: uuid.UUID
    headline: str
    city: str
    state: str
    country: str
    years_of_experience: Decimal | None
    remote_preference: str
    will_relocate: bool
    notice_period_days: int | None
    available_on: date | None
    job_search: str
    sealed_salary: str
    first_name: str
    last_name: str
    email: str
    phone: str | None
    listed_skills: str | None

    @property
    def contact(self) -> Contact:
        """Who it is, to be shown."""
        return Contact(
            id=self.contact_id,
            first_name=self.first_name,
            last_name=self.last_name,
            email=self.email,
            phone=self.phone,
        )

    @property
    def desired(self) -> Salary | None:
        """What they want to earn: for those alone who may see salaries."""
        place = f"candidate_profiles|desired_salary|{self.pk}"
        return Salary.from_text(unseal(self.sealed_salary, place) if self.sealed_salary else "")

    @property
    def skills(self) -> list[Had]:
        """What they can, by name."""
        return [Had(*each) for each in orjson.loads(self.listed_skills)] if self.listed_skills else []


def people(among: QuerySet[Any], ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Person]:
    """Return those of some profiles that are in `among`."""
    rows = among.filter(pk__in=named(ids)).order_by().values_list(*COLUMNS)
    return {row[0]: Person(*row) for row in rows}
