"""What sales is asked."""

import uuid
from dataclasses import dataclass
from typing import Any

from vocelio.reports import shapes


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
