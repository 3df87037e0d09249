"""Invitations to join an organization."""

from typing import Self

from django.db import models
from django.db.models.functions import Now

from vocelio.organizations.models import Role, TenantManager, TenantModel, TenantQuerySet


class InvitationQuerySet(TenantQuerySet):
    def open(self) -> Self:
        """Keep those nobody has accepted yet, expired ones included."""
        return self.filter(accepted_at=None)

    def acceptable(self) -> Self:
        """Keep those that a token still opens."""
        return self.open().filter(expires_at__gt=Now())


class Invitation(TenantModel):
    """A person asked to join, by e-mail. The token of the mail is stored as a hash, once the mail is sent."""

    email = models.EmailField(max_length=254, help_text="Stored in lower case.")
    name = models.CharField(max_length=150, blank=True)
    role = models.CharField(max_length=20, choices=Role)
    team = models.CharField(max_length=100, blank=True)
    invited_by = models.ForeignKey("users.User", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    token_hash = models.BinaryField(max_length=32, null=True)
    sent_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)

    objects = TenantManager.from_queryset(InvitationQuerySet)()  # type: ignore[misc, django-manager-missing]

    class Meta:
        db_table = "invitations"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "email"],
                condition=models.Q(accepted_at=None),
                name="one_open_invitation_per_email",
            ),
            models.UniqueConstraint(fields=["organization", "token_hash"], name="one_invitation_per_token"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="invitation_role_known"),
        ]

    def __str__(self) -> str:
        return self.email
