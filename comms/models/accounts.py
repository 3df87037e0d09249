"""Accounts at providers, addresses that take nothing any more, and an organization's rules for messages."""

from collections.abc import Callable
from datetime import time
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from comms.channels.channel import Channel, Sender
from vocelio.crypto.fields import EncryptedTextField
from vocelio.languages.translate import lazily, translated
from vocelio.organizations.models import TenantManager, TenantModel, TenantQuerySet
from vocelio.plugins import find_plugins


class Medium(models.TextChoices):
    """What a message is written for."""

    EMAIL = "email", "E-mail"
    WHATSAPP = "whatsapp", "WhatsApp"
    SMS = "sms", "SMS"
    LINKEDIN = "linkedin", "LinkedIn"


def channels() -> dict[str, Channel]:
    """Return every provider there is, by slug."""
    return find_plugins("comms.channels", Channel)


def provider_choices() -> list[tuple[str, str]]:
    return [(slug, lazily(channel.label)) for slug, channel in channels().items()]


def _slugs(rule: Callable[[Channel], bool]) -> list[str]:
    return [slug for slug, channel in channels().items() if rule(channel)]


class ChannelAccountQuerySet(TenantQuerySet):
    def of_medium(self, medium: str) -> Self:
        """Keep the accounts that send such messages."""
        return self.filter(provider__in=_slugs(lambda each: each.medium == medium))

    def queueing(self) -> Self:
        """Keep the accounts that messages are queued for; the others get what a person releases."""
        return self.filter(provider__in=_slugs(lambda each: not each.on_request))

    def sending(self) -> Self:
        """Keep the accounts that hand messages over; what waits at the others, a person sends."""
        return self.filter(provider__in=_slugs(lambda each: isinstance(each, Sender)))


ChannelAccountManager = TenantManager.from_queryset(ChannelAccountQuerySet)


class ChannelAccount(TenantModel):
    """An account at a provider, through which messages go out and answers come in."""

    provider = models.CharField(max_length=40, choices=provider_choices)
    name = models.CharField(max_length=100)
    settings = models.JSONField(default=dict, blank=True)
    # {name: value} as JSON.
    secrets = EncryptedTextField(blank=True, default="")
    is_active = models.BooleanField(default=True)
    is_default = models.BooleanField(default=False, help_text="Taken for messages that name no account.")
    price = models.DecimalField(
        max_digits=10, decimal_places=5, default=0, help_text="Of one message, or of one part of a text message."
    )
    currency = models.CharField(max_length=3, default="USD")
    # After a failure of the account itself its messages wait until then.
    resting_until = models.DateTimeField(null=True, editable=False)
    failures = models.PositiveSmallIntegerField(default=0, editable=False, help_text="In a row.")
    last_error_code = models.CharField(max_length=60, blank=True, default="", editable=False)
    last_error = models.CharField(max_length=500, blank=True, default="", editable=False)
    last_error_at = models.DateTimeField(null=True, editable=False)
    last_sent_at = models.DateTimeField(null=True, editable=False)
    last_webhook_at = models.DateTimeField(null=True, editable=False)
    # The worker that sends its messages now.
    lease_until = models.DateTimeField(null=True, editable=False)
    lease_number = models.PositiveIntegerField(default=0, editable=False)

    objects: ClassVar[Any] = ChannelAccountManager()

    class Meta:
        db_table = "channel_accounts"
        verbose_name = "channel account"
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="one_channel_account_per_name"),
            models.CheckConstraint(condition=Q(price__gte=0), name="channel_price_not_negative"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def channel(self) -> Channel:
        return channels()[self.provider]

    @property
    def medium(self) -> str:
        return self.channel.medium

    @property
    def is_by_hand(self) -> bool:
        return not isinstance(self.channel, Sender)


class BouncedAddress(TenantModel):
    """An address that takes no messages: one that is gone at once, one that refused again and again in the end."""

    medium = models.CharField(max_length=20, choices=Medium)
    address = models.CharField(max_length=320)
    code = models.CharField(max_length=60, blank=True, default="")
    reason = models.CharField(max_length=300, blank=True, default="")
    bounces = models.PositiveIntegerField(default=1)
    last_bounce_at = models.DateTimeField(db_default=Now())
    is_suppressed = models.BooleanField(default=False)

    class Meta:
        db_table = "bounced_addresses"
        verbose_name = "bounced address"
        verbose_name_plural = "bounced addresses"
        constraints = [
            models.UniqueConstraint(fields=["organization", "medium", "address"], name="one_bounced_address")
        ]
        indexes = [models.Index(fields=["organization", "-created_at", "-id"], name="bounces_newest")]

    def __str__(self) -> str:
        return self.address


class CommsSettings(TenantModel):
    """An organization's rules for messages; the defaults hold while there is no row."""

    window_start = models.TimeField(default=time(9), help_text="Recipient's local time.")
    window_end = models.TimeField(default=time(18), help_text="Recipient's local time.")
    window_weekends = models.BooleanField(default=False)
    time_zone = models.CharField(max_length=60, default="UTC", help_text="Where nothing tells the recipient's.")
    cap_day = models.PositiveSmallIntegerField(
        null=True, blank=True, default=3, help_text="Bulk messages to one person within 24 hours."
    )
    cap_week = models.PositiveSmallIntegerField(null=True, blank=True, default=7, help_text="Within seven days.")
    postal_address = models.CharField(
        max_length=300, blank=True, default="", help_text="Stands below bulk mail, as US law asks (CAN-SPAM)."
    )

    class Meta:
        db_table = "comms_settings"
        verbose_name = "set of rules"
        verbose_name_plural = "rules for messages"
        constraints = [
            models.UniqueConstraint(fields=["organization"], name="one_comms_settings"),
            models.CheckConstraint(
                condition=Q(window_start__lt=models.F("window_end")), name="comms_window_begins_before_it_ends"
            ),
        ]

    def __str__(self) -> str:
        return translated("Rules for messages")
