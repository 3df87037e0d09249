"""Each organization's identity provider, and whom of its people it is known to mean."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from vocelio.crypto.fields import EncryptedTextField
from vocelio.organizations.models import Role, TenantModel


class IdentityProvider(TenantModel):
    """Where the organization's people log in: an OpenID Connect provider that its admins have chosen."""

    # Admins are made by admins.
    NEWCOMER_ROLES = [("", "Nobody: members are invited"), (Role.AGENT, "As agent"), (Role.MANAGER, "As manager")]

    issuer = models.URLField(max_length=500, help_text="As in the provider's discovery document, https.")
    client_id = models.CharField(max_length=255)
    client_secret = EncryptedTextField(blank=True, help_text="Empty for a public client.")
    allowed_domains = ArrayField(
        models.CharField(max_length=253), help_text="Domains of the e-mail addresses that may log in, in lower case."
    )
    newcomer_role = models.CharField(
        max_length=20, blank=True, choices=NEWCOMER_ROLES, help_text="Who has no account yet joins by logging in."
    )
    is_enabled = models.BooleanField(default=True)

    class Meta:
        db_table = "identity_providers"
        constraints = [
            models.UniqueConstraint(fields=["organization"], name="one_identity_provider_per_organization"),
            models.CheckConstraint(
                condition=models.Q(newcomer_role__in=["", Role.AGENT, Role.MANAGER]), name="newcomer_role_known"
            ),
            models.CheckConstraint(condition=~models.Q(allowed_domains=[]), name="identity_provider_has_domains"),
        ]

    def __str__(self) -> str:
        return self.issuer


class IdentityLink(TenantModel):
    """A subject of the provider is this person, in this organization."""

    user = models.ForeignKey("users.User", on_delete=models.CASCADE, related_name="+", db_index=False)
    issuer = models.CharField(max_length=500)
    subject = models.CharField(max_length=255)
    last_used_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "identity_links"
        constraints = [
            models.UniqueConstraint(fields=["organization", "issuer", "subject"], name="one_person_per_subject"),
            models.UniqueConstraint(fields=["organization", "issuer", "user"], name="one_subject_per_person"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} is {self.user_id}"
