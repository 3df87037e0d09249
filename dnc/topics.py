"""What sockets may follow of Do-Not-Call work."""

import uuid

from dnc.models import ListUpload, RegistryLoad, Scrub
from vocelio.jobs.shapes import progress
from vocelio.realtime.shapes import FREE, ID, NUMBER, OPTIONAL_ID, TEXT, shape
from vocelio.realtime.topics import Topic, register
from vocelio.realtime.viewers import Viewer


def scrub_exists(viewer: Viewer, job_id: uuid.UUID) -> bool:
    return bool(Scrub.objects.filter(pk=job_id).exists())


def upload_exists(viewer: Viewer, job_id: uuid.UUID) -> bool:
    return bool(ListUpload.objects.filter(pk=job_id).exists())


def load_exists(viewer: Viewer, job_id: uuid.UUID) -> bool:
    return bool(RegistryLoad.objects.filter(pk=job_id).exists())


register(
    Topic(
        "scrub_progress",
        "A scrub as it goes on, its result, and what follows when lists change.",
        permission="dnc:manage",
        key="scrubJobId",
        exists=scrub_exists,
        events={
            "scrub_progress": progress(scrubJobId=ID, results=FREE),
            "scrub_completed": shape(scrubJobId=ID, results=FREE, certificateId=OPTIONAL_ID),
            "scrub_changed": shape(scrubJobId=ID, followedBy=ID),
        },
    )
)
register(
    Topic(
        "dnc_upload_progress",
        "An upload of numbers as it is loaded.",
        permission="dnc:manage",
        key="jobId",
        exists=upload_exists,
        events={"dnc_upload_progress": progress(listId=ID, results=FREE)},
    )
)
register(
    Topic(
        "registry_load_progress",
        "A file of a registry as it is loaded.",
        permission="dnc:manage",
        key="jobId",
        exists=load_exists,
        events={"registry_load_progress": progress(results=FREE)},
    )
)
register(
    Topic(
        "dnc_lists",
        "Do-Not-Call lists whose entries change, and people who said no.",
        permission="dnc:manage",
        events={
            "dnc_list_changed": shape(listId=ID),
            "opted_out": shape(channel=TEXT, source=TEXT, numbers=NUMBER, emails=NUMBER),
        },
    )
)
