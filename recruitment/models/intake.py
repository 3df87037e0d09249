"""CVs taken in, what was read in them, and applications that strangers sent."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from contacts.models import Contact
from recruitment.models.jobs import JobOpening
from recruitment.models.profiles import CandidateProfile
from vocelio.db.fields import TenantForeignKey
from vocelio.jobs.models import Job
from vocelio.organizations.models import TenantModel, TenantRow


class CvBatch(Job):
    """A zip of CVs being taken in, file by file."""

    task = "recruitment.tasks.run_cv_batch"
    noun = "cv_batch"

    filename = models.CharField(max_length=255)
    file = models.CharField(max_length=500, help_text="Where the storage keeps it.")
    parsed = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)

    class Meta(Job.Meta):
        db_table = "cv_batches"
        verbose_name = "batch of CVs"
        verbose_name_plural = "batches of CVs"

    def audit_counts(self) -> dict[str, int]:
        return {"processed": self.processed, "parsed": self.parsed, "refused": self.refused}


class CvStatus(models.TextChoices):
    PARSED = "parsed", "To be looked at"
    REFUSED = "refused", "Refused"
    ACCEPTED = "accepted", "Accepted"


class Cv(TenantModel):
    """A CV and what was read in it: `proposals` holds {field: {value, confidence}}, which a person accepts.

    `contact` is whom it seems to be of. Accepted, the file belongs to the candidate and `file` is empty here.
    """

    batch = TenantForeignKey(CvBatch, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    # Its place in the batch, by which a batch taken up again adds nothing twice.
    place = models.PositiveIntegerField(default=0, editable=False)
    filename = models.CharField(max_length=255)
    kind = models.CharField(max_length=10, blank=True, default="")
    size = models.PositiveIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    file = models.CharField(max_length=500, blank=True, default="")
    status = models.CharField(max_length=10, choices=CvStatus, default=CvStatus.PARSED)
    error_code = models.CharField(max_length=60, blank=True, default="")
    error_message = models.CharField(max_length=300, blank=True, default="")
    text = models.TextField(blank=True, default="")
    proposals = models.JSONField(default=dict)
    contact = TenantForeignKey(Contact, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    profile = TenantForeignKey(CandidateProfile, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )

    class Meta:
        db_table = "cvs"
        verbose_name = "CV"
        verbose_name_plural = "CVs"
        constraints = [
            models.CheckConstraint(condition=Q(status__in=CvStatus.values), name="cv_status_known"),
            models.UniqueConstraint(
                fields=["organization", "batch", "place"], condition=Q(batch__isnull=False), name="once_in_a_batch"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="cvs_newest"),
            models.Index(fields=["organization", "profile"], name="cvs_of_profile", condition=Q(profile__isnull=False)),
            models.Index(fields=["organization", "contact"], name="cvs_of_contact", condition=Q(contact__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.filename


class SentApplication(TenantRow):
    """What a stranger sent by the careers page, until it is taken in and deleted a moment later.

    Whether the person is known is found out then, not while they wait for the answer.
    """

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    job = TenantForeignKey(JobOpening, on_delete=models.CASCADE, related_name="+", db_index=False)
    values = models.JSONField(default=dict)
    consent_text = models.TextField()
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=300, blank=True)
    filename = models.CharField(max_length=255, blank=True, default="")
    kind = models.CharField(max_length=10, blank=True, default="")
    size = models.PositiveIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    file = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        db_table = "sent_applications"

    def __str__(self) -> str:
        return str(self.pk)
