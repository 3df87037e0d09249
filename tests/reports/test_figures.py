"""Figures are what a plain calculation over the same rows says, in the organization's days, of what one may see."""

from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from comms.models import Communication
from contacts.models import Contact, ContactImport
from crm_sync.models import CrmSyncRun
from dnc.models import DncEntry, Scrub
from recruitment.models import StageEvent
from sales.models import Activity, Deal, Stage
from tests.factories import Person, make_person, phone_number
from tests.recruitment.hiring import apply, make_applicant, make_job
from tests.recruitment.hiring import make_reason as make_rejection_reason
from tests.recruitment.hiring import move as move_application
from tests.reports.asking import ask, at, in_zone, lines, only_line, run, seed, total
from tests.rows import make_row
from tests.sales.selling import make_deal, make_pipeline, make_reason, move
from vocelio.organizations.models import Role, Visibility
from vocelio.organizations.scope import organization_scope
from vocelio.reports.periods import Preset, preset_period
from vocelio.reports.registry import all_metrics

SPRING = {"from": "2026-03-01", "to": "2026-05-31"}
MOMENTS = ["2026-03-02T03:30", "2026-03-02T12:00", "2026-03-08T07:30", "2026-04-01T03:59", "2026-04-01T04:00"]


def some_contacts(person: Person, **fields: Any) -> list[Any]:
    sources = ["Fair", "", "Web", "Fair", "Web"]
    return seed(
        person,
        Contact,
        [
            {"phone": phone_number(), "source": source, "created_at": at(moment), **fields}
            for moment, source in zip(MOMENTS, sources, strict=True)
        ],
    )


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kathmandu"])
@pytest.mark.parametrize("granularity", ["day", "week", "month", "quarter"])
def test_steps_are_those_of_the_organizations_calendar(zone: str, granularity: str, manager: Person):
    in_zone(manager, zone)
    rows = some_contacts(manager)
    expected: Counter[str] = Counter()
    for row in rows:
        day = row.created_at.astimezone(ZoneInfo(zone)).date()
        first = {
            "day": day,
            "week": day - timedelta(days=day.weekday()),
            "month": day.replace(day=1),
            "quarter": date(day.year, (day.month - 1) // 3 * 3 + 1, 1),
        }[granularity]
        name = {"month": f"{first:%Y-%m}", "quarter": f"{first.year}-Q{(first.month + 2) // 3}"}.get(granularity)
        expected[name or str(first)] += 1
    data = run(manager, "contacts.created", range=SPRING, granularity=granularity)
    assert data["timeZone"] == zone
    assert {label: number for label, number in only_line(data).items() if number} == dict(expected)
    assert data["totals"][0]["value"] == len(rows)


def test_values_are_counted_named_and_what_is_empty_is_one(manager: Person):
    rows = some_contacts(manager)
    expected = Counter(row.source or "Not given" for row in rows)
    data = run(manager, "contacts.created", dimensions=["source"], range=SPRING)
    assert only_line(data) == dict(expected)
    narrowed = run(manager, "contacts.created", range=SPRING, filters={"source": ["Fair", None]})
    assert narrowed["totals"][0]["value"] == expected["Fair"] + expected["Not given"]


def test_the_smallest_values_are_put_together(manager: Person):
    some_contacts(manager)
    data = run(manager, "contacts.created", dimensions=["source"], range=SPRING, limit=1)
    assert (data["labels"], data["series"][0]["data"], data["isCut"]) == (["Fair", "Other"], [2, 3], True)


def test_a_period_is_compared_with_the_one_before(manager: Person):
    some_contacts(manager)
    data = run(
        manager,
        "contacts.created",
        range={"from": "2026-04-01", "to": "2026-04-30"},
        granularity="week",
        compare=True,
    )
    assert data["comparedWith"] == {"from": "2026-03-02", "to": "2026-03-31"}
    series, sums = data["series"][0], data["totals"][0]
    assert (series["total"], series["previous"]["total"]) == (2, 3)
    assert len(series["data"]) == len(series["previous"]["data"])
    assert (sums["previous"], sums["change"]) == (3, -33.3)


def test_kept_totals_agree_with_counted_ones(manager: Person):
    rows = some_contacts(manager)
    with organization_scope(manager.organization.id):
        Contact.objects.filter(pk=rows[0].pk).update(status="inactive")
    assert only_line(run(manager, "contacts.total", dimensions=["status"])) == {"Active": 4, "Inactive": 1}
    counted = only_line(run(manager, "contacts.total", dimensions=["source"]))
    assert sum(counted.values()) == total(manager, "contacts.total") == 5


@pytest.fixture
def sold(manager: Person, agent: Person) -> dict[str, Any]:
    """Deals of two owners: won, lost, open."""
    _, stages = make_pipeline(manager)
    made = []
    for owner, amount in ((manager, 100), (manager, 250), (agent, 40), (agent, 60), (agent, 5)):
        made.append(make_deal(manager, stages["New"], amount=str(amount), assignedTo=str(owner.user.pk)))
    reason = make_reason(manager)
    for deal in made[:3]:
        move(manager, deal, stages["Won"])
    move(manager, made[3], stages["Lost"], lostReasonId=reason)
    return stages


def plain_deals(person: Person) -> list[Any]:
    with organization_scope(person.organization.id):
        return list(Deal.objects.select_related("stage", "assigned_to"))


def test_sales_are_what_the_deals_say(manager: Person, sold: dict[str, Any]):
    deals = plain_deals(manager)
    won = [deal for deal in deals if deal.status == "won"]
    by_owner: defaultdict[str, Decimal] = defaultdict(Decimal)
    for deal in won:
        by_owner[str(deal.assigned_to)] += deal.base_amount
    data = run(manager, "deals.won_value", dimensions=["owner"])
    assert {label: Decimal(value) for label, value in only_line(data).items()} == dict(by_owner)
    assert (data["currency"], data["series"][0]["unit"]) == ("USD", "money")
    assert total(manager, "deals.won") == len(won)
    lost = sum(deal.status == "lost" for deal in deals)
    assert total(manager, "deals.win_rate") == round(100 * len(won) / (len(won) + lost), 1)
    weighted = sum(deal.base_amount * deal.stage.probability / 100 for deal in deals if deal.status == "open")
    assert Decimal(total(manager, "deals.weighted_forecast")) == weighted
    assert total(manager, "deals.created") == len(deals)
    both = run(manager, "deals.created", "deals.won_value", dimensions=["owner"])
    assert [each["unit"] for each in both["series"]] == ["number", "money"]


def test_how_long_it_took_is_a_mean_of_what_took_any_time(manager: Person):
    _, stages = make_pipeline(manager)
    with organization_scope(manager.organization.id):
        won = Stage.objects.get(pk=stages["Won"])
        for days in (2, 4):
            deal = make_row(Deal, stage=won, created_at=at("2026-03-02T12:00"))
            Deal.objects.filter(pk=deal.pk).update(closed_at=deal.created_at + timedelta(days=days))
    assert total(manager, "deals.cycle_time", range=SPRING) == 3.0
    assert total(manager, "deals.cycle_time", range={"from": "2025-01-01", "to": "2025-01-31"}) is None


def test_activities_by_kind_and_end(manager: Person):
    kinds = ["call", "call", "call", "task"]
    ends = ["connected", "connected", "busy", ""]
    seed(
        manager,
        Activity,
        [
            {"kind": kind, "subject": "x", "disposition": end, "completed_at": at("2026-03-02T12:00")}
            for kind, end in zip(kinds, ends, strict=True)
        ],
    )
    assert only_line(run(manager, "activities.completed", dimensions=["kind"], range=SPRING)) == {"Call": 3, "Task": 1}
    both = lines(run(manager, "activities.completed", dimensions=["kind", "disposition"], range=SPRING))
    assert both["Connected"] == {"Call": 2, "Task": 0}
    assert total(manager, "activities.calls_connected", range=SPRING) == round(200 / 3, 1)


@pytest.fixture
def applied(manager: Person) -> list[str]:
    """Three people: one hired, one hired and taken back, one rejected."""
    job = make_job(manager, openings=3)
    people = [make_applicant(manager) for _ in range(3)]
    made = [apply(manager, job, contact=contact, source="Fair") for contact in people]
    for index, stage in ((0, "Hired"), (1, "Hired"), (1, "Applied")):
        application = manager.get(f"/v1/applications/{made[index]['id']}").data
        assert move_application(manager, application, job["stages"][stage]).status == 200
    reason = {"rejectionReasonId": make_rejection_reason(manager)}
    assert move_application(manager, made[2], job["stages"]["Rejected"], **reason).status == 200
    return people


RECRUITING = [metric.name for metric in all_metrics() if metric.group == "applications"]


def test_recruiting_is_what_the_events_say_and_stays_when_people_go(manager: Person, admin: Person, applied: list[str]):
    with organization_scope(manager.organization.id):
        events = list(StageEvent.objects.order_by("moved_at"))
    hired = sum(each.to_outcome == "hired" for each in events) - sum(each.from_outcome == "hired" for each in events)
    assert total(manager, "applications.received") == sum(each.from_outcome == "" for each in events) == 3
    assert total(manager, "applications.hired") == hired == 1
    assert total(manager, "applications.rejected") == 1
    filled = [each.since_opened for each in events if each.to_outcome == "hired"]
    assert total(manager, "applications.time_to_fill") == round(sum(filled) / len(filled) / 86_400, 1)
    assert total(manager, "applications.stage_entries") == len(events)
    before = {name: total(manager, name) for name in RECRUITING}
    for contact in applied:
        assert admin.post(f"/v1/contacts/{contact}/erase", {"confirm": True}).status == 200
    assert {name: total(manager, name) for name in RECRUITING} == before


def test_messages_imports_scrubs_and_syncs(admin: Person):
    with organization_scope(admin.organization.id):
        contact = make_row(Contact)
        moment = at("2026-03-02T12:00")
        for status in ("sent", "delivered", "replied", "bounced"):
            message = make_row(Communication, contact=contact, channel="email", created_at=moment)
            marks = {"sent": 1, "delivered": 2, "replied": 3, "bounced": 0}[status]
            columns = ["sent_at", "delivered_at", "replied_at"][:marks]
            Communication.objects.filter(pk=message.pk).update(status=status, **dict.fromkeys(columns, moment))
        made = make_row(ContactImport, filename="a.csv", total_rows=200, imported_contacts=150, invalid_contacts=30)
        ContactImport.objects.filter(pk=made.pk).update(
            created_at=moment, started_at=moment, completed_at=moment + timedelta(seconds=12), updated_contacts=20
        )
        scrub = make_row(Scrub, status="completed", total_contacts=80, clean_contacts=60, matched_dnc=15)
        Scrub.objects.filter(pk=scrub.pk).update(created_at=moment, blocked_contacts=5)
        make_row(DncEntry, created_at=moment, channels=["call", "sms"])
        make_row(DncEntry, created_at=moment)
        sync = make_row(CrmSyncRun, contacts_added=7, error_count=2)
        CrmSyncRun.objects.filter(pk=sync.pk).update(created_at=moment)

    def value(metric: str) -> Any:
        return total(admin, metric, range=SPRING)

    assert [value(f"messages.{name}") for name in ("sent", "delivered", "replied", "bounced")] == [3, 2, 1, 1]
    assert (value("messages.delivery_rate"), value("messages.reply_rate")) == (66.7, 33.3)
    assert (value("imports.rows"), value("imports.rejected_share"), value("imports.duration")) == (170, 15.0, 12.0)
    assert (value("dnc.compliance_rate"), value("dnc.blocked_share")) == (75.0, 25.0)
    assert only_line(run(admin, "dnc.entries_added", dimensions=["channel"], range=SPRING)) == {
        "All channels": 1,
        "call, sms": 1,
    }
    assert (value("crm.records_added"), value("crm.errors"), value("crm.runs")) == (7, 2, 1)


def test_members_active_are_not_added_up_over_the_days(manager: Person, agent: Person):
    for person in (manager, agent, manager):
        person.post("/v1/contacts", {"phone": phone_number()})
    data = run(manager, "usage.members_active", range={"preset": "today"}, granularity="day")
    assert data["totals"][0]["value"] == data["series"][0]["total"] == 2
    by_action = run(manager, "usage.members_active", range={"preset": "today"}, dimensions=["action"])
    assert only_line(by_action)["contact.created"] == 2
    assert by_action["totals"][0]["value"] == 2


@pytest.mark.parametrize("group", sorted({metric.group for metric in all_metrics()} - {"test"}))
def test_every_metric_answers_by_each_of_its_dimensions(group: str, admin: Person):
    for known in [each for each in admin.get("/v1/reports/metrics").data if each["group"] == group]:
        steps = {"granularity": "month", "compare": True} if known["isDated"] else {}
        for key in [dimension["key"] for dimension in known["dimensions"]]:
            data = run(admin, known["name"], dimensions=[key], range=SPRING, **steps)
            assert all(len(each["data"]) == len(data["labels"]) for each in data["series"])
            # Nothing is there but the person who asks.
            assert data["totals"][0]["value"] in (0, None, "0.00", 1 if group == "members" else 0)


def test_an_agent_counts_what_they_may_see(manager: Person, agent: Person, sold: dict[str, Any]):
    manager.organization.visibility = Visibility.TEAM
    manager.organization.save(update_fields=["visibility"])
    assert (total(manager, "deals.created"), total(agent, "deals.created")) == (5, 3)
    assert total(agent, "deals.won") == 1
    some_contacts(manager, assigned_to=manager.user)
    assert (total(manager, "contacts.total"), total(agent, "contacts.total")) == (5, 0)
    assert (total(manager, "contacts.created", range=SPRING), total(agent, "contacts.created", range=SPRING)) == (5, 0)


def test_two_organizations_never_mix(manager: Person, outsider: Person, sold: dict[str, Any]):
    some_contacts(manager)
    for metric in ("deals.created", "contacts.total", "contacts.created", "deals.stage_entries", "deals.open_value"):
        assert Decimal(total(manager, metric, range={"preset": "last_365_days"})) > 0
        assert Decimal(total(outsider, metric, range={"preset": "last_365_days"})) == 0
    pipeline = manager.get("/v1/pipelines").data[0]["id"]
    assert total(outsider, "deals.created", filters={"pipeline": [pipeline]}) == 0


def test_roles_see_their_metrics_alone(admin: Person, agent: Person):
    names = {each["name"] for each in agent.get("/v1/reports/metrics").data}
    assert "deals.won" in names
    assert not names & {"crm.runs", "dnc.scrubs", "usage.changes", "imports.runs"}
    refused = ask(agent, "deals.won", "crm.runs")
    assert (refused.status, refused.error["code"]) == (403, "FORBIDDEN")
    assert len(admin.get("/v1/reports/metrics").data) == len(all_metrics()) >= 30


def test_records_one_may_not_see_are_not_named(manager: Person, agent: Person):
    manager.organization.visibility = Visibility.TEAM
    manager.organization.save(update_fields=["visibility"])
    hidden = manager.post("/v1/clients", {"name": "Secret Ltd", "assignedTo": str(manager.user.pk)}).data["id"]
    job = {"clientId": hidden, "assignedTo": str(agent.user.pk)}
    make_job(manager, **job)
    assert only_line(run(agent, "jobs.opened", dimensions=["client"])) == {"Not to be seen": 1}
    assert only_line(run(manager, "jobs.opened", dimensions=["client"])) == {"Secret Ltd": 1}


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"metrics": []}, "metrics"),
        ({"metrics": ["deals.nope"]}, "metrics.0"),
        ({"metrics": ["deals.won"], "dimensions": ["zip"]}, "dimensions.0"),
        ({"metrics": ["deals.won"], "dimensions": ["owner", "stage", "status"]}, "dimensions"),
        ({"metrics": ["deals.won"], "filters": {"pipeline": ["x"]}}, "filters.pipeline"),
        ({"metrics": ["deals.won"], "filters": {"moon": ["x"]}}, "filters.moon"),
        ({"metrics": ["deals.won"], "filters": {"status": ["gone"]}}, "filters.status"),
        ({"metrics": ["deals.open"], "granularity": "day"}, "granularity"),
        ({"metrics": ["deals.won"], "granularity": "hour"}, "granularity"),
        ({"metrics": ["deals.won"], "granularity": "day", "range": {"from": "2022-01-01", "to": "2026-01-01"}}, "granularity"),
        ({"metrics": ["deals.won"], "range": {"preset": "someday"}}, "range.preset"),
        ({"metrics": ["deals.won"], "range": {"preset": "today", "to": "2026-01-01"}}, "range"),
        ({"metrics": ["deals.won"], "range": {"from": "2026-02-01"}}, "range.to"),
        ({"metrics": ["deals.won"], "range": {"from": "2026-02-01", "to": "2026-01-01"}}, "to"),
        ({"metrics": ["deals.won"], "range": {"from": "1999-01-01", "to": "2000-01-01"}}, "range"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_names_its_field(asked: dict[str, Any], field: str, manager: Person):
    answer = manager.post("/v1/reports/run", asked)
    assert (answer.status, answer.error["details"]["field"]) == (422, field)


@pytest.mark.parametrize(
    ("preset", "first", "last", "before"),
    [
        (Preset.TODAY, "2026-05-20", "2026-05-20", "2026-05-19"),
        (Preset.LAST_7_DAYS, "2026-05-14", "2026-05-20", "2026-05-07"),
        (Preset.THIS_WEEK, "2026-05-18", "2026-05-20", "2026-05-11"),
        (Preset.LAST_MONTH, "2026-04-01", "2026-04-30", "2026-03-01"),
        (Preset.THIS_QUARTER, "2026-04-01", "2026-05-20", "2026-01-01"),
        (Preset.LAST_QUARTER, "2026-01-01", "2026-03-31", "2025-10-01"),
        (Preset.THIS_YEAR, "2026-01-01", "2026-05-20", "2025-01-01"),
    ],
)
def test_presets_follow_the_calendar(preset: str, first: str, last: str, before: str):
    period = preset_period(preset, ZoneInfo("UTC"), date(2026, 5, 20))
    assert (str(period.first), str(period.last), str(period.before().first)) == (first, last, before)


def test_a_member_of_another_time_sees_the_same_names(manager: Person, sold: dict[str, Any]):
    gone = make_person(manager.organization, Role.AGENT)
    make_deal(manager, sold["New"], assignedTo=str(gone.user.pk))
    gone.user.memberships.all().delete()
    assert only_line(run(manager, "deals.created", dimensions=["owner"]))["A former member"] == 1
