"""What a match is made of: one function a factor, each from 0 to 1 with a word why; None where nothing is asked."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import exp
from typing import NamedTuple

from ai_matching.services.people import Person
from ai_matching.services.places import kilometres, spot_of
from recruitment.models import JobOpening, JobSearch, RemoteKind, RemotePreference, SalaryPeriod
from recruitment.models.profiles import Salary

# Where a job asks and the candidate is silent, it counts as the middle: neither for nor against them.
UNKNOWN = 0.5
A_YEAR = {SalaryPeriod.HOUR: 2080, SalaryPeriod.DAY: 260, SalaryPeriod.MONTH: 12, SalaryPeriod.YEAR: 1}
# After so many days somebody who is not free yet counts nothing for it.
LONG = 180
# Kilometres that nobody minds, and behind them those after which a place counts a third of what it did.
NO_WAY, COMMUTE = 10, 80
# What a place counts at least for somebody who would move.
MOVING = 0.7
LOOKING = {JobSearch.ACTIVE: 1.0, JobSearch.OPEN: 0.9, JobSearch.NOT_LOOKING: 0.3, JobSearch.PLACED: 0.1}


class Factor(NamedTuple):
    """One factor's value and why, as a part of a sentence."""

    value: float
    reason: str


@dataclass(frozen=True)
class Wish:
    """What is wanted of a candidate; a free text wants nothing but what it says."""

    title: str = ""
    experience_min: Decimal | None = None
    experience_max: Decimal | None = None
    salary_max: Decimal | None = None
    salary_min: Decimal | None = None
    currency: str = ""
    city: str = ""
    state: str = ""
    country: str = ""
    remote_kind: str = ""
    fill_by: date | None = None
    is_job: bool = False


def wish_of(job: JobOpening) -> Wish:
    """Return what a job asks for, its salary a year."""
    times = A_YEAR[SalaryPeriod(job.salary_period)]
    return Wish(
        title=job.title,
        experience_min=job.experience_min,
        experience_max=job.experience_max,
        salary_min=job.salary_min * times if job.salary_min is not None else None,
        salary_max=job.salary_max * times if job.salary_max is not None else None,
        currency=job.currency,
        city=job.city,
        state=job.state,
        country=job.country,
        remote_kind=job.remote_kind,
        fill_by=job.fill_by,
        is_job=True,
    )


def experience(wish: Wish, person: Person) -> Factor | None:
    least, most, years = wish.experience_min, wish.experience_max, person.years_of_experience
    if least is None and most is None:
        return None
    if years is None:
        return Factor(UNKNOWN, "years of experience are not known")
    told = f"{number(years)} years of experience"
    if least is not None and years < least:
        return Factor(float(years / least) if least else 1.0, f"{told} where {number(least)} are asked")
    if most is not None and years > most:
        # More than asked is no fault; far more makes a short stay likelier.
        return Factor(max(0.6, 1 - 0.05 * float(years - most)), f"{told}, more than the {number(most)} asked")
    return Factor(1.0, f"{told}, as asked" if least is not None else told)


def location(wish: Wish, person: Person) -> Factor | None:
    """Compare places by their distance, where both are known, else by name."""
    wants = person.remote_preference
    if wish.remote_kind == RemoteKind.REMOTE:
        if wants == RemotePreference.ONSITE:
            return Factor(0.4, "the job is remote and they want to work on site")
        return Factor(1.0, "the job is remote")
    if not (wish.city or wish.state or wish.country):
        return None
    if wants == RemotePreference.REMOTE and wish.remote_kind == RemoteKind.ONSITE:
        return Factor(0.1, "they want to work remotely and the job is on site")
    if not (person.city or person.state or person.country):
        return Factor(UNKNOWN, "where they live is not known")
    value, told = _apart(wish, person)
    if person.will_relocate and value < MOVING:
        return Factor(MOVING, f"{told}, willing to move")
    return Factor(value, told)


def _apart(wish: Wish, person: Person) -> Factor:
    is_abroad = bool(wish.country and person.country and wish.country != person.country)
    if not is_abroad and wish.city and same(wish.city, person.city) and same(wish.state, person.state):
        return Factor(1.0, f"in {person.city}")
    # A state that is not given does not say that it is another.
    place, home = (
        spot_of(each.city, each.state, each.country or other.country) if each.city else None
        for each, other in ((wish, person), (person, wish))
    )
    if place is not None and home is not None:
        distance = kilometres(place, home)
        if distance < 1:
            return Factor(1.0, f"in {person.city}")
        # Who comes in on some days only goes twice as far.
        reach = COMMUTE * (2 if wish.remote_kind == RemoteKind.HYBRID else 1)
        value = max(0.1, exp(-max(0.0, distance - NO_WAY) / reach))
        told = f"in {person.city}, {distance:,.0f} km away"
        return Factor(min(value, 0.5), f"{told} and abroad") if is_abroad else Factor(value, told)
    if is_abroad:
        return Factor(0.1, f"in another country ({person.country})")
    if wish.state and same(wish.state, person.state):
        return Factor(0.7, f"in the same state ({person.state})")
    return Factor(0.3, f"in {person.city or person.state or person.country}, not {wish.city or wish.state}")


def salary(wish: Wish, desired: Salary | None, in_currency: Decimal | None) -> Factor | None:
    """Compare what is paid with what is wanted, `in_currency` of the job and a year; None without an exchange rate."""
    most = wish.salary_max if wish.salary_max is not None else wish.salary_min
    if most is None:
        return None
    if desired is None:
        return Factor(UNKNOWN, "what they want to earn is not known")
    if in_currency is None:
        return Factor(UNKNOWN, f"what they want to earn is in {desired.currency}, for which there is no exchange rate")
    if in_currency <= most:
        return Factor(1.0, "within the salary")
    over = float((in_currency - most) / most)
    told = f"{over:.0%}" if over >= 0.01 else "a little"
    return Factor(max(0.0, 1 - 4 * over), f"wants {told} more than the job pays")


def availability(wish: Wish, person: Person, today: date) -> Factor | None:
    if not wish.is_job:
        return None
    looking = LOOKING[JobSearch(person.job_search)]
    told = {JobSearch.NOT_LOOKING: "not looking", JobSearch.PLACED: "placed already"}.get(JobSearch(person.job_search))
    days = free_in(person, today)
    if told is not None:
        return Factor(looking, told)
    if days is None:
        return Factor(looking * 0.8, "when they are free is not known")
    wanted = max(0, (wish.fill_by - today).days) if wish.fill_by else 30
    late = max(0, days - wanted)
    when = "free at once" if days == 0 else f"free in {days} days"
    return Factor(looking * max(0.0, 1 - late / LONG), when)


def free_in(person: Person, today: date) -> int | None:
    """Return in how many days somebody can start, None where they have not said."""
    if person.available_on is not None:
        return max(0, (person.available_on - today).days)
    return person.notice_period_days


def yearly(amount: Salary) -> Decimal:
    return amount.amount * A_YEAR[SalaryPeriod(amount.period)]


def same(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def number(value: Decimal) -> str:
    return f"{value:f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:f}"
