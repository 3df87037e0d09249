"""The demo's pipelines, deals, projects and activities, with half a year of history behind them."""

import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils import timezone

from contacts.models import Client, ClientContact
from sales.models import (
    Activity,
    ActivityKind,
    Deal,
    DealContact,
    Disposition,
    LostReason,
    Milestone,
    Project,
    ProjectMember,
    ProjectStatus,
    Stage,
    StageKind,
)
from sales.services.assignment import create_rule
from sales.services.lost_reasons import create_reason
from sales.services.money import create_rate, worth
from sales.services.pipelines import create_pipeline, usual_pipeline
from sales.services.projects import project_of_deal
from sales.services.snapshots import take_snapshot
from vocelio.access.principal import principal_of_member
from vocelio.audit.context import Actor, acting
from vocelio.notifications.services.feed import tell_feed
from vocelio.organizations.models import Membership, Organization, Role
from vocelio.organizations.scope import organization_scope

NUMBER_OF_DEALS = {"acme": 260, "globex": 70}
DAYS = 170
PRODUCTS = [
    "Dialer seats",
    "Compliance suite",
    "Onboarding package",
    "Call recording",
    "Data cleaning",
    "Premium support",
]
KINDS = ["renewal", "pilot", "expansion", "new business", "multi-year"]
REASONS = ["Price", "Competitor", "No budget", "No decision", "Missing feature", "Bad timing"]
SUBJECTS = {
    ActivityKind.CALL: ["Discovery call", "Follow up on the offer", "Ask for the budget", "Check in after the demo"],
    ActivityKind.MEETING: ["Product demo", "Negotiate terms", "Quarterly review", "Meet the buying team"],
    ActivityKind.TASK: ["Send the offer", "Prepare the contract", "Update the forecast", "Send references"],
}
ENDS = [
    Disposition.CONNECTED,
    Disposition.VOICEMAIL,
    Disposition.NO_ANSWER,
    Disposition.NOT_INTERESTED,
    Disposition.BUSY,
]
RENEWALS: list[dict[str, Any]] = [
    {"name": "Due", "probability": 60, "rotting_days": 30},
    {"name": "Offer sent", "probability": 80, "rotting_days": 14, "required_fields": ["amount"]},
    {"name": "Renewed", "kind": StageKind.WON},
    {"name": "Cancelled", "kind": StageKind.LOST},
]


def load_deals(organization: Organization) -> None:
    """Fill the organization, unless it has deals already."""
    with organization_scope(organization.pk):
        if organization.slug not in NUMBER_OF_DEALS or Deal.objects.exists() or not Client.objects.exists():
            return
    people = list(Membership.objects.filter(organization=organization, is_active=True).order_by("role"))
    manager = next((each for each in people if each.role == Role.MANAGER), people[0])
    principal = principal_of_member(manager.user_id, organization.pk)
    assert principal is not None  # noqa: S101 - the demo's own people
    draw = random.Random(f"deals of {organization.slug}")  # noqa: S311 - repeatable on purpose
    with acting(Actor(user_id=manager.user_id, door="demo")), organization_scope(organization.pk):
        story = Story(draw, [each.user_id for each in people], timezone.now())
        deals = story.deals(NUMBER_OF_DEALS[organization.slug])
        story.activities(deals)
        for deal in [each for each in deals if each.status == StageKind.WON][:12]:
            story.project(project_of_deal(deal=deal, principal=principal))
        story.snapshots()
        create_rule(name="West coast in turn", criteria={"state": ["CA", "OR", "WA"]}, members=story.users)
        create_rule(name="Everybody else", position=10, members=story.users)


class Story:
    """Draws half a year of selling; only the dates follow the calendar."""

    def __init__(self, draw: random.Random, users: list[Any], now: datetime) -> None:
        self.draw, self.users, self.now = draw, users, now
        self.reasons: list[LostReason] = [create_reason(name=name) for name in REASONS]
        for currency, rate in (("EUR", "1.08"), ("GBP", "1.27")):
            create_rate(currency=currency, valid_from=(now - timedelta(days=DAYS + 30)).date(), rate=Decimal(rate))
        create_rate(currency="EUR", valid_from=(now - timedelta(days=40)).date(), rate=Decimal("1.11"))
        self.pipelines = [usual_pipeline(), create_pipeline(name="Renewals", stages=[dict(each) for each in RENEWALS])]
        self.stages = {
            pipeline.pk: list(Stage.objects.filter(pipeline=pipeline).order_by("position"))
            for pipeline in self.pipelines
        }
        self.clients = list(Client.objects.alive().defer("search").order_by("name", "id")[:150])
        self.people: dict[Any, list[Any]] = {}
        for client_id, contact_id in ClientContact.objects.filter(
            client__in=self.clients, ended_on__isnull=True
        ).values_list("client_id", "contact_id"):
            self.people.setdefault(client_id, []).append(contact_id)

    def deals(self, number: int) -> list[Deal]:
        """Make deals and let them pass through their stages; the triggers write the history."""
        draw, deals, paths = self.draw, [], []
        for _ in range(number):
            pipeline = draw.choices(self.pipelines, [80, 20])[0]
            stages = self.stages[pipeline.pk]
            opened = [stage for stage in stages if stage.kind == StageKind.OPEN]
            created_at = self.now - timedelta(days=DAYS * draw.random() ** 0.9 + 1)
            path, moment = [(opened[0], created_at)], created_at
            won, lost = (
                next(stage for stage in stages if stage.kind == kind) for kind in (StageKind.WON, StageKind.LOST)
            )
            for stage in [*opened[1:], won]:
                moment += timedelta(days=draw.expovariate(1 / 24) + 0.5)
                if moment >= self.now:
                    break
                if draw.random() < 0.13:
                    path.append((lost, moment))
                    break
                path.append((stage, moment))
            client = draw.choice(self.clients)
            currency = draw.choices(["USD", "EUR", "GBP"], [84, 11, 5])[0]
            amount = Decimal(round(draw.lognormvariate(9.4, 0.8) / 100) * 100)
            deal = Deal(
                name=f"{client.name}: {draw.choice(PRODUCTS).lower()}, {draw.choice(KINDS)}"[:255],
                stage=opened[0],
                amount=amount,
                currency=currency,
                base_amount=worth(amount, currency),
                client=client,
                expected_close_on=(self.now + timedelta(days=draw.randint(-12, 150))).date(),
                assigned_to_id=draw.choice(self.users) if draw.random() < 0.93 else None,
                created_by_id=draw.choice(self.users),
                source=draw.choice(["Website", "Referral", "Trade show", "Outbound", "Partner"]),
                tags=draw.sample(["q4", "strategic", "competitive", "upsell"], draw.choice([0, 0, 1, 2])),
                created_at=created_at,
                stage_entered_at=created_at,
            )
            deals.append(deal)
            paths.append(path)
        Deal.objects.bulk_create(deals)
        for step in range(1, max(map(len, paths))):
            moving = [(deal, path[step]) for deal, path in zip(deals, paths, strict=True) if len(path) > step]
            for deal, (stage, moment) in moving:
                deal.stage, deal.stage_entered_at, deal.moved_by_id = stage, moment, deal.assigned_to_id
                deal.lost_reason = (
                    draw.choices(self.reasons, [30, 24, 16, 14, 10, 6])[0] if stage.kind == "lost" else None
                )
            changed = ["stage", "stage_entered_at", "moved_by", "lost_reason"]
            Deal.objects.bulk_update([deal for deal, _ in moving], changed)
        self.attach_people(deals)
        made = list(Deal.objects.select_related("stage", "client").defer("client__search").order_by("created_at"))
        for deal in sorted(made, key=lambda each: each.stage_entered_at)[-25:]:
            kind = {"won": "deal.won", "lost": "deal.lost"}.get(deal.status, "deal.moved")
            tell_feed(
                kind=kind,
                resource="deal",
                resource_id=deal.pk,
                title=deal.name,
                owners=[deal.assigned_to_id],
                toStage=deal.stage.name,
                amount=str(deal.amount),
                currency=deal.currency,
            )
        return made

    def attach_people(self, deals: list[Deal]) -> None:
        DealContact.objects.bulk_create(
            DealContact(deal=deal, contact_id=contact_id, is_primary=place == 0)
            for deal in deals
            for place, contact_id in enumerate(dict.fromkeys(self.people.get(deal.client_id, [])[:2]))
        )

    def activities(self, deals: list[Deal]) -> None:
        """Make what was done for the deals, and what is planned."""
        draw, rows = self.draw, []
        for deal in deals:
            end = deal.closed_at or self.now
            for _ in range(draw.choices([1, 2, 3, 5], [35, 30, 25, 10])[0]):
                at = deal.created_at + (end - deal.created_at) * draw.random()
                rows.append(self.activity(deal, at, done=True))
            if deal.status == StageKind.OPEN and draw.random() < 0.7:
                due = self.now + timedelta(
                    days=draw.choice([-6, -2, -1, 0, 0, 1, 2, 3, 5, 8, 13]), hours=draw.randint(-3, 6)
                )
                rows.append(self.activity(deal, due, done=False))
        Activity.objects.bulk_create(rows)

    def activity(self, deal: Deal, at: datetime, *, done: bool) -> Activity:
        kind = self.draw.choices(list(SUBJECTS), [55, 20, 25])[0]
        people = self.people.get(deal.client_id, [])
        return Activity(
            kind=kind,
            subject=self.draw.choice(SUBJECTS[kind]),
            due_at=at.replace(minute=self.draw.choice([0, 30]), second=0, microsecond=0),
            completed_at=min(at, self.now) if done else None,
            completed_by_id=deal.assigned_to_id if done else None,
            disposition=self.draw.choices(ENDS, [45, 20, 20, 8, 7])[0] if done and kind == ActivityKind.CALL else "",
            deal=deal,
            client_id=deal.client_id,
            contact_id=people[0] if people else None,
            assigned_to_id=deal.assigned_to_id or self.users[0],
            created_by_id=deal.created_by_id,
            created_at=min(at, self.now) - timedelta(days=3),
        )

    def project(self, project: Project) -> None:
        """Set the won deal's project on its way."""
        draw = self.draw
        starts = (self.now - timedelta(days=draw.randint(5, 60))).date()
        length = draw.randint(40, 120)
        Project.objects.filter(pk=project.pk).update(
            status=draw.choices([ProjectStatus.ACTIVE, ProjectStatus.PLANNED, ProjectStatus.COMPLETED], [60, 20, 20])[
                0
            ],
            starts_on=starts,
            ends_on=starts + timedelta(days=length),
        )
        ProjectMember.objects.bulk_create(
            ProjectMember(project=project, user_id=user, role=role, allocation=draw.choice([20, 40, 60, 100]))
            for user, role in zip(
                draw.sample(self.users, min(2, len(self.users))), ["Lead", "Consultant"], strict=False
            )
        )
        for place, name in enumerate(["Kick-off", "Data migrated", "Team trained", "Accepted"]):
            due = starts + timedelta(days=length * place // 3)
            done = due < self.now.date() and draw.random() < 0.8
            Milestone.objects.create(
                project=project,
                name=name,
                due_on=due,
                completed_at=self.now if done else None,
                completed_by_id=draw.choice(self.users) if done else None,
            )

    def snapshots(self) -> None:
        """Note for each past day what the history says the pipelines were worth."""
        take_snapshot()
        with connection.cursor() as cursor:
            cursor.execute(PAST_DAYS, {"days": DAYS})


# Of each deal the last stage it had entered by the end of the day.
PAST_DAYS = """
INSERT INTO pipeline_snapshots (id, organization_id, day, pipeline_id, stage_id, assigned_to_id, number, amount, weighted)
SELECT uuid7(), organization_id, day, pipeline_id, stage_id, assigned_to_id, count(*), sum(base_amount),
       sum(base_amount * probability / 100)
FROM (
    SELECT DISTINCT ON (day, move.deal_id) move.organization_id, day::date, move.pipeline_id, move.to_stage_id AS stage_id,
           move.assigned_to_id, move.base_amount, stage.probability, stage.kind
    FROM generate_series(current_date - %(days)s::int, current_date - 1, interval '1 day') AS day
    JOIN deal_stage_history AS move ON move.moved_at < day + interval '1 day'
    JOIN pipeline_stages AS stage ON stage.organization_id = move.organization_id AND stage.id = move.to_stage_id
    ORDER BY day, move.deal_id, move.moved_at DESC
) AS last WHERE kind = 'open'
GROUP BY organization_id, day, pipeline_id, stage_id, assigned_to_id
"""
