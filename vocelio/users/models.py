"""People who sign in, and the sessions they sign in to. Outside the policies: read before a scope is known."""

from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower, Now

from vocelio.db.ids import uuid7
from vocelio.organizations.models import Organization

if TYPE_CHECKING:
    from vocelio.access.principal import Principal


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a person; without a password they cannot sign in until they set one."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person, known by e-mail address. Roles belong to memberships; is_superuser is the platform's operator."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(max_length=254, unique=True, help_text="Stored in lower case.")
    name = models.CharField(max_length=150, blank=True)
    is_staff = models.BooleanField(default=False, help_text="May enter the back office.")
    is_active = models.BooleanField(default=True)
    language = models.CharField(
        max_length=10,
        blank=True,
        default="",
        db_default="",
        choices=settings.LANGUAGES,
        help_text="Empty: the browser's, else the organization's.",
    )
    time_zone = models.CharField(
        max_length=50, blank=True, default="", db_default="", help_text="Empty: the organization's (IANA)."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        db_table = "users"
        constraints = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_is_lower_case")
        ]

    def __str__(self) -> str:
        return self.name or self.email


class SessionQuerySet(models.QuerySet["Session"]):
    def live(self) -> Self:
        """Keep sessions that have neither ended nor expired."""
        return self.filter(ended_at=None, expires_at__gt=Now())


class Session(models.Model):
    """One sign-in on one device: the family of its refresh tokens. Ending it ends every token of it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    last_used_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    # Whether more than a password was proven: a code of the second step, or the log-in of an identity provider.
    has_second_factor = models.BooleanField(default=False, db_default=False)
    # Whose identity provider let the person in; such a session opens that organization and no other.
    sso_organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=30, blank=True)

    objects = SessionQuerySet.as_manager()

    class Meta:
        db_table = "user_sessions"
        indexes = [models.Index(fields=["user", "-created_at"], name="user_sessions_newest")]

    def __str__(self) -> str:
        return f"{self.user}, {self.created_at:%Y-%m-%d}"


class RefreshToken(models.Model):
    """A refresh token by its SHA-256; usable once, a second use ends the session."""

    token_hash = models.BinaryField(primary_key=True, max_length=32)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="refresh_tokens")
    created_at = models.DateTimeField(db_default=Now())
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "refresh_tokens"

    def __str__(self) -> str:
        return f"of session {self.session_id}"


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """API tokens are outside the policies, so every read says whose it wants."""

    def visible_to(self, principal: "Principal") -> Self:
        """Keep those of the caller's organization."""
        return self.filter(organization_id=principal.organization_id)

    def live(self) -> Self:
        """Keep tokens that neither were revoked nor have expired."""
        return self.filter(revoked_at=None, expires_at__gt=Now())


class ApiToken(models.Model):
    """A program's way in, for one organization: acts as the member who made it, within its scopes."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100, help_text="What uses it.")
    token_hash = models.BinaryField(max_length=32, unique=True)
    hint = models.CharField(max_length=4, help_text="The token's last characters.")
    scopes = ArrayField(
        models.CharField(max_length=50), help_text="Permissions of which its owner's role must hold each."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_used_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(blank=True, help_text="90 days from now unless given; at most a year.")
    revoked_at = models.DateTimeField(null=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        db_table = "api_tokens"
        verbose_name = "API token"
        indexes = [models.Index(fields=["organization", "-created_at"], name="api_tokens_newest")]
        constraints = [models.CheckConstraint(condition=~models.Q(scopes=[]), name="api_token_has_scopes")]

    def __str__(self) -> str:
        return self.name


class SecondFactor(models.Model):
    """The authenticator app of a person (TOTP, RFC 6238); it counts once its first code was proven."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="second_factor")
    secret = models.TextField(help_text="Sealed with the key of the platform's organization.")
    # The time step of the last code accepted, so that none works twice.
    last_step = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "second_factors"

    def __str__(self) -> str:
        return f"of {self.user_id}"


class RecoveryCode(models.Model):
    """Opens the second step once, for a person who lost their phone."""

    code_hash = models.BinaryField(primary_key=True, max_length=32)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    created_at = models.DateTimeField(db_default=Now())
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "recovery_codes"

    def __str__(self) -> str:
        return f"of {self.user_id}"


class LoginAttempt(models.Model):
    """A guess at a password that was not proven right, kept while it counts against the next ones."""

    account = models.CharField(max_length=64, help_text="Keyed hash of the address as typed, known or not.")
    network = models.CharField(max_length=43, help_text="The caller's address; of IPv6 its /64.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "login_attempts"
        indexes = [
            models.Index(fields=["account", "-created_at"], name="login_attempts_newest"),
            models.Index(fields=["created_at"], name="login_attempts_age"),
        ]

    def __str__(self) -> str:
        return f"{self.account[:8]} from {self.network}"


class PasswordReset(models.Model):
    """A forgotten password: first the wish, alike for known and unknown addresses, then the token in the mail."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(max_length=254)
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="+")
    token_hash = models.BinaryField(max_length=32, null=True, unique=True)
    ip_address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=300, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "password_resets"
        indexes = [
            models.Index(fields=["email", "-created_at"], name="password_resets_newest"),
            models.Index(fields=["created_at"], name="password_resets_age"),
        ]

    def __str__(self) -> str:
        return f"password reset {self.id}"


class SingleSignOnCode(models.Model):
    """What a frontend trades for tokens after a log-in at an identity provider: once, within a minute."""

    code_hash = models.BinaryField(primary_key=True, max_length=32)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    # SHA-256 of a secret that only the frontend which began the log-in knows (PKCE, RFC 7636).
    challenge = models.CharField(max_length=43)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "single_sign_on_codes"

    def __str__(self) -> str:
        return f"of {self.user_id}"
