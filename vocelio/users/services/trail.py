"""Audit of what concerns a person rather than one organization."""

import uuid
from typing import Any

from django.db import transaction

from vocelio.audit.services import record
from vocelio.organizations.models import Membership
from vocelio.organizations.scope import organization_scope


def record_everywhere(action: str, *, user_id: uuid.UUID, **details: Any) -> None:
    """Add the entry, whose resource is the person, to each organization they belong to, in one transaction."""
    # Of a disabled person too: that somebody tries their password is worth knowing.
    mine = Membership.objects.filter(user_id=user_id, is_active=True, organization__is_active=True)
    with transaction.atomic():
        for organization_id in mine.values_list("organization_id", flat=True):
            with organization_scope(organization_id):
                record(action, "user", user_id, **details)
