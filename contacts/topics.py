"""What sockets may follow of contacts and their imports."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from contacts.models import BulkJob, ContactExport, ContactImport, DuplicateScan, ImportPreview, ImportUndo
from vocelio.jobs.models import Job
from vocelio.realtime.topics import Topic, register
from vocelio.realtime.viewers import Viewer


def on_list(filters: Mapping[str, str], data: Mapping[str, Any]) -> bool:
    return "listId" not in filters or filters["listId"] in data.get("listIds", ())


def job_exists(kind: type[Job]) -> Callable[[Viewer, uuid.UUID], bool]:
    def exists(viewer: Viewer, job_id: uuid.UUID) -> bool:
        return bool(kind.objects.get_queryset().visible_to(viewer.principal).filter(pk=job_id).exists())

    return exists


register(Topic("contacts", permission="contacts:read", owned=True, filters=("listId",), matches=on_list))
for kind, permission in (
    (ContactImport, "contacts:import"),
    (ImportPreview, "contacts:import"),
    (ImportUndo, "contacts:import"),
    (ContactExport, "contacts:export"),
    (DuplicateScan, "contacts:bulk"),
    (BulkJob, "contacts:bulk"),
):
    register(Topic(f"{kind.noun}_progress", permission=permission, key="jobId", exists=job_exists(kind)))
register(Topic("clients", permission="clients:read", owned=True))
