"""Sequences: messages that follow each other until somebody answers."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from comms.models.templates import CommunicationTemplate
from contacts.models import Contact
from vocelio.db.fields import TenantForeignKey
from vocelio.organizations.models import TenantModel, TenantRow


class Sequence(TenantModel):
    """Steps, each a template and how long to wait before it. A reply, an opt-out or a bounce ends it for a person."""

    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)
    in_window = models.BooleanField(default=True, help_text="Only within the recipient's local hours.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )

    class Meta:
        db_table = "message_sequences"
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="one_sequence_per_name")]
        indexes = [models.Index(fields=["organization", "-created_at", "-id"], name="sequences_newest")]

    def __str__(self) -> str:
        return self.name


class SequenceStep(TenantRow):
    """One message of a sequence."""

    sequence = TenantForeignKey(Sequence, on_delete=models.CASCADE, related_name="steps", db_index=False)
    position = models.PositiveSmallIntegerField()
    template = TenantForeignKey(CommunicationTemplate, on_delete=models.PROTECT, related_name="+", db_index=False)
    wait_hours = models.PositiveIntegerField(default=0, help_text="After the step before, or the beginning.")
    times = models.PositiveSmallIntegerField(
        default=1, help_text="How often it is sent, with the same wait between, until the person answers."
    )

    class Meta:
        db_table = "message_sequence_steps"
        constraints = [
            models.UniqueConstraint(fields=["organization", "sequence", "position"], name="one_step_per_position"),
            models.CheckConstraint(condition=Q(times__gte=1, times__lte=20), name="step_is_sent_at_least_once"),
        ]

    def __str__(self) -> str:
        return f"step {self.position}"


class Enrolment(TenantModel):
    """A person on the way through a sequence."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Under way"
        FINISHED = "finished", "Came to the end"
        STOPPED = "stopped", "Stopped"

    owner_field = "contact__assigned_to"

    sequence = TenantForeignKey(Sequence, on_delete=models.CASCADE, related_name="enrolments", db_index=False)
    contact = TenantForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    stopped_by = models.CharField(max_length=30, blank=True, default="", help_text="reply, opt_out, bounce or person.")
    position = models.PositiveSmallIntegerField(
        default=0, help_text="Of the next message; a step that is sent twice counts as two."
    )
    next_at = models.DateTimeField(null=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )

    class Meta:
        db_table = "message_enrolments"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "sequence", "contact"],
                condition=Q(status="active"),
                name="one_active_enrolment",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="enrolments_newest"),
            models.Index(fields=["organization", "contact"], name="enrolments_of_contact"),
            models.Index(fields=["organization", "next_at"], name="enrolments_due", condition=Q(status="active")),
        ]

    def __str__(self) -> str:
        return f"{self.contact_id} in {self.sequence_id}"
