"""What became of each of many records."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class BulkResult:
    """Ids that succeeded, and {<key>, error, code} of the others; `key` is the id's API name."""

    key: str
    successful: list[uuid.UUID] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)

    def fail(self, row_id: uuid.UUID, code: str, error: str, **details: Any) -> None:
        self.errors.append({self.key: str(row_id), "error": error, "code": code, **details})

    def fail_each(self, row_ids: Iterable[uuid.UUID], code: str, error: str) -> None:
        """Say the same of several, in the order of their ids."""
        for row_id in sorted(row_ids):
            self.fail(row_id, code, error)

    def answer(self) -> dict[str, Any]:
        """Return the result as the API shows it."""
        return {
            "message": "Bulk operation completed",
            "processed": len(self.successful) + len(self.errors),
            "successful": len(self.successful),
            "failed": len(self.errors),
            "errors": self.errors,
        }


@dataclass
class UndoableResult(BulkResult):
    """With what takes the whole of it back, where it can be."""

    undo_id: uuid.UUID | None = None

    def answer(self) -> dict[str, Any]:
        return {**super().answer(), "undoId": self.undo_id}
