"""The demo's contacts: real companies, made-up people, numbers and addresses that reach nobody.

Everything is drawn from a generator seeded with the organization's name, so that every installation shows
the same people; only the dates follow the calendar.
"""

import csv
import io
import random
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from django.core.files.base import ContentFile
from django.utils import timezone

from contacts.demo_clients import load_clients
from contacts.models import Contact, ContactList, ContactListMembership, ContactStatus
from contacts.services.imports import run_import, start_import
from contacts.services.lists import create_list, update_list
from vocelio.audit.context import Actor, acting
from vocelio.jobs.services import JobNotClaimed
from vocelio.organizations.models import Membership, Organization, Role
from vocelio.organizations.scope import organization_scope

DATA = Path(__file__).parent / "demo_data"
NUMBER_OF_CONTACTS = {"acme": 7_700, "globex": 1_950}
IN_TRASH = {"acme": 60, "globex": 12}
HISTORY_DAYS = 180
# 555-0100 to 555-0199 of each area code are kept for fiction.
FICTIONAL_LINES = 100

TITLES = [
    "Account Manager", "Buyer", "Chief Financial Officer", "Chief Technology Officer", "Customer Success Manager",
    "Data Engineer", "Director of Operations", "Director of Sales", "Facilities Manager", "Finance Manager",
    "Head of Marketing", "Head of People", "HR Business Partner", "IT Manager", "Operations Manager",
    "Office Manager", "Plant Manager", "Procurement Lead", "Product Manager", "Project Manager",
    "Quality Manager", "Regional Sales Manager", "Security Analyst", "Software Engineer", "Supply Chain Manager",
    "VP Engineering", "VP Sales",
]  # fmt: skip
TAGS = ["decision-maker", "newsletter", "renewal", "trade-show", "referral", "pilot", "partner", "price-sensitive"]
SOURCES = ["Website", "Trade show", "Referral", "LinkedIn", "Cold list", "Partner"]
NOTES = [
    "Asked to be called after 2 pm local time.",
    "Budget is decided in the first quarter.",
    "Met at the regional trade show; wants the price list.",
    "Prefers e-mail to calls.",
    "Already works with a competitor, contract ends next year.",
    "Interested in a pilot for one site.",
    "Wants a case study from the same industry.",
]
# Name, description, tags and which contacts are on it.
LISTS: dict[str, list[tuple[str, str, list[str], dict[str, Any]]]] = {
    "acme": [
        ("Manufacturing outbound", "First calls of the autumn campaign", ["autumn"], {"sector": ["Industrials", "Materials"]}),
        ("Healthcare decision makers", "Directors and above in health care", ["autumn"], {"sector": ["Health Care"], "tag": "decision-maker"}),
        ("West Coast", "California, Oregon, Washington", ["territory"], {"state": ["CA", "OR", "WA"]}),
        ("Texas and neighbours", "Territory south", ["territory"], {"state": ["TX", "OK", "LA", "AR", "NM"]}),
        ("Renewals", "Contracts that end within the year", [], {"tag": "renewal"}),
        ("Newsletter", "Monthly product news", ["marketing"], {"tag": "newsletter"}),
        ("Pilot of last year", "Kept for reference", [], {"tag": "pilot"}),
    ],
    "globex": [
        ("Partners", "Resellers and agencies", [], {"tag": "partner"}),
        ("Midwest", "Illinois, Ohio, Michigan, Indiana, Wisconsin", ["territory"], {"state": ["IL", "OH", "MI", "IN", "WI"]}),
        ("Trade show leads", "Booth visitors", [], {"tag": "trade-show"}),
    ],
}  # fmt: skip
ARCHIVED = "Pilot of last year"


class Company(NamedTuple):
    name: str
    sector: str
    city: str
    state: str

    @property
    def domain(self) -> str:
        """Return an address that cannot exist, after the company's name."""
        return f"{plain(self.name.partition('(')[0]).strip('.').replace('.', '')}.example"


def load(organization: Organization) -> None:
    """Fill the organization, unless it has contacts already."""
    with organization_scope(organization.pk):
        if organization.slug not in NUMBER_OF_CONTACTS or Contact.objects.exists():
            return
    people = {
        membership.role: membership.user_id
        for membership in Membership.objects.filter(organization=organization).order_by("role")
    }
    draw = random.Random(organization.slug)  # noqa: S311 - repeatable on purpose
    crowd = Crowd(draw, list(people.values()), timezone.now())
    manager = people.get(Role.MANAGER, people[Role.ADMIN])
    with acting(Actor(user_id=manager, door="demo")), organization_scope(organization.pk):
        contacts = list(crowd.contacts(NUMBER_OF_CONTACTS[organization.slug]))
        bury(draw, contacts, IN_TRASH[organization.slug], manager, crowd.now)
        Contact.objects.bulk_create(contacts, batch_size=1000)
        for name, description, tags, chosen in LISTS[organization.slug]:
            fill_list(create_list(name=name, description=description, tags=tags), contacts, chosen)
        load_clients(draw, organization.slug, crowd.companies, contacts, crowd.users)
    with acting(Actor(user_id=manager, door="demo")):
        if organization.slug == "acme":
            import_file(organization, "trade-show-leads.csv", trade_show(crowd, 300), list_name="Trade show leads")
            import_file(organization, "partner-referrals.csv", trade_show(crowd, 45))


class Crowd:
    """Draws people, each with a phone number of their state that no other has."""

    def __init__(self, draw: random.Random, users: list[Any], now: datetime) -> None:
        self.draw, self.users, self.now = draw, users, now
        self.companies = [Company(**row) for row in read("companies.csv")]
        names = read("names.csv")
        self.given = [row["name"] for row in names if row["kind"] == "given"]
        self.family = [row["name"] for row in names if row["kind"] == "family"]
        self.cities: dict[str, list[str]] = defaultdict(list)
        for company in self.companies:
            self.cities[company.state].append(company.city)
        self.numbers: dict[str, list[str]] = defaultdict(list)
        for row in read("area_codes.csv"):
            self.numbers[row["state"]] += [f"+1{row['area_code']}55501{line:02}" for line in range(FICTIONAL_LINES)]
        for numbers in self.numbers.values():
            draw.shuffle(numbers)
        # Where offices can be: states with a city, as often as they have area codes.
        self.states = [state for state in self.numbers for _ in range(len(self.numbers[state]) // FICTIONAL_LINES)]
        self.states = [state for state in self.states if state in self.cities]

    def contacts(self, number: int) -> Iterator[Contact]:
        """Yield people, the newest first."""
        dates = sorted((self.date() for _ in range(number)), reverse=True)
        for created_at in dates:
            yield self.contact(created_at)

    def contact(self, created_at: datetime) -> Contact:
        draw = self.draw
        given, family, company, phone, city, state = self.person()
        tags = draw.sample(TAGS, draw.choices([0, 1, 2, 3], [40, 35, 18, 7])[0])
        calls = draw.choices([0, 1, 2, 3, 5], [55, 20, 12, 8, 5])[0]
        since = self.now - created_at
        return Contact(
            first_name=given,
            last_name=family,
            company=company.name,
            title=draw.choice(TITLES),
            email=self.address(given, family, company) if draw.random() < 0.86 else "",
            phone=phone,
            phone_extension=str(draw.randint(100, 899)) if draw.random() < 0.05 else "",
            city=city,
            state=state,
            country="US",
            tags=sorted(tags),
            custom_fields={"industry": company.sector, "leadScore": draw.randint(5, 98)},
            status=ContactStatus.INACTIVE if draw.random() < 0.08 else ContactStatus.ACTIVE,
            source=draw.choices(SOURCES, [35, 14, 18, 15, 10, 8])[0],
            notes=draw.choice(NOTES) if draw.random() < 0.15 else "",
            assigned_to_id=draw.choice(self.users) if draw.random() < 0.7 else None,
            created_by_id=draw.choice(self.users),
            contact_count=calls,
            last_contacted_at=created_at + since * draw.random() if calls else None,
            created_at=created_at,
            updated_at=created_at,
        )

    def person(self) -> tuple[str, str, Company, str, str, str]:
        """Return names, company, and an office with its phone number: the headquarters or elsewhere."""
        company = self.draw.choice(self.companies)
        city, state = company.city, company.state
        if self.draw.random() < 0.55 or not self.numbers[state]:
            state = self.draw.choice([state for state in self.states if self.numbers[state]])
            city = self.draw.choice(self.cities[state])
        return (
            self.draw.choice(self.given),
            self.draw.choice(self.family),
            company,
            self.numbers[state].pop(),
            city,
            state,
        )

    def address(self, given: str, family: str, company: Company) -> str:
        name = f"{plain(given)}.{plain(family)}" if self.draw.random() < 0.8 else f"{plain(given)[0]}{plain(family)}"
        return f"{name}@{company.domain}"

    def date(self) -> datetime:
        """Return a working hour of the last months, later ones more often."""
        back = HISTORY_DAYS * self.draw.random() ** 1.3
        day = (self.now - timedelta(days=back)).replace(microsecond=0)
        if day.weekday() >= 5 and self.draw.random() < 0.85:
            day -= timedelta(days=day.weekday() - self.draw.randint(0, 4))
        moment = day.replace(hour=self.draw.randint(8, 17), minute=self.draw.randint(0, 59))
        return min(moment, self.now - timedelta(minutes=self.draw.randint(5, 300)))


def bury(draw: random.Random, contacts: list[Contact], number: int, user: Any, now: datetime) -> None:
    """Put some contacts into the trash, within the days from which they can be restored."""
    for contact in draw.sample(contacts, number):
        contact.deleted_at = now - timedelta(days=25 * draw.random())
        contact.created_at = contact.updated_at = min(contact.created_at, contact.deleted_at)
        contact.deleted_by_id = user


def fill_list(contact_list: ContactList, contacts: list[Contact], chosen: dict[str, Any]) -> None:
    """Put the contacts that meet every condition on the list."""
    ContactListMembership.objects.bulk_create(
        [
            ContactListMembership(contact=contact, list=contact_list, added_by_id=contact_list.created_by_id)
            for contact in contacts
            if ("sector" not in chosen or contact.custom_fields["industry"] in chosen["sector"])
            and ("state" not in chosen or contact.state in chosen["state"])
            and ("tag" not in chosen or chosen["tag"] in contact.tags)
        ],
        batch_size=2000,
    )
    if contact_list.name == ARCHIVED:
        update_list(contact_list, status=ContactList.Status.ARCHIVED)


def trade_show(crowd: Crowd, number: int) -> str:
    """Return a file as people bring them: numbers in many formats, some wrong, some twice, blanks."""
    draw, file = crowd.draw, io.StringIO()
    writer = csv.writer(file)
    writer.writerow(
        ["First Name", "Last Name", "Company", "Job Title", "Mobile", "E-mail Address", "City", "State", "Booth"]
    )
    for _ in range(number):
        given, family, company, phone, city, state = crowd.person()
        area, line = phone[2:5], phone[8:]
        shown = draw.choice(
            [f"({area}) 555-{line}", f"{area}.555.{line}", f"+1 {area} 555 {line}", f"1-{area}-555-{line}"]
        )
        if draw.random() < 0.04:
            shown = draw.choice([f"555-{line}", "n/a", f"{area}-555-01"])
        email = crowd.address(given, family, company)
        row = [given, family, company.name, draw.choice(TITLES), shown, email, city, state, f"B{draw.randint(1, 40)}"]
        for _ in range(2 if draw.random() < 0.03 else 1):
            writer.writerow(row)
    return file.getvalue()


def import_file(organization: Organization, name: str, text: str, list_name: str = "") -> None:
    """Import a file the way an upload does, here and now."""
    with organization_scope(organization.pk):
        job = start_import(file=ContentFile(text.encode(), name), list_name=list_name)
    # A worker that is already running may have been quicker.
    with suppress(JobNotClaimed):
        run_import(job)


def read(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def plain(text: str) -> str:
    """Return the text as the letters and digits of an address."""
    letters = unicodedata.normalize("NFKD", text.replace("ø", "o")).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "", letters)
