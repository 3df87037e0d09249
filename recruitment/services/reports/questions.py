"""What recruitment is asked."""

import uuid
from dataclasses import dataclass
from typing import Any

from recruitment.models import StageEvent
from vocelio.reports import shapes


@dataclass(frozen=True)
class Question(shapes.Question):
    """What is asked, of which job, client and recruiter."""

    job_id: uuid.UUID | None = None
    client_id: uuid.UUID | None = None
    owner_id: uuid.UUID | None = None

    def events(self) -> Any:
        """Return the changes of stage within the days that the caller may see."""
        return self.narrow(StageEvent.objects.filter(moved_at__gte=self.start, moved_at__lt=self.end), "client_id")

    def narrow(self, rows: Any, client: str) -> Any:
        """Keep what the caller may see, of the job, client and recruiter asked for."""
        rows = rows.visible_to(self.principal).order_by()
        if self.job_id:
            rows = rows.filter(job_id=self.job_id)
        if self.client_id:
            rows = rows.filter(**{client: self.client_id})
        return rows.filter(assigned_to_id=self.owner_id) if self.owner_id else rows
