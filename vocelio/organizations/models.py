"""Organizations, who belongs to them, and the base of every tenant table."""

import uuid
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from vocelio.db.ids import uuid7
from vocelio.organizations.scope import current_organization_id

if TYPE_CHECKING:
    from vocelio.access.principal import Principal


LANGUAGES = settings.LANGUAGES


class Tier(models.TextChoices):
    FREE = "free", "Free"
    PRO = "pro", "Pro"
    ENTERPRISE = "enterprise", "Enterprise"


class Role(models.TextChoices):
    ADMIN = "admin", "Admin"
    MANAGER = "manager", "Manager"
    AGENT = "agent", "Agent"


class Visibility(models.TextChoices):
    """Whose records agents see."""

    ORGANIZATION = "organization", "All of the organization's"
    TEAM = "team", "Their own and their team's"


class NumberFormat(models.TextChoices):
    """Where numbers and amounts are written so, as browsers name it; shown by an example."""

    OF_LANGUAGE = "", "As the language has it"
    AMERICAN = "en-US", "1,234,567.89"
    GERMAN = "de-DE", "1.234.567,89"
    FRENCH = "fr-FR", "1 234 567,89"
    SWISS = "de-CH", "1'234'567.89"
    INDIAN = "en-IN", "12,34,567.89"


class SecondFactorRule(models.TextChoices):
    """For whom a password alone is not enough."""

    OPTIONAL = "optional", "Nobody: each person decides"
    BACK_OFFICE = "back_office", "Everybody in the back office"
    EVERYONE = "everyone", "Everybody, at the API too"


class Organization(models.Model):
    """A tenant. Every other row of its work carries its id."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=255)
    slug = models.SlugField(max_length=100, unique=True)
    settings = models.JSONField(default=dict, blank=True)
    subscription_tier = models.CharField(max_length=50, choices=Tier, default=Tier.FREE)
    default_region = models.CharField(
        max_length=2, default="US", help_text="Country whose dialling rules apply to numbers without a + (ISO 3166)."
    )
    visibility = models.CharField(max_length=20, choices=Visibility, default=Visibility.ORGANIZATION)
    language = models.CharField(
        max_length=10,
        blank=True,
        choices=LANGUAGES,
        default="",
        db_default="",
        help_text="Of people who chose none themselves; empty: their browser's.",
    )
    time_zone = models.CharField(
        max_length=50,
        default="UTC",
        db_default="UTC",
        help_text="In which times are shown to people who chose none themselves (IANA).",
    )
    number_format = models.CharField(
        max_length=10,
        blank=True,
        choices=NumberFormat,
        default=NumberFormat.OF_LANGUAGE,
        db_default=NumberFormat.OF_LANGUAGE,
        help_text="How pages, mails and documents write numbers and amounts.",
    )
    second_factor = models.CharField(
        max_length=20,
        choices=SecondFactorRule,
        default=SecondFactorRule.OPTIONAL,
        db_default=SecondFactorRule.OPTIONAL,
        help_text="Who must log in with a code besides the password.",
    )
    requires_sso = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Members log in by the identity provider; by password only who is marked for emergencies.",
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "organizations"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(second_factor__in=SecondFactorRule.values), name="second_factor_rule_known"
            ),
            models.CheckConstraint(
                condition=models.Q(number_format__in=NumberFormat.values), name="number_format_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Memberships are outside the policies, so every read says whose it wants."""

    def visible_to(self, principal: "Principal") -> Self:
        """Keep the caller's organization: what its members may see of each other."""
        return self.filter(organization_id=principal.organization_id)

    def active(self) -> Self:
        """Keep those that let somebody in: membership, person and organization are all enabled."""
        return self.filter(is_active=True, user__is_active=True, organization__is_active=True)


class Membership(models.Model):
    """One person's role in one organization. Outside the policies, since it is read to open a scope."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role)
    team = models.CharField(
        max_length=100, blank=True, help_text="Members with the same team see each other's records."
    )
    is_active = models.BooleanField(default=True)
    is_break_glass = models.BooleanField(
        default=False,
        db_default=False,
        help_text="May log in by password where single sign-on is required, for emergencies.",
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        db_table = "memberships"
        constraints = [
            models.UniqueConstraint(fields=["organization", "user"], name="one_membership_per_organization"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return str(self.user)


def team_of(principal: "Principal") -> "models.QuerySet[Membership, uuid.UUID]":
    """Return the ids of the caller and of the members of their team."""
    members = Membership.objects.filter(organization_id=principal.organization_id, is_active=True)
    members = members.filter(team=principal.team).exclude(team="") | members.filter(user_id=principal.user_id)
    return members.values_list("user_id", flat=True)


class TenantQuerySet(models.QuerySet[Any]):
    """Reads of one organization's rows; subclasses add filters that read as sentences."""

    def visible_to(self, principal: "Principal") -> Self:
        """Keep what this person may see; the one place of the ownership rule.

        Models name the column of the responsible user in `owner_field`. Agents of an organization whose
        visibility is `team` see what is theirs, their team's, or nobody's.
        """
        owner_field = getattr(self.model, "owner_field", None)
        if owner_field is None or not principal.sees_own_team_only:
            return self
        return self.filter(
            models.Q(**{f"{owner_field}__in": team_of(principal)}) | models.Q(**{f"{owner_field}__isnull": True})
        )


class TenantManager(models.Manager.from_queryset(TenantQuerySet)):  # type: ignore[misc]
    """Refuses to work outside an organization scope, filters by its organization inside."""

    def get_queryset(self) -> TenantQuerySet:
        queryset: TenantQuerySet = super().get_queryset().filter(organization_id=current_organization_id())
        return queryset

    def none(self) -> TenantQuerySet:
        """Return an empty queryset, which needs no scope; schema generation asks for it."""
        queryset: TenantQuerySet = self._queryset_class(self.model, using=self._db).none()
        return queryset


class OrganizationForeignKey(models.ForeignKey):  # type: ignore[type-arg]
    """The organization of a tenant row: that of the open scope unless given. Has no reverse accessor."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["related_name"] = "+"
        super().__init__(*args, **kwargs)

    def get_default(self) -> uuid.UUID:
        return current_organization_id()

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        kwargs.pop("related_name")
        return name, "django.db.models.ForeignKey", args, kwargs


class TenantRow(models.Model):
    """Base of every tenant table. Its migration must apply ProtectTenantTable; a test holds that."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = OrganizationForeignKey(Organization, on_delete=models.CASCADE, editable=False, db_index=False)

    objects = TenantManager()

    class Meta:
        abstract = True


class TenantModel(TenantRow):
    """A tenant row that people change: knows when it was made and, by a trigger, last changed."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        abstract = True


class RetentionRule(TenantModel):
    """For how many days the organization keeps a kind of data, where it chose; retention.py says which kinds there are."""

    name = models.CharField(max_length=40)
    days = models.PositiveIntegerField()

    class Meta:
        db_table = "retention_rules"
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="one_retention_rule_per_kind"),
            models.CheckConstraint(condition=models.Q(days__gt=0), name="retention_rule_in_days"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.days} days"
