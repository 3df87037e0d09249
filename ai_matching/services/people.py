"""What is weighed of candidates, a hundred at a time: one statement and no model instances, a fifth of what those cost."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import orjson
from django.db import connection

from ai_matching.services.skills import Had
from contacts.models import Contact
from recruitment.models.profiles import Salary
from vocelio.crypto.envelope import unseal
from vocelio.organizations.scope import current_organization_id

SELECT = """
SELECT profile.id, profile.contact_id, headline, profile.city, profile.state, profile.country, years_of_experience,
    remote_preference, will_relocate, notice_period_days, available_on, job_search, desired_salary,
    contact.first_name, contact.last_name, contact.email, contact.phone,
    (SELECT json_agg(json_build_array(name, level, years) ORDER BY folded)::text FROM candidate_skills AS skill
        WHERE skill.organization_id = profile.organization_id AND skill.profile_id = profile.id)
FROM candidate_profiles AS profile
JOIN contacts AS contact ON contact.organization_id = profile.organization_id AND contact.id = profile.contact_id
WHERE profile.organization_id = %s AND profile.id = ANY (%s::uuid[])
"""


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


def people(profile_ids: Iterable[uuid.UUID]) -> list[Person]:
    """Return the candidates of the open organization who have these profiles, in no order."""
    with connection.cursor() as cursor:
        cursor.execute(SELECT, [current_organization_id(), f"{{{','.join(map(str, profile_ids))}}}"])
        return [Person(*row) for row in cursor.fetchall()]
