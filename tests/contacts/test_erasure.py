"""Erasure: gone everywhere, suppressed still, and proven."""

import json
from typing import Any

from django.apps import apps
from django.db import connection

from contacts.models import Contact, Erasure
from contacts.services.erasures import identifier_hash
from contacts.signals import opted_out
from tests.contacts.uploads import upload
from tests.factories import Person, phone_number, run_jobs, unique
from vocelio.organizations.models import TenantRow
from vocelio.organizations.scope import organization_scope

# Kept on purpose: without them the person would be called again.
SUPPRESSIONS = {"dnc_entries", "dnc_email_opt_outs", "crm_opt_outs"}


def find_everywhere(person: Person, *texts: str) -> set[str]:
    """Return the tables of the organization in which any of the texts stands."""
    found = set()
    with organization_scope(person.organization.id), connection.cursor() as cursor:
        for model in apps.get_models():
            if issubclass(model, TenantRow) and model._meta.managed:
                table = model._meta.db_table
                cursor.execute(f"SELECT to_jsonb(each) FROM {table} AS each")
                rows = json.dumps([row for (row,) in cursor.fetchall()])
                if any(text in rows for text in texts):
                    found.add(table)
    return found


def test_a_person_is_gone_from_every_table_and_stays_suppressed(admin: Person, manager: Person):
    told: list[dict[str, Any]] = []

    def hear(sender: object, **facts: Any) -> None:
        told.append(facts)

    name, email, phone, other = unique("Ada"), f"{unique('ada')}@example.com", phone_number(), phone_number()
    fields = {"firstName": name, "email": email, "phone": phone, "tags": ["vip"]}
    made = admin.post("/v1/contacts", fields, **{"Idempotency-Key": unique("key")}).data
    path = f"/v1/contacts/{made['id']}"
    admin.patch(path, {"firstName": f"{name} B", "phone": other})
    twin = admin.post("/v1/contacts", {"firstName": name, "email": email}).data
    admin.get("/v1/contacts/duplicates")
    admin.post("/v1/contacts/merge", {"contactId": made["id"], "mergeIds": [twin["id"]]})
    upload(admin, f"name,phone,email\n{name},12,{email}\n".encode())
    run_jobs(admin.organization)
    texts = (name, email, phone, other)
    assert {"contacts", "contact_changes", "import_rejections", "events", "idempotency_keys"} <= find_everywhere(
        admin, *texts
    )
    assert manager.post(f"{path}/erase", {"confirm": True}).status == 403
    assert admin.post(f"{path}/erase", {"confirm": False}).status == 422
    opted_out.connect(hear)
    try:
        erased = admin.post(f"{path}/erase", {"confirm": True, "reason": "Asked in writing"})
    finally:
        opted_out.disconnect(hear)
    assert erased.status == 200, erased
    assert find_everywhere(admin, *texts) <= SUPPRESSIONS
    assert admin.get(path).status == 404
    assert (told[0]["phone_numbers"], told[0]["emails"]) == (sorted([phone, other]), [email])
    certificate = admin.get(f"/v1/erasures/{erased.data['id']}").data
    assert certificate["isVerified"] is True
    assert certificate["removed"]["contacts"] == 2
    with organization_scope(admin.organization.id):
        assert {identifier_hash(each) for each in (phone, other, email)} == set(certificate["identifiers"])
        assert Contact.objects.count() == 0
        assert Erasure.objects.count() == 1


def test_a_merge_taken_back_leaves_nothing_of_the_erased_with_the_other(admin: Person):
    email = f"{unique('bea')}@example.com"
    one = admin.post("/v1/contacts", {"phone": phone_number()}).data["id"]
    two = admin.post("/v1/contacts", {"email": email}).data["id"]
    admin.post("/v1/contacts/merge", {"contactId": one, "mergeIds": [two]})
    admin.post(f"/v1/contacts/{one}/unmerge")
    assert "contact_changes" in find_everywhere(admin, email)
    assert admin.post(f"/v1/contacts/{two}/erase", {"confirm": True}).status == 200
    assert find_everywhere(admin, email) <= SUPPRESSIONS
