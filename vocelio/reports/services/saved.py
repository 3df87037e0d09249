"""Keep the reports that people save."""

from typing import Any

from django.db import IntegrityError, transaction

from vocelio.access.principal import Principal
from vocelio.audit.services import record
from vocelio.errors import Conflict, Forbidden
from vocelio.reports.models import SavedReport
from vocelio.reports.services.questions import read_question


class ReportExists(Conflict):
    code = "REPORT_EXISTS"
    message = "You already have a report of this name."


def create_report(*, principal: Principal, **fields: Any) -> SavedReport:
    """Save a report for the caller; raise ReportExists when they have one of the name."""
    report = SavedReport(owner_id=principal.user_id)
    _set(report, fields, principal)
    _save(report, force_insert=True)
    report.refresh_from_db()
    record("report.created", "savedreport", report.pk, metrics=report.definition["metrics"])
    return report


def update_report(report: SavedReport, *, principal: Principal, **fields: Any) -> SavedReport:
    """Change a report: one's own, or a shared one with `reports:share`."""
    check_may_change(report, principal)
    _set(report, fields, principal)
    if fields:
        _save(report, update_fields=list(fields))
    report.refresh_from_db()
    record("report.updated", "savedreport", report.pk, fields=sorted(fields))
    return report


def delete_report(report: SavedReport, *, principal: Principal) -> None:
    """Delete a report with its schedules and the tiles that show it."""
    check_may_change(report, principal)
    pk = report.pk
    report.delete()
    record("report.deleted", "savedreport", pk)


def check_may_change(kept: Any, principal: Principal) -> None:
    """Raise Forbidden unless it is the caller's own, or everybody's and they may share."""
    if kept.owner_id != principal.user_id and not (kept.owner_id is None or kept.is_shared):
        raise Forbidden("This belongs to somebody else; save your own.")
    if kept.owner_id != principal.user_id and not principal.may("reports:share"):
        raise Forbidden("This belongs to somebody else; save your own.")


def check_may_share(principal: Principal, *, is_shared: bool) -> None:
    if is_shared and not principal.may("reports:share"):
        raise Forbidden("Your role does not share with the organization.")


def _set(report: SavedReport, fields: dict[str, Any], principal: Principal) -> None:
    if "definition" in fields:
        read_question(fields["definition"], principal)
    check_may_share(principal, is_shared=bool(fields.get("is_shared")) and not report.is_shared)
    for name, value in fields.items():
        setattr(report, name, value)


def _save(report: SavedReport, **options: Any) -> None:
    try:
        with transaction.atomic():
            report.save(**options)
    except IntegrityError as error:
        if "one_report_per_name" not in str(error):
            raise
        raise ReportExists(field="name", value=report.name, constraint="unique") from None
