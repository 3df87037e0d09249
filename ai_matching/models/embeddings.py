"""Vectors of jobs, candidates and contacts, and the runs that make them."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now
from pgvector.django import HalfVectorField, HnswIndex

from ai_matching.embedders import WIDTH
from contacts.models import Contact
from recruitment.models import CandidateProfile, JobOpening
from vocelio.db.fields import TenantForeignKey
from vocelio.jobs.models import Job
from vocelio.organizations.models import TenantRow


class SubjectKind(models.TextChoices):
    JOB = "job", "Job"
    CANDIDATE = "candidate", "Candidate"
    CONTACT = "contact", "Contact"


class Part(models.TextChoices):
    TITLE = "title", "Title"
    BODY = "body", "Body"


class Embedding(TenantRow):
    """The vector of one part of one subject by one model; it goes with its subject.

    Of unit length, filled up with zeros to 1,536 numbers. `text_hash` says of which text it is, so that the same text
    is never embedded twice. The column is stored PLAIN, in the row itself (migration 0001).
    """

    embedded_at = models.DateTimeField(db_default=Now())
    kind = models.CharField(max_length=10, choices=SubjectKind)
    part = models.CharField(max_length=5, choices=Part)
    job = TenantForeignKey(JobOpening, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    profile = TenantForeignKey(CandidateProfile, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    contact = TenantForeignKey(Contact, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    subject_id = models.GeneratedField(
        expression=Coalesce(F("job_id"), F("profile_id"), F("contact_id")),
        output_field=models.UUIDField(),
        db_persist=True,
    )
    provider = models.CharField(max_length=30)
    model = models.CharField(max_length=60)
    version = models.CharField(max_length=20)
    dimensions = models.PositiveSmallIntegerField()
    text_hash = models.CharField(max_length=64)
    vector = HalfVectorField(dimensions=WIDTH)

    class Meta:
        db_table = "embeddings"
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="job", job__isnull=False, profile__isnull=True, contact__isnull=True)
                | Q(kind="candidate", job__isnull=True, profile__isnull=False, contact__isnull=True)
                | Q(kind="contact", job__isnull=True, profile__isnull=True, contact__isnull=False),
                name="embedding_of_one_subject",
            ),
            models.CheckConstraint(condition=Q(part__in=Part.values), name="embedding_part_known"),
            models.CheckConstraint(
                condition=Q(dimensions__gte=1, dimensions__lte=WIDTH), name="embedding_dimensions_fit"
            ),
            models.UniqueConstraint(
                fields=["organization", "kind", "provider", "model", "part", "subject_id"],
                name="one_embedding_per_part",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "provider", "model", "text_hash"], name="embeddings_by_text"),
            models.Index(fields=["organization", "job"], name="embeddings_of_job", condition=Q(job__isnull=False)),
            models.Index(
                fields=["organization", "profile"], name="embeddings_of_candidate", condition=Q(profile__isnull=False)
            ),
            models.Index(
                fields=["organization", "contact"], name="embeddings_of_contact", condition=Q(contact__isnull=False)
            ),
            # One for each kind and part: a search would else pass over the vectors of all the others.
            *(
                HnswIndex(
                    name=f"{kind}_{part}_nearest",
                    fields=["vector"],
                    opclasses=["halfvec_ip_ops"],
                    condition=Q(kind=kind, part=part),
                )
                for kind in ("job", "candidate", "contact")
                for part in ("title", "body")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id} ({self.part})"


class EmbeddingMark(TenantRow):
    """A job or contact that changed and is to be looked at by the next run. Contacts bring their candidates along."""

    marked_at = models.DateTimeField(db_default=Now(), editable=False)
    kind = models.CharField(max_length=10, choices=SubjectKind)
    subject_id = models.UUIDField()

    class Meta:
        db_table = "embedding_marks"
        constraints = [
            models.UniqueConstraint(fields=["organization", "kind", "subject_id"], name="one_embedding_mark"),
            models.CheckConstraint(condition=Q(kind__in=["job", "contact"]), name="embedding_mark_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_id}"


class EmbeddingRun(Job):
    """One run over jobs, candidates and contacts: those named, or all there are."""

    task: ClassVar[str] = "ai_matching.tasks.run_embeddings"
    noun: ClassVar[str] = "embedding_run"

    kinds = ArrayField(models.CharField(max_length=10, choices=SubjectKind))
    subject_ids = ArrayField(
        models.UUIDField(), null=True, help_text="Of the one kind that is named; all there are when it is null."
    )
    provider = models.CharField(max_length=30)
    model = models.CharField(max_length=60)
    embedded = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    reused = models.PositiveIntegerField(default=0, help_text="Texts that another subject has word for word.")
    empty = models.PositiveIntegerField(default=0, help_text="Subjects that say nothing.")

    class Meta(Job.Meta):
        db_table = "embedding_runs"

    def audit_counts(self) -> dict[str, int]:
        return {
            "processed": self.processed,
            "embedded": self.embedded,
            "unchanged": self.unchanged,
            "reused": self.reused,
            "empty": self.empty,
        }
