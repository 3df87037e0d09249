"""The audit log: what was written or refused, by whom, from where. Rows are added and never changed."""

from django.db import models
from django.db.models.functions import Now

from vocelio.organizations.models import TenantRow


class AuditEntry(TenantRow):
    """One write or refusal: ids and field names rather than personal values, so erasure stays possible."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    user_id = models.UUIDField(null=True)
    action = models.CharField(max_length=60)
    resource = models.CharField(max_length=60)
    resource_id = models.CharField(max_length=60, blank=True)
    details = models.JSONField(default=dict)
    door = models.CharField(max_length=20)
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=300, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    # The transaction that wrote the row: a seal covers whole transactions, however long they took.
    transaction_id = models.BigIntegerField(db_default=models.Func(function="current_transaction_id"), editable=False)

    class Meta:
        db_table = "audit_log"
        verbose_name = "audit entry"
        verbose_name_plural = "audit log"
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="audit_log_newest"),
            models.Index(fields=["organization", "resource", "resource_id"], name="audit_log_resource"),
            models.Index(fields=["organization", "transaction_id"], name="audit_log_transaction"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.resource_id}"


class AuditSeal(TenantRow):
    """The hash of all entries of a range of transactions, chained to the seal before it."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    number = models.PositiveBigIntegerField()
    first_transaction = models.BigIntegerField()
    next_transaction = models.BigIntegerField()
    entries = models.PositiveIntegerField()
    previous_hash = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)

    class Meta:
        db_table = "audit_seals"
        constraints = [models.UniqueConstraint(fields=["organization", "number"], name="one_audit_seal_per_number")]

    def __str__(self) -> str:
        return f"seal {self.number}"


class AuditArchive(TenantRow):
    """A file that holds the entries of a range of seals, which are no longer in the log itself."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    until = models.DateTimeField()
    first_seal = models.PositiveBigIntegerField()
    last_seal = models.PositiveBigIntegerField()
    entries = models.PositiveBigIntegerField()
    file = models.CharField(max_length=200)
    sha256 = models.BinaryField(max_length=32)

    class Meta:
        db_table = "audit_archives"
        constraints = [
            models.UniqueConstraint(fields=["organization", "first_seal"], name="one_audit_archive_per_seal"),
            models.CheckConstraint(
                condition=models.Q(last_seal__gte=models.F("first_seal")), name="audit_archive_of_seals"
            ),
        ]

    def __str__(self) -> str:
        return self.file
