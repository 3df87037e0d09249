"""What sockets may follow of contacts and their imports."""

import uuid
from collections.abc import Mapping
from typing import Any

from contacts.models import ContactImport
from vocelio.realtime.topics import Topic, register
from vocelio.realtime.viewers import Viewer


def on_list(filters: Mapping[str, str], data: Mapping[str, Any]) -> bool:
    return "listId" not in filters or filters["listId"] in data.get("listIds", ())


def import_exists(viewer: Viewer, job_id: uuid.UUID) -> bool:
    return ContactImport.objects.get_queryset().visible_to(viewer.principal).filter(pk=job_id).exists()


register(Topic("contacts", permission="contacts:read", owned=True, filters=("listId",), matches=on_list))
register(Topic("import_progress", permission="contacts:import", key="jobId", exists=import_exists))
