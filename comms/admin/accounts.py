"""Accounts at providers and how they are; addresses that bounce."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display

from comms.models import BouncedAddress, ChannelAccount
from comms.services import accounts, bounces
from vocelio.backoffice.tenant import TenantAdmin

SECTION = "Messages"
HEALTH = {"working": "success", "failing": "warning", "resting": "danger", "off": "info"}


@admin.register(ChannelAccount)
class ChannelAccountAdmin(TenantAdmin):
    """Secrets are given by the API alone; here is how accounts are, and their switch."""

    permissions = dict.fromkeys(["view", "change", "delete"], "channels:manage")
    section = SECTION
    icon = "outgoing_mail"
    menu_title = "Channels"

    list_display = ("name", "provider", "shown_health", "is_default", "last_sent_at", "last_webhook_at", "last_error")
    fields = (
        ("name", "provider"),
        ("is_active", "is_default"),
        ("price", "currency"),
        "webhook",
        ("shown_health", "resting_until"),
        ("last_error_code", "last_error", "last_error_at"),
        ("last_sent_at", "last_webhook_at"),
    )
    readonly_fields = (
        "provider",
        "webhook",
        "shown_health",
        "resting_until",
        "last_error_code",
        "last_error",
        "last_error_at",
        "last_sent_at",
        "last_webhook_at",
    )

    @display(description="Health", label=HEALTH)  # type: ignore[untyped-decorator]
    def shown_health(self, account: ChannelAccount) -> str:
        return accounts.health(account)

    @admin.display(description="Webhook address")
    def webhook(self, account: ChannelAccount) -> str:
        return accounts.webhook_url(account)

    def perform_update(self, request: HttpRequest, obj: ChannelAccount, changes: dict[str, Any]) -> None:
        accounts.update_account(account=obj, **changes)

    def perform_delete(self, request: HttpRequest, obj: ChannelAccount) -> None:
        accounts.delete_account(obj)


@admin.register(BouncedAddress)
class BouncedAddressAdmin(TenantAdmin):
    permissions = {"view": "messages:read", "delete": "messages:manage"}
    section = SECTION
    icon = "unsubscribe"
    menu_title = "Bounces"

    list_display = ("address", "medium", "is_suppressed", "bounces", "code", "reason", "last_bounce_at")
    list_filter = ("medium", "is_suppressed")
    search_fields = ("address__exact",)

    def perform_delete(self, request: HttpRequest, obj: BouncedAddress) -> None:
        bounces.forget_bounce(obj)
