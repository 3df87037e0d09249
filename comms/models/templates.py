"""Templates of messages, each with its versions."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from comms.models.accounts import ChannelAccount, Medium
from vocelio.db.fields import TenantForeignKey
from vocelio.organizations.models import TenantManager, TenantModel, TenantQuerySet, TenantRow


class TemplateCategory(models.TextChoices):
    OUTREACH = "outreach", "First contact"
    FOLLOW_UP = "follow_up", "Follow-up"
    INTERVIEW = "interview", "Interview"
    OFFER = "offer", "Offer"
    REJECTION = "rejection", "Rejection"
    PROPOSAL = "proposal", "Proposal"
    NEWSLETTER = "newsletter", "Newsletter"
    SERVICE = "service", "Service"
    OTHER = "other", "Other"


class WhenMissing(models.TextChoices):
    BLOCK = "block", "Do not send"
    BLANK = "blank", "Leave it out"


class TemplateQuerySet(TenantQuerySet):
    def alive(self) -> Self:
        return self.filter(deleted_at__isnull=True)


TemplateManager = TenantManager.from_queryset(TemplateQuerySet)


class CommunicationTemplate(TenantModel):
    """What messages are made of. Its text lies in versions: a changed text is another version."""

    name = models.CharField(max_length=200)
    category = models.CharField(max_length=30, choices=TemplateCategory, default=TemplateCategory.OTHER)
    channel = models.CharField(max_length=20, choices=Medium)
    language = models.CharField(max_length=15, default="en")
    is_active = models.BooleanField(default=True)
    when_missing = models.CharField(
        max_length=10,
        choices=WhenMissing,
        default=WhenMissing.BLOCK,
        help_text="What becomes of a message when a variable without default has no value.",
    )
    track_clicks = models.BooleanField(default=False)
    track_opens = models.BooleanField(
        default=False, help_text="Puts an invisible picture into mails. Many programs load it unread, or never."
    )
    version = models.PositiveIntegerField(default=1, editable=False, help_text="The one that is sent.")
    # A template that the provider keeps and approves.
    account = TenantForeignKey(ChannelAccount, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    remote_name = models.CharField(max_length=200, blank=True, default="", editable=False)
    remote_status = models.CharField(max_length=30, blank=True, default="", editable=False)
    remote_reason = models.CharField(max_length=200, blank=True, default="", editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[Any] = TemplateManager()

    class Meta:
        db_table = "communication_templates"
        verbose_name = "template"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "channel", "name", "language"],
                condition=Q(deleted_at__isnull=True),
                name="one_template_per_name",
            ),
            models.UniqueConstraint(
                fields=["organization", "account", "remote_name", "language"],
                condition=~Q(remote_name=""),
                name="one_template_per_remote_one",
            ),
            models.CheckConstraint(condition=Q(channel__in=Medium.values), name="template_channel_known"),
        ]
        indexes = [models.Index(fields=["organization", "-created_at", "-id"], name="templates_newest")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_remote(self) -> bool:
        return bool(self.remote_name)


class TemplateVersion(TenantRow):
    """One wording of a template; never changed once it is there."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    template = TenantForeignKey(
        CommunicationTemplate, on_delete=models.CASCADE, related_name="versions", db_index=False
    )
    number = models.PositiveIntegerField()
    subject = models.CharField(max_length=300, blank=True, default="")
    body_text = models.TextField()
    body_html = models.TextField(blank=True, default="")
    # Of a provider's template: what stands in {{1}}, {{2}}, ...
    parameters = ArrayField(models.CharField(max_length=500), default=list, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )

    class Meta:
        db_table = "communication_template_versions"
        constraints = [
            models.UniqueConstraint(fields=["organization", "template", "number"], name="one_template_version")
        ]

    def __str__(self) -> str:
        return f"version {self.number}"
