"""The queue's door to the services of members."""

import uuid

from celery import shared_task

from vocelio.db.holds import outgoing
from vocelio.members.services import invitations, members
from vocelio.organizations.scope import organization_scope


@shared_task
@outgoing
def send_invitation(*, organization_id: str, job_id: str) -> None:
    with organization_scope(uuid.UUID(organization_id)):
        invitations.send_invitation(invitation_id=uuid.UUID(job_id))


@shared_task
@outgoing
def tell_second_factor_reset(*, organization_id: str, job_id: str) -> None:
    with organization_scope(uuid.UUID(organization_id)):
        members.tell_second_factor_reset(membership_id=uuid.UUID(job_id))
