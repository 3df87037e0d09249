"""Listens to what the apps below announce: what changed gets new vectors."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.dispatch import receiver

from ai_matching.models import SubjectKind
from ai_matching.services.embeddings import mark_changed
from ai_matching.services.leads import score_contacts
from contacts.signals import contacts_changed
from recruitment.signals import jobs_changed
from sales.signals import activities_changed
from vocelio.organizations.scope import organization_scope

AT_ONCE = 20


@receiver(contacts_changed)
def mark_contacts(sender: Any, *, organization_id: uuid.UUID, contact_ids: Sequence[uuid.UUID], **kwargs: Any) -> None:
    mark_changed(organization_id, SubjectKind.CONTACT, contact_ids)


@receiver(activities_changed)
@receiver(contacts_changed)
def score_changed(sender: Any, *, organization_id: uuid.UUID, contact_ids: Sequence[uuid.UUID], **kwargs: Any) -> None:
    """Score single leads at once; many at once wait for the night."""
    if len(contact_ids) <= AT_ONCE:
        with organization_scope(organization_id):
            score_contacts(contact_ids)


@receiver(jobs_changed)
def mark_jobs(sender: Any, *, organization_id: uuid.UUID, job_ids: Sequence[uuid.UUID], **kwargs: Any) -> None:
    mark_changed(organization_id, SubjectKind.JOB, job_ids)
