"""Where a run reads from, and how far the cursors may move once it has."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from crm_sync.models import CrmCursor, CrmSyncRun
from crm_sync.providers.values import Kind
from crm_sync.services import marks


def first_checkpoint(run: CrmSyncRun, kind: Kind, overlap: float) -> dict[str, Any]:
    """Return what a run reads from and up to, fixed once for all its lives."""
    stored = dict(
        CrmCursor.objects.filter(integration_id=run.integration_id, kind=kind.value).values_list("stream", "since")
    )
    known = stored.get("changes")
    is_full = run.is_full or (known is None and run.date_from is None)
    since = None if is_full else run.date_from or known
    return {
        "isFull": is_full,
        # Whether what lies before is known: else the cursor must not move past it.
        "isWhole": is_full or (known is not None and (since is None or since <= known)),
        "since": _less(since, overlap if run.date_from is None else 0),
        "goneSince": _less(stored.get("gone") or known, overlap),
        "localSince": None if run.is_full else _iso(run.date_from or stored.get("local")),
        "idsAt": _iso(stored.get("ids")),
        "watermark": marks.watermark().isoformat(),
        "startedAt": timezone.now().isoformat(),
    }


def time_of(run: CrmSyncRun, name: str) -> datetime | None:
    """Return a time of the run's checkpoint."""
    value = run.checkpoint.get(name)
    return datetime.fromisoformat(value) if value else None


def move_cursors(run: CrmSyncRun, kind: Kind, *, tells_gone: bool) -> None:
    """Move the cursors past what the run has read; part of the step that ends it."""
    if run.sync_type == CrmSyncRun.Type.WEBHOOK:
        return
    checkpoint = run.checkpoint
    started = time_of(run, "startedAt") or timezone.now()
    newest = time_of(run, "newest")
    if checkpoint["isWhole"] and (newest is not None or checkpoint["isFull"]):
        # Never past the beginning of the run: what changed while pages were read may be on none of them.
        # A clock ahead of ours thereby is held back too.
        _move(run, kind, "changes", min(newest or started, started))
    if tells_gone and not checkpoint.get("mustCompareIds"):
        _move(run, kind, "gone", started)
    if checkpoint["isFull"] or checkpoint.get("comparedIds"):
        _move(run, kind, "ids", started)
        _move(run, kind, "gone", started)
    watermark = time_of(run, "watermark")
    if watermark is not None and run.date_from is None:
        _move(run, kind, "local", watermark)


def _move(run: CrmSyncRun, kind: Kind, stream: str, since: datetime) -> None:
    CrmCursor.objects.update_or_create(
        integration_id=run.integration_id, kind=kind.value, stream=stream, defaults={"since": since}
    )


def _less(moment: datetime | None, seconds: float) -> str | None:
    return _iso(moment - timedelta(seconds=seconds)) if moment else None


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
