"""What tests of Do-Not-Call share: small registries, lists and lists of contacts."""

import itertools
import tempfile
import uuid
import zipfile
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from django.db import connection

from contacts.models import Contact, ContactList, ContactListMembership
from dnc.models import Registry, RegistryArea, RegistryFile, RegistryLoad
from dnc.services.registry_generation import write_flat
from dnc.services.registry_loads import paths_of, run_load, start_load
from tests.factories import Person, unique
from vocelio.errors import VocelioError
from vocelio.organizations.scope import organization_scope

TODAY = datetime.now(UTC).date()
# Area codes, each used by one test: registries are shared by all tests of a process.
_codes = itertools.count(0)
CODES = ["201", "202", "203", "206", "207", "209", "210", "213", "215", "216", "217", "218", "219", "220",
         "224", "225", "228", "229", "231", "234", "239", "240", "248", "251", "252", "253", "254", "256", "260", "262",
         "267", "269", "272", "276", "281", "301", "302", "303", "304", "307", "309", "310", "312", "313", "314",
         "315", "316", "317", "318", "319", "320", "321", "323", "325", "330", "331", "334", "336", "337", "339", "346"]  # fmt: skip


def fresh_code() -> str:
    """Return an area code that no test of this process has used; what the demo loaded of it is forgotten."""
    return forget(CODES[next(_codes)])


def forget(code: str) -> str:
    """Leave nothing of an area code in the national registry."""
    first = int("1" + code) * 1000
    RegistryArea.objects.filter(registry_id=1, area="1" + code).delete()
    with connection.cursor() as cursor:
        for table in ("dnc_registry_blocks", "dnc_registry_changes"):
            cursor.execute(
                f"DELETE FROM {table} WHERE registry_id = 1 AND block BETWEEN %s AND %s", [first, first + 999]
            )
    return code


def days_ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def load(paths: list[Path], *, registry: str = "us-federal", **options: Any) -> RegistryLoad:
    """Load files by the real job and return it."""
    job = start_load(registry=Registry.objects.get(slug=registry), files=paths_of(paths), **options)
    with suppress(VocelioError):
        run_load(job)
    with organization_scope(job.organization_id):
        return RegistryLoad.objects.get(pk=job.pk)


def load_lines(code: str, lines: list[int], day: date = TODAY, **options: Any) -> RegistryLoad:
    """Load a full list of an area code."""
    with tempfile.TemporaryDirectory() as folder:
        write_flat(Path(folder), code, np.array(sorted(lines)), day, uuid.uuid4().hex)
        return load([Path(folder)], **options)


def journal(job: RegistryLoad) -> list[tuple[str, str]]:
    return list(RegistryFile.objects.filter(load_id=job.pk).order_by("id").values_list("status", "reason_code"))


def zipped(path: Path, member: str, content: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, content)
    return path


def subscribe(person: Person, *codes: str, registry: str = "us-federal", **fields: Any) -> dict[str, Any]:
    """Give the organization a subscription."""
    body = {"registry": registry, "san": unique("SAN"), "areaCodes": list(codes), "validFrom": str(days_ago(400))}
    answer = person.post("/v1/dnc/entitlements", body | fields)
    assert answer.status == 201, answer
    return dict(answer.data)


def check(person: Person, *numbers: str, **fields: Any) -> list[dict[str, Any]]:
    answer = person.post("/v1/dnc/check", {"phoneNumbers": list(numbers), **fields})
    assert answer.status == 200, answer
    return list(answer.data)


def company_list(person: Person, **fields: Any) -> str:
    answer = person.post("/v1/dnc-lists", {"name": unique("list"), "type": "company"} | fields)
    assert answer.status == 201, answer
    return str(answer.data["id"])


def list_of(person: Person, phones: list[str | None]) -> ContactList:
    """Make contacts of these numbers and a list of them."""
    with organization_scope(person.organization.id):
        chosen = ContactList.objects.create(name=unique("callees"))
        contacts = Contact.objects.bulk_create(
            Contact(phone=phone, email="" if phone else f"{unique('c')}@example.test", organization=person.organization)
            for phone in phones
        )
        ContactListMembership.objects.bulk_create(
            ContactListMembership(contact=contact, list=chosen, organization=person.organization)
            for contact in contacts
        )
    return chosen


def members(person: Person, list_id: Any) -> set[str]:
    with organization_scope(person.organization.id):
        rows = ContactListMembership.objects.filter(list_id=list_id, contact__deleted_at__isnull=True)
        return set(rows.values_list("contact__phone", flat=True))
