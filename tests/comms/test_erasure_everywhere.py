"""docs/data-map.md says what is erased with a person; this looks for the person in every table of the database."""

from typing import Any

import psycopg
from django.conf import settings
from psycopg import sql

from tests.comms.conftest import Desk
from tests.factories import Person, phone_number, unique
from tests.recruitment.hiring import make_job
from vocelio.webhooks.services.fan_out import fan_out

# Kept on purpose, as the map says: what an objection needs to be honoured.
KEPT = {"dnc_entries", "dnc_email_opt_outs", "crm_opt_outs"}


def tables_with(*texts: str) -> set[str]:
    """Return every table, of whatever kind, in any column of which one of the texts stands."""
    found = set()
    with psycopg.connect(settings.DATABASE_OWNER_URL) as owner:
        tables = owner.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
            " AND relnamespace = 'public'::regnamespace"
        ).fetchall()
        for (table,) in tables:
            query = sql.SQL("SELECT EXISTS (SELECT FROM {} AS each WHERE lower(each::text) LIKE ANY (%s))")
            (there,) = owner.execute(  # type: ignore[misc]
                query.format(sql.Identifier(table)), [[f"%{text.lower()}%" for text in texts]]
            ).fetchone()
            if there:
                found.add(table)
    return found


def test_nothing_of_an_erased_person_is_left_in_any_table(desk: Desk, manager: Person) -> None:
    person, mark = desk.person, unique("Zyx").replace("-", "")
    email, phone = f"{mark}@example.com", phone_number()

    def post(path: str, body: Any, status: int = 201) -> Any:
        answer = person.post(path, body, **{"Idempotency-Key": unique("key")})
        assert answer.status == status, (path, answer)
        return answer.data

    post("/v1/webhook-endpoints", {"url": "https://hooks.example.com/in", "events": ["*"]})
    post("/v1/contact-fields", {"key": "hobby", "label": "Hobby", "type": "text"})
    contact = post(
        "/v1/contacts",
        {
            **{name: f"{mark} {name}" for name in ("firstName", "lastName", "company", "title", "address", "notes")},
            "email": email,
            "phone": phone,
            "privateNotes": mark,
            "tags": [mark],
            "customFields": {"hobby": mark},
        },
    )
    own = {"contactId": contact["id"]}
    path = f"/v1/contacts/{contact['id']}"
    assert person.patch(path, {"lastName": f"{mark} changed", "assignedTo": str(person.user.pk)}).status == 200
    post(f"{path}/candidate-profile", {"headline": mark, "summary": mark, "skills": [{"name": mark}]})
    post(f"{path}/sales-profile", {"leadStatus": "qualified", "notes": mark})
    post(f"{path}/candidate-consents", {"text": f"Given by {mark}"})
    post("/v1/sales-activities", {"kind": "call", "subject": f"Ask {mark}", "notes": mark, **own})
    client = post("/v1/clients", {"name": unique("client")})
    post(f"/v1/clients/{client['id']}/contacts", {**own, "title": mark})
    deal = post("/v1/deals", {"name": unique("deal"), "clientId": client["id"], "contacts": [own]})
    # For a colleague, who is told.
    task = {"kind": "task", "subject": f"Thank {mark}", "notes": mark, "assignedTo": str(manager.user.pk)}
    post("/v1/sales-activities", {**task, **own, "dealId": deal["id"]})
    job = make_job(person)
    post("/v1/applications", {"jobId": job["id"], **own, "coverNote": mark, "tags": [mark], "outcomeNote": mark})
    hotlist = post("/v1/hotlists", {"name": unique("hotlist")})
    post(f"/v1/hotlists/{hotlist['id']}/candidates", {**own, "note": mark})
    desk.write(contact, subject=f"To {mark}", bodyText=f"Dear {mark}")
    desk.send()
    twin = post("/v1/contacts", {"firstName": mark, "email": email})
    post("/v1/contacts/duplicates/scans", {}, 202)
    post("/v1/contacts/export", {"format": "csv", "filter": {"search": phone}}, 202)
    desk.jobs()
    post("/v1/contacts/merge", {"contactId": contact["id"], "mergeIds": [twin["id"]]}, 200)
    fan_out(person.organization.id)
    there = tables_with(mark, phone, phone[-10:])
    assert {"events", "export_jobs", "idempotency_keys", "notifications", "sales_activities", "communications"} < there
    post(f"{path}/erase", {"confirm": True}, 200)
    assert tables_with(mark, phone, phone[-10:]) <= KEPT
