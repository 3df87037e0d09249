"""What changed of deals, and for what reason."""

from django.db import models

from contacts.models.history import Recorded


class DealChange(Recorded):
    """One UPDATE of one deal, told of as a contact's is; what follows from the stage is not told."""

    deal_id = models.UUIDField()
    before = models.JSONField()
    after = models.JSONField()

    class Meta:
        db_table = "deal_changes"
        indexes = [
            models.Index(fields=["organization", "deal_id", "changed_at", "id"], name="deal_changes_of_deal"),
            models.Index(
                fields=["organization", "cause_id", "changed_at", "id"],
                name="deal_changes_of_cause",
                condition=models.Q(cause_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return ", ".join(sorted(self.before.keys() | self.after.keys()))
