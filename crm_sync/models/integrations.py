"""Connections to CRM accounts and the credentials they rest on."""

from datetime import timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from crm_sync.providers.provider import Provider
from vocelio.crypto.fields import EncryptedTextField
from vocelio.db.fields import TenantForeignKey
from vocelio.organizations.models import TenantManager, TenantModel, TenantQuerySet
from vocelio.plugins import find_plugins

# A key or grant that ends within this time is warned of.
WARN_BEFORE_EXPIRY = timedelta(days=7)


def providers() -> dict[str, Provider]:
    """Return every CRM vendor there is, by slug."""
    return find_plugins("crm_sync.providers", Provider)


def provider_choices() -> list[tuple[str, str]]:
    return [(slug, provider.label) for slug, provider in providers().items()]


class CrmIntegrationQuerySet(TenantQuerySet):
    def due(self) -> Self:
        """Keep the connections whose automatic sync should run now."""
        return self.filter(
            auto_sync=True,
            status=CrmIntegration.Status.CONNECTED,
            needs_confirmation=False,
            next_sync_at__lte=timezone.now(),
        )


class CrmIntegration(TenantModel):
    """One connection to one account of a CRM; several of a type are told apart by name.

    Totals are of contacts and add up: `total_contacts` = `synced_contacts` + `failed_contacts`; the failed are the dead letters.
    """

    class Status(models.TextChoices):
        DISCONNECTED = "disconnected", "Disconnected"
        CONNECTED = "connected", "Connected"
        EXPIRED = "expired", "Sign-in expired"

    crm_type = models.CharField(max_length=50, choices=provider_choices)
    name = models.CharField(max_length=255)
    endpoint_url = models.CharField(max_length=500, blank=True)
    options = models.JSONField(
        default=dict, blank=True, help_text="Answers to what the provider asks, e.g. dataCenter."
    )
    field_mappings = models.JSONField(default=dict, blank=True)
    company_mappings = models.JSONField(default=dict, blank=True)
    sync_settings = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=50, choices=Status, default=Status.DISCONNECTED)
    status_message = models.CharField(max_length=500, blank=True)
    auto_sync = models.BooleanField(default=False)
    sync_frequency = models.PositiveIntegerField(default=30, help_text="Minutes.")
    next_sync_at = models.DateTimeField(null=True, editable=False)
    last_sync_at = models.DateTimeField(null=True, editable=False)
    # After the brake stopped a run: a person must look before the next one.
    needs_confirmation = models.BooleanField(default=False, editable=False)
    total_contacts = models.PositiveIntegerField(default=0, editable=False)
    synced_contacts = models.PositiveIntegerField(default=0, editable=False)
    failed_contacts = models.PositiveIntegerField(default=0, editable=False)
    account_id = models.CharField(max_length=255, blank=True, editable=False)
    account_name = models.CharField(max_length=255, blank=True, editable=False)
    warnings = models.JSONField(default=list, editable=False)
    # By kind, as the provider last described them, and a few records to map by.
    remote_fields = models.JSONField(default=dict, editable=False)
    samples = models.JSONField(default=dict, editable=False)
    checked_at = models.DateTimeField(null=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )

    objects: ClassVar[Any] = TenantManager.from_queryset(CrmIntegrationQuerySet)()

    class Meta:
        db_table = "crm_integrations"
        verbose_name = "CRM connection"
        constraints = [
            models.UniqueConstraint(fields=["organization", "crm_type", "name"], name="one_crm_connection_per_name"),
            models.CheckConstraint(
                condition=models.Q(sync_frequency__gte=5, sync_frequency__lte=10080),
                name="crm_sync_frequency_in_bounds",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="crm_integrations_newest"),
            models.Index(fields=["next_sync_at"], name="crm_integrations_due", condition=models.Q(auto_sync=True)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def provider(self) -> Provider:
        return providers()[self.crm_type]

    @property
    def limiter_account(self) -> str:
        """Return whose quota calls count against."""
        return self.account_id or str(self.id)


class CrmCredential(TenantModel):
    """The secrets of one connection, in one encrypted blob that only grows newer: `version` rises with each change.

    `lease_until` lets one worker alone refresh; the others wait for the next version.
    """

    integration = TenantForeignKey(CrmIntegration, on_delete=models.CASCADE, related_name="+", db_index=False)
    blob = EncryptedTextField(blank=True, default="")
    # Client id and secret of the customer's own app at the vendor's, where the installation has none.
    app = EncryptedTextField(blank=True, default="")
    version = models.PositiveIntegerField(default=1)
    kind = models.CharField(max_length=10, default="key")
    last_four = models.CharField(max_length=4, blank=True)
    expires_at = models.DateTimeField(null=True)
    renewed_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    # How the vendor proves that a webhook is its own, and where it calls.
    webhook_secret = EncryptedTextField(blank=True, default="")
    webhook_token_hash = models.CharField(max_length=64, blank=True)
    subscription_id = models.CharField(max_length=255, blank=True)
    subscription_expires_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "crm_credentials"
        constraints = [
            models.UniqueConstraint(fields=["organization", "integration"], name="one_credential_per_connection")
        ]

    def __str__(self) -> str:
        return f"credential of {self.integration_id}"

    @property
    def expires_soon(self) -> bool:
        """Say whether a credential that nothing renews ends soon."""
        return (
            self.kind == "key" and self.expires_at is not None and self.expires_at < timezone.now() + WARN_BEFORE_EXPIRY
        )


class CrmOAuthAttempt(TenantModel):
    """A person on the way to the vendor's consent page; used once, within ten minutes, by the same person."""

    state_hash = models.CharField(max_length=64)
    browser_hash = models.CharField(max_length=64)
    code_verifier = EncryptedTextField()
    app = EncryptedTextField(blank=True, default="")
    integration = TenantForeignKey(
        CrmIntegration, on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )
    wanted = models.JSONField(default=dict, help_text="The connection to be made.")
    back_to = models.CharField(max_length=20, default="frontend")
    started_by = models.UUIDField(help_text="The person, who alone may finish.")
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "crm_oauth_attempts"
        constraints = [models.UniqueConstraint(fields=["organization", "state_hash"], name="one_crm_oauth_state")]

    def __str__(self) -> str:
        return f"consent for {self.wanted.get('name', '')}"
