"""What sockets may follow of contacts and their imports."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from contacts.models import BulkJob, ContactExport, ContactImport, DuplicateScan, ImportPreview, ImportUndo
from vocelio.jobs.models import Job
from vocelio.jobs.shapes import progress
from vocelio.realtime.shapes import FREE, ID, IDS, LIST, NUMBER, OPTIONAL_ID, TEXT, bulk, shape
from vocelio.realtime.topics import Topic, register
from vocelio.realtime.viewers import Viewer


def on_list(filters: Mapping[str, str], data: Mapping[str, Any]) -> bool:
    return "listId" not in filters or filters["listId"] in data.get("listIds", ())


def job_exists(kind: type[Job]) -> Callable[[Viewer, uuid.UUID], bool]:
    def exists(viewer: Viewer, job_id: uuid.UUID) -> bool:
        return bool(kind.objects.get_queryset().visible_to(viewer.principal).filter(pk=job_id).exists())

    return exists


CHANGED = shape(contactId=ID, changes=FREE, updatedBy=OPTIONAL_ID, listIds=IDS)
CLIENT = shape(clientId=ID, changes=FREE, updatedBy=OPTIONAL_ID)

register(
    Topic(
        "contacts",
        "Contacts as they are made, changed, merged and erased; of many at once one event.",
        permission="contacts:read",
        owned=True,
        filters=("listId",),
        matches=on_list,
        events={
            "contact_created": CHANGED,
            "contact_updated": CHANGED,
            "contact_deleted": CHANGED,
            "contact_erased": shape(contactId=ID, updatedBy=OPTIONAL_ID, listIds=IDS),
            "contacts_changed": bulk(listIds=IDS),
        },
    )
)
for kind, permission, shown in (
    (ContactImport, "contacts:import", progress(results=FREE, errors=LIST)),
    (ImportPreview, "contacts:import", progress(importId=ID, results=FREE)),
    (ImportUndo, "contacts:import", progress(importId=ID, results=FREE)),
    (ContactExport, "contacts:export", progress(rows=NUMBER, fileSize=NUMBER)),
    (DuplicateScan, "contacts:bulk", progress()),
    (BulkJob, "contacts:bulk", progress(action=TEXT, succeeded=NUMBER, failed=NUMBER)),
):
    name = f"{kind.noun}_progress"
    about = f"One {kind._meta.verbose_name} as it goes on."
    register(Topic(name, about, permission=permission, key="jobId", exists=job_exists(kind), events={name: shown}))
register(
    Topic(
        "clients",
        "Clients as they are made and changed.",
        permission="clients:read",
        owned=True,
        events={
            "client_created": CLIENT,
            "client_updated": CLIENT,
            "client_deleted": CLIENT,
            "clients_changed": bulk(),
        },
    )
)
