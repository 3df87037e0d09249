"""What tests of imports share."""

import csv
import io
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from contacts.models import Contact
from tests.factories import Answer, Person, run_jobs
from vocelio.organizations.scope import organization_scope


def upload(person: Person, content: str | bytes, name: str = "contacts.csv", **fields: Any) -> Answer:
    """Send a file the way a browser's form does."""
    content = content.encode() if isinstance(content, str) else content
    return person.post("/v1/uploads/contacts", {"file": SimpleUploadedFile(name, content), **fields})


def import_file(person: Person, content: str | bytes, name: str = "contacts.csv", **fields: Any) -> Any:
    """Upload a file, let the job run, return what its address answers then."""
    answer = upload(person, content, name, **fields)
    assert answer.status == 202, answer
    run_jobs(person.organization)
    return person.get(f"/v1/uploads/contacts/{answer.data['jobId']}").data


def contacts_of(person: Person) -> list[Contact]:
    """Return the organization's contacts in the order they were made."""
    with organization_scope(person.organization.id):
        return list(Contact.objects.alive().order_by("id"))


def rejected_rows(person: Person, job_id: str) -> list[list[str]]:
    """Download the rejected rows of an import."""
    answer = person.get(f"/v1/uploads/contacts/{job_id}/rejected")
    assert answer.status == 200, answer
    text = b"".join(answer.response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))
