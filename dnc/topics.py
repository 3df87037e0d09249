"""What sockets may follow of Do-Not-Call work."""

import uuid

from dnc.models import ListUpload, RegistryLoad, Scrub
from vocelio.realtime.topics import Topic, register
from vocelio.realtime.viewers import Viewer


def scrub_exists(viewer: Viewer, job_id: uuid.UUID) -> bool:
    return bool(Scrub.objects.filter(pk=job_id).exists())


def upload_exists(viewer: Viewer, job_id: uuid.UUID) -> bool:
    return bool(ListUpload.objects.filter(pk=job_id).exists())


def load_exists(viewer: Viewer, job_id: uuid.UUID) -> bool:
    return bool(RegistryLoad.objects.filter(pk=job_id).exists())


register(Topic("scrub_progress", permission="dnc:manage", key="scrubJobId", exists=scrub_exists))
register(Topic("dnc_upload_progress", permission="dnc:manage", key="jobId", exists=upload_exists))
register(Topic("registry_load_progress", permission="dnc:manage", key="jobId", exists=load_exists))
register(Topic("dnc_lists", permission="dnc:manage"))
