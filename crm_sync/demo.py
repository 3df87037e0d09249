"""The demo's CRM connection: what a year with one looks like, without any CRM at the other end.

It is not connected, since there is nothing to connect it to; `python -m tests.crm_sync.fakes.hubspot` gives it a vendor
to play with (docs/user-manual.md).
"""

import random
from datetime import timedelta
from typing import Any

from django.utils import timezone

from contacts.models import Client, Contact
from crm_sync.models import CrmConflict, CrmIntegration, CrmLink, CrmSyncItem, CrmSyncRun
from crm_sync.providers.values import Kind
from crm_sync.services.connections import create_connection
from crm_sync.services.kinds import record_kind
from crm_sync.services.totals import refresh_totals
from vocelio.audit.context import Actor, acting
from vocelio.jobs.models import JobStatus
from vocelio.organizations.models import Membership, Organization, Role
from vocelio.organizations.scope import organization_scope

LINKED = 1_200
SYNCS = 9
SHOWN_ITEMS = 14
QUARANTINED = [
    ("NO_ADDRESS", "phone", "Not a phone number: contains letters."),
    ("NO_ADDRESS", "phone", "The phone number belongs to another contact."),
    ("NO_ADDRESS", "phone", "Neither a phone number nor an e-mail address."),
]


def load(organization: Organization) -> None:
    """Give Acme a HubSpot connection with a history, unless it has a connection already."""
    with organization_scope(organization.pk):
        if organization.slug != "acme" or CrmIntegration.objects.exists():
            return
    admin = Membership.objects.filter(organization=organization, role=Role.ADMIN).values_list("user_id", flat=True)[0]
    draw = random.Random("crm")  # noqa: S311 - repeatable on purpose
    with acting(Actor(user_id=admin, door="demo")), organization_scope(organization.pk):
        integration = create_connection(
            crm_type="hubspot",
            name="HubSpot Marketing",
            sync_settings={"conflict": "manual", "companies": True},
            sync_frequency=15,
        )
        contacts = list(Contact.objects.alive().defer("search").order_by("created_at")[:LINKED])
        links = link(integration, contacts)
        clients = list(Client.objects.alive().defer("search").order_by("created_at"))
        link_clients(integration, clients)
        run = history(draw, integration, admin)
        detail(draw, integration, run, contacts, links)
        dry_run(integration, contacts, clients)
        refresh_totals(integration, synced_at=timezone.now() - timedelta(minutes=21))
        CrmIntegration.objects.filter(pk=integration.pk).update(
            status_message="Demo data: no CRM is connected. Sign in, or give a key, to sync with your own."
        )


def link(integration: CrmIntegration, contacts: list[Contact]) -> list[CrmLink]:
    """Pair contacts with records, and let some records wait."""
    names = [name for name in integration.provider.types[Kind.CONTACTS].mapping if not name.startswith("customFields")]
    fields = record_kind(Kind.CONTACTS).fields
    links = []
    for number, contact in enumerate(contacts):
        values = fields.local_values(contact, names)
        links.append(
            CrmLink(
                integration=integration,
                contact=contact,
                remote_id=str(20_000_000 + number * 7),
                state=CrmLink.State.LINKED,
                local_base=values,
                remote_base=values,
                local_version=contact.updated_at,
            )
        )
    links += [
        CrmLink(
            integration=integration,
            remote_id=str(30_000_000 + number),
            state=CrmLink.State.QUARANTINED,
            code=code,
            field=field,
            reason=reason,
        )
        for number, (code, field, reason) in enumerate(QUARANTINED)
    ]
    CrmLink.objects.bulk_create(links, batch_size=500)
    return links


def link_clients(integration: CrmIntegration, clients: list[Client]) -> None:
    """Pair clients with companies."""
    fields = record_kind(Kind.COMPANIES).fields
    names = list(integration.provider.types[Kind.COMPANIES].mapping)
    links = []
    for number, client in enumerate(clients):
        values = fields.local_values(client, names)
        links.append(
            CrmLink(
                integration=integration,
                kind=Kind.COMPANIES.value,
                client=client,
                remote_id=str(40_000_000 + number * 3),
                state=CrmLink.State.LINKED,
                local_base=values,
                remote_base=values,
                local_version=client.updated_at,
            )
        )
    CrmLink.objects.bulk_create(links, batch_size=500)


def dry_run(integration: CrmIntegration, contacts: list[Contact], clients: list[Client]) -> None:
    """Show what a sync would do."""
    started = timezone.now() - timedelta(minutes=34)
    planned = [(contact, None) for contact in contacts[:5]] + [(None, client) for client in clients[:3]]
    plan: dict[str, Any] = {
        Kind.CONTACTS: {"remote": {"update": 5}},
        Kind.COMPANIES: {"local": {"update": min(3, len(clients))}},
    }
    run = CrmSyncRun.objects.create(
        integration=integration,
        sync_type=CrmSyncRun.Type.MANUAL,
        is_dry=True,
        status=JobStatus.COMPLETED,
        total=LINKED,
        processed=LINKED,
        progress=100,
        contacts_updated=len(planned),
        contacts_skipped=LINKED - len(planned),
        sync_details={"plan": plan, "cost": {"requests": 2}},
        started_at=started,
        completed_at=started + timedelta(seconds=11),
    )
    CrmSyncRun.objects.filter(pk=run.pk).update(created_at=started)
    CrmSyncItem.objects.bulk_create(
        CrmSyncItem(
            run=run,
            kind=Kind.CONTACTS if contact else Kind.COMPANIES,
            contact=contact,
            client=client,
            remote_id=str(20_000_000 + number * 7),
            side=CrmSyncItem.Side.REMOTE if contact else CrmSyncItem.Side.LOCAL,
            action=CrmSyncItem.Action.UPDATE,
            outcome=CrmSyncItem.Outcome.PLANNED,
            fields=["city"],
            before={"city": "Springfield"},
            after={"city": (contact.city if contact else client.city if client else "") or "Albany"},
        )
        for number, (contact, client) in enumerate(planned)
    )


def history(draw: random.Random, integration: CrmIntegration, admin: Any) -> CrmSyncRun:
    """Make the syncs of the last hours; return the newest."""
    now = timezone.now()
    runs = []
    for number in range(SYNCS):
        started = now - timedelta(minutes=21 + 15 * number)
        is_first = number == SYNCS - 1
        added, updated = (LINKED, 0) if is_first else (draw.randint(0, 4), draw.randint(2, 30))
        skipped, errors = draw.randint(0, 9), len(QUARANTINED) if is_first else 0
        total = added + updated + skipped + errors
        runs.append(
            CrmSyncRun(
                integration=integration,
                sync_type=CrmSyncRun.Type.MANUAL if is_first else CrmSyncRun.Type.AUTO,
                is_full=is_first,
                status=JobStatus.COMPLETED,
                created_by_id=admin if is_first else None,
                total=total,
                processed=total,
                progress=100,
                contacts_added=added,
                contacts_updated=updated,
                contacts_skipped=skipped,
                error_count=errors,
                sync_details={"done": {Kind.CONTACTS: {"local": {"add": added, "update": updated}}}},
                created_at=started,
                started_at=started,
                completed_at=started + timedelta(seconds=draw.randint(9, 154)),
            )
        )
    CrmSyncRun.objects.bulk_create(runs)
    return runs[0]


def detail(
    draw: random.Random, integration: CrmIntegration, run: CrmSyncRun, contacts: list[Contact], links: list[CrmLink]
) -> None:
    """Show what the newest sync did, and leave two decisions open."""
    paired = list(zip(contacts, links, strict=False))
    items = []
    for contact, each in draw.sample(paired, SHOWN_ITEMS):
        side = draw.choice(CrmSyncItem.Side.values)
        items.append(
            CrmSyncItem(
                run=run,
                link=each,
                contact=contact,
                remote_id=each.remote_id,
                side=side,
                action=CrmSyncItem.Action.UPDATE,
                outcome=CrmSyncItem.Outcome.DONE,
                fields=["title"],
                before={"title": "Buyer"},
                after={"title": contact.title or "Head of Purchasing"},
            )
        )
    CrmSyncItem.objects.bulk_create(items)
    for contact, each in draw.sample(paired, 2):
        CrmConflict.objects.create(
            integration=integration,
            link=each,
            contact=contact,
            field="title",
            local_value=contact.title or None,
            remote_value="Managing Director",
        )
        CrmLink.objects.filter(pk=each.pk).update(has_conflict=True)
