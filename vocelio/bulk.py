"""What became of each of many records."""

import uuid
from dataclasses import dataclass, field
from typing import Any


@dataclass
class BulkResult:
    """Ids that succeeded, {<key>, error, code} of the others, and what to undo; `key` is the id's API name."""

    key: str
    successful: list[uuid.UUID] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    undo_id: uuid.UUID | None = None

    def fail(self, row_id: uuid.UUID, code: str, error: str, **details: Any) -> None:
        self.errors.append({self.key: str(row_id), "error": error, "code": code, **details})

    def answer(self) -> dict[str, Any]:
        """Return the result as the API shows it."""
        return {
            "message": "Bulk operation completed",
            "processed": len(self.successful) + len(self.errors),
            "successful": len(self.successful),
            "failed": len(self.errors),
            "errors": self.errors,
            "undoId": self.undo_id,
        }
