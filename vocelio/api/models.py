"""Answers kept for callers who repeat an unsafe request with the same Idempotency-Key."""

from django.db import models

from vocelio.organizations.models import TenantModel


class IdempotencyKey(TenantModel):
    """One key of one user, inserted in the transaction of the effect: a crash frees it, a twin waits for it."""

    user_id = models.UUIDField()
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = models.TextField(blank=True)

    class Meta:
        db_table = "idempotency_keys"
        constraints = [
            models.UniqueConstraint(fields=["organization", "user_id", "key"], name="one_answer_per_idempotency_key")
        ]
        indexes = [models.Index(fields=["organization", "created_at"], name="idempotency_keys_age")]

    def __str__(self) -> str:
        return self.key
