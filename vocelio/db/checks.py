"""System checks run at every start of web, worker and beat."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from vocelio.db.roles import inspect_role


@register(Tags.database)
def role_cannot_bypass_policies(databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse to serve as a role that row-level security does not bind."""
    if not databases or settings.AS_OWNER:
        return []
    report = inspect_role()
    return [
        Error(
            f"The database role {report.role!r} could bypass row-level security: {reason}.",
            hint="Point DATABASE_URL at a role that is neither superuser nor owner; bin/up makes one.",
            id="vocelio.E001",
        )
        for reason in report.reasons
    ]


def refuse_unsafe_role() -> None:
    """Raise SystemExit when the connected role could bypass the policies; web and workers call it as they start."""
    report = inspect_role()
    if report.reasons:
        raise SystemExit(
            f"Refusing to start: the database role {report.role!r} could bypass row-level security: {'; '.join(report.reasons)}."
        )
