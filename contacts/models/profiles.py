"""What contacts know of the profiles that apps above keep of them: a base, the log of changes, views over all kinds."""

import uuid
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from contacts.models.clients import Client
from contacts.models.contacts import Contact
from vocelio.access.principal import Principal
from vocelio.db.fields import TenantForeignKey
from vocelio.organizations.models import TenantManager, TenantModel, TenantQuerySet, TenantRow


class Profile(TenantModel):
    """Base of the tables of profiles: what a contact is in one line of business.

    A contact may have several of a kind, one of which is primary; the subclass's Meta holds that by
    `one_primary(name)`, and its migration ends with AddProfileKind and FollowProfiles. Whoever may see the contact sees its profiles.
    """

    owner_field = "contact__assigned_to"

    contact = TenantForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)
    is_primary = models.BooleanField(default=False)
    headline = models.CharField(max_length=200, blank=True, default="")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )

    if TYPE_CHECKING:
        contact_id: uuid.UUID
        created_by_id: uuid.UUID | None

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.headline or str(self.id)

    @classmethod
    def visible(cls, principal: Principal) -> models.QuerySet[Any]:
        """Return the profiles the person may see, of contacts outside the trash."""
        rows: models.QuerySet[Any] = cls.objects.get_queryset().visible_to(principal)
        return rows.filter(contact__deleted_at__isnull=True)


def one_primary(name: str) -> models.UniqueConstraint:
    """Return the constraint that a contact has at most one primary profile in a table."""
    return models.UniqueConstraint(fields=["organization", "contact"], condition=models.Q(is_primary=True), name=name)


class ProfileChange(TenantRow):
    """One change of one profile: who did what to which fields. Rows are added and never changed; no values."""

    class Action(models.TextChoices):
        CREATED = "created", "Created"
        UPDATED = "updated", "Updated"
        MADE_PRIMARY = "made_primary", "Made primary"
        REPLACED_AS_PRIMARY = "replaced_as_primary", "Replaced as primary"
        DELETED = "deleted", "Deleted"
        FILE_ADDED = "file_added", "File added"
        FILE_DELETED = "file_deleted", "File deleted"

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    # Without a constraint: the log outlives the contact.
    contact_id = models.UUIDField()
    profile_id = models.UUIDField()
    kind = models.CharField(max_length=20)
    action = models.CharField(max_length=30)
    changed = ArrayField(models.CharField(max_length=60), default=list)
    user_id = models.UUIDField(null=True)
    door = models.CharField(max_length=20)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        db_table = "contact_profile_audit_log"
        indexes = [
            models.Index(fields=["organization", "contact_id", "-created_at"], name="profile_changes_of_contact")
        ]

    def __str__(self) -> str:
        return f"{self.kind} profile {self.action}"


class ContactProfile(TenantModel):
    """A profile of any kind, as the view `contact_profiles` shows it."""

    owner_field = "contact__assigned_to"

    contact = TenantForeignKey(Contact, on_delete=models.DO_NOTHING, related_name="+")
    kind = models.TextField()
    is_primary = models.BooleanField()
    headline = models.CharField(max_length=200)
    state = models.TextField()
    is_open = models.BooleanField()

    class Meta:
        managed = False
        db_table = "contact_profiles"

    def __str__(self) -> str:
        return self.headline


class ProfileSummaryQuerySet(TenantQuerySet):
    def dual(self) -> Self:
        """Keep contacts with profiles of more than one kind."""
        return self.filter(is_dual=True)


ProfileSummaryManager = TenantManager.from_queryset(ProfileSummaryQuerySet)


class ProfileSummary(TenantModel):
    """All profiles of one contact, as the view `contact_profile_summary` shows them; its id is the contact's.

    `primaries` holds {kind: {id, headline, state, is_open}}, `dual_since` when the second kind came.
    """

    owner_field = "contact__assigned_to"

    contact = TenantForeignKey(Contact, on_delete=models.DO_NOTHING, related_name="+")
    kinds = ArrayField(models.TextField())
    profiles = models.PositiveIntegerField()
    is_dual = models.BooleanField()
    dual_since = models.DateTimeField(null=True)
    primaries = models.JSONField()

    objects: ClassVar[Any] = ProfileSummaryManager()

    class Meta:
        managed = False
        db_table = "contact_profile_summary"

    def __str__(self) -> str:
        return ", ".join(self.kinds)


class KeptSummary(TenantRow):
    """What `contact_profile_summary` shows of a contact: a row of the database's own, see migration 0021.

    `company` is the name of the contact's company as clients are found by theirs.
    """

    owner_field = "contact__assigned_to"

    contact = TenantForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)
    kinds = ArrayField(models.TextField())
    profiles = models.PositiveIntegerField()
    since = models.DateTimeField()
    changed_at = models.DateTimeField()
    dual_since = models.DateTimeField(null=True)
    primaries = models.JSONField()
    company = models.TextField()

    class Meta:
        db_table = "profile_summaries"
        indexes = [
            models.Index(fields=["organization", "-changed_at", "-id"], name="summaries_changed"),
            models.Index(fields=["organization", "-since", "-id"], name="summaries_newest"),
            models.Index(fields=["organization", "contact"], name="summary_of_contact"),
            models.Index(fields=["organization", "company"], name="summaries_by_company"),
        ]

    def __str__(self) -> str:
        return ", ".join(self.kinds)


class InsightCode(models.TextChoices):
    CANDIDATE_AT_PROSPECT = "candidate_at_prospect", "Candidate at a prospect"
    CANDIDATE_AT_CLIENT = "candidate_at_client", "Candidate at a client"
    CANDIDATE_HAS_A_SAY = "candidate_has_a_say", "Candidate has a say at a company"
    BUYER_LOOKS_FOR_WORK = "buyer_looks_for_work", "Buyer looks for work"
    BUYER_LEFT = "buyer_left", "Buyer left a company"


EFFECTS = [("opportunity", "Opportunity"), ("risk", "Risk")]
# Whether it helps or threatens, and what to do about it.
INSIGHTS: dict[str, tuple[str, str]] = {
    InsightCode.CANDIDATE_AT_PROSPECT: ("opportunity", "Ask for an introduction: the company is a prospect."),
    InsightCode.CANDIDATE_AT_CLIENT: ("risk", "Check what was agreed on hiring away before approaching them."),
    InsightCode.CANDIDATE_HAS_A_SAY: ("opportunity", "You know them as a candidate: talk to them about business."),
    InsightCode.BUYER_LOOKS_FOR_WORK: ("risk", "Find a second contact at the company before they leave."),
    InsightCode.BUYER_LEFT: ("opportunity", "Follow them to where they are now, and find who took over."),
}


class ContactInsightQuerySet(TenantQuerySet):
    def visible_to(self, principal: Principal) -> Self:
        """Keep insights whose contact and company the person may both see."""
        if not principal.sees_own_team_only:
            return self
        companies = Client.objects.get_queryset().visible_to(principal)
        return (
            super()
            .visible_to(principal)
            .filter(models.Q(client__isnull=True) | models.Q(client__in=companies.values("pk")))
        )


ContactInsightManager = TenantManager.from_queryset(ContactInsightQuerySet)


class ContactInsight(TenantRow):
    """What one kind of profile tells those who work with the other.

    The database keeps the rows as the view `insights_now` finds them: every change of profiles, relations, companies
    and clients renews those of the contacts it concerns, and a nightly task those whose dates have passed.
    """

    owner_field = "contact__assigned_to"

    contact = TenantForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)
    client = TenantForeignKey(Client, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    code = models.TextField(choices=InsightCode)
    role = models.TextField()
    basis = models.TextField()
    since = models.DateField(null=True)
    noticed_at = models.DateTimeField()

    objects: ClassVar[Any] = ContactInsightManager()

    class Meta:
        db_table = "contact_insights"
        indexes = [
            models.Index(fields=["organization", "-noticed_at", "-id"], name="insights_newest"),
            models.Index(fields=["organization", "code", "id"], name="insights_by_code"),
            models.Index(fields=["organization", "contact"], name="insights_of_contact"),
            models.Index(fields=["organization", "client"], name="insights_of_client"),
        ]

    def __str__(self) -> str:
        return self.get_code_display()

    @property
    def effect(self) -> str:
        """`opportunity` or `risk`."""
        return INSIGHTS[self.code][0]

    @property
    def advice(self) -> str:
        return INSIGHTS[self.code][1]

    @property
    def reason(self) -> str:
        """Say in a sentence what this rests on."""
        person, company = str(self.contact), str(self.client) if self.client else ""
        role = f" ({self.role.replace('_', ' ')})" if self.role else ""
        match self.code:
            case InsightCode.CANDIDATE_AT_PROSPECT:
                return f"{person} is open to a new job and works at {company}{role}, a prospect."
            case InsightCode.CANDIDATE_AT_CLIENT:
                return f"{person} is open to a new job and works at {company}{role}, an active client."
            case InsightCode.CANDIDATE_HAS_A_SAY:
                return f"{person} has a candidate profile and is {self.role.replace('_', ' ')} at {company}."
            case InsightCode.BUYER_LEFT:
                return f"{person}, with an open sales profile, left {company}{role} on {self.since:%d %b %Y}."
        return (
            f"{person} has an open sales profile and looks for work{f' while at {company}{role}' if company else ''}."
        )
