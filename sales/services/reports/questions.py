"""What sales is asked."""

import datetime
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from contacts.reports import shapes
from contacts.reports.shapes import Report, days_asked
from vocelio.access.principal import Principal


@dataclass(frozen=True)
class Question(shapes.Question):
    """What is asked, of which pipeline and owner."""

    pipeline_id: uuid.UUID | None = None
    owner_id: uuid.UUID | None = None

    def narrow(self, rows: Any, *, pipeline: str = "pipeline_id") -> Any:
        """Keep what the caller may see, of the pipeline and owner asked for."""
        rows = rows.visible_to(self.principal)
        if self.pipeline_id and pipeline:
            rows = rows.filter(**{pipeline: self.pipeline_id})
        return rows.filter(assigned_to_id=self.owner_id) if self.owner_id else rows


ReportKind = Callable[[Question], Report]


def question(
    *,
    principal: Principal,
    first: datetime.date | None,
    last: datetime.date | None,
    pipeline_id: uuid.UUID | None,
    owner_id: uuid.UUID | None,
) -> Question:
    """Return what was asked, the last 90 days unless said otherwise; raise Invalid for days that make no sense."""
    return Question(principal, *days_asked(first, last), pipeline_id, owner_id)
