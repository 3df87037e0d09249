"""The demo's registry and opt-outs: numbers kept for fiction only, so that nobody real is listed."""

import random
import tempfile
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from contacts.models import Contact, ContactList
from dnc.models import Entitlement, Registry
from dnc.rules import areas_of
from dnc.services.certificates import check_numbers
from dnc.services.entitlements import create_entitlement
from dnc.services.entries import add_opt_outs
from dnc.services.facts_store import grant_permission
from dnc.services.registry_loads import paths_of, run_load, start_load
from dnc.services.scrubs import run_scrub, start_scrub
from vocelio.audit.context import Actor, acting
from vocelio.errors import VocelioError
from vocelio.jobs.services import JobNotClaimed
from vocelio.organizations.models import Membership, Organization, Role
from vocelio.organizations.scope import organization_scope

# 555-0100 to 555-0199 of each area code are kept for fiction.
FICTIONAL = range(5550100, 5550200)
SHARE = 0.12
# The five area codes that the FTC gives for nothing.
FREE_CODES = ["212", "312", "415", "614", "617"]
SCRUBBED = {"acme": ["Healthcare decision makers", "West Coast"], "globex": ["Midwest"]}


def load(organization: Organization) -> None:
    """Fill the organization, unless it has a subscription already."""
    with organization_scope(organization.pk):
        if organization.slug not in SCRUBBED or Entitlement.objects.exists():
            return
    load_registry()
    manager = Membership.objects.filter(organization=organization, role__in=[Role.MANAGER, Role.ADMIN])
    user_id = manager.order_by("-role").values_list("user_id", flat=True)[0]
    draw = random.Random(f"dnc {organization.slug}")  # noqa: S311 - repeatable on purpose
    with acting(Actor(user_id=user_id, door="demo")):
        with organization_scope(organization.pk):
            create_entitlement(
                registry=Registry.objects.get(slug="us-federal"),
                san=f"DEMO-{organization.slug.upper()}",
                area_codes=[] if organization.slug == "acme" else FREE_CODES,
                valid_from=datetime.now(UTC).date() - timedelta(days=90),
                valid_to=datetime.now(UTC).date() + timedelta(days=275),
            )
            phones = list(Contact.objects.alive().filter(phone__isnull=False).values_list("phone", flat=True)[:2000])
            chosen = draw.sample(phones, 60)
            add_opt_outs(phone_numbers=chosen[:40], source="Phone call", reason="Asked not to be called")
            add_opt_outs(phone_numbers=chosen[40:50], channel="sms", source="Text message", reason="STOP")
            for phone in chosen[50:]:
                grant_permission(
                    phone_number=phone,
                    kind="consent",
                    occurred_on=datetime.now(UTC).date() - timedelta(days=draw.randint(5, 300)),
                    reference="Web form of the demo",
                )
            check_numbers(draw.sample(phones, 25))
            lists = ContactList.objects.filter(name__in=SCRUBBED[organization.slug])
            scrubs = [start_scrub(contact_list_ids=[each.pk], clean_list_name=f"{each.name}, clean") for each in lists]
        for scrub in scrubs:
            # A worker that is already running may have been quicker.
            with suppress(JobNotClaimed):
                run_scrub(scrub)


def load_registry() -> None:
    """Load a small national registry by the real job, unless one is there."""
    registry = Registry.objects.get(slug="us-federal")
    if registry.number_count:
        return
    draw = random.Random("registry")  # noqa: S311 - repeatable on purpose
    day = datetime.now(UTC).date() - timedelta(days=3)
    parts = ["<list type='full' level='all' val=''>"]
    for area in areas_of("US"):
        lines = sorted(draw.sample(FICTIONAL, int(len(FICTIONAL) * SHARE)))
        parts.append(f"<ac val='{area.area[1:]}'>")
        parts += [f"<ph val='{line:07d}' />" for line in lines]
        parts.append("</ac>")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "registry.xml").write_text("\n".join([*parts, "</list>"]))
        job = start_load(registry=registry, files=paths_of([Path(folder)]), version_date=day)
        with suppress(JobNotClaimed, VocelioError):
            run_load(job)
