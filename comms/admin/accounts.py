"""Accounts at providers and how they are; the rules for messages; addresses that bounce."""

import re
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from comms.admin.previews import form_page, show_refusal
from comms.channels.channel import Channel, Sender
from comms.models import BouncedAddress, ChannelAccount, CommsSettings
from comms.models.accounts import channels
from comms.services import accounts, bounces, schedule
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.errors import VocelioError
from vocelio.languages.translate import translated

SECTION = "Messages"
HEALTH = {"working": "success", "failing": "warning", "resting": "danger", "off": "info"}


class ConnectForm(forms.Form):
    """What one provider asks for; a secret that stands already may be left blank."""

    def __init__(self, *args: Any, channel: Channel, account: ChannelAccount | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.channel = channel
        name = account.name if account else channel.label
        self.fields["name"] = forms.CharField(
            label=translated("Name"), initial=name, max_length=100, widget=UnfoldAdminTextInputWidget
        )
        for key, needed in channel.settings.items():
            value = account.settings.get(key, "") if account else ""
            self.fields[f"settings.{key}"] = forms.CharField(
                label=translated(words(key)), initial=value, required=needed, widget=UnfoldAdminTextInputWidget
            )
        is_told = type(channel).parse_webhook is not Channel.parse_webhook
        for key, needed in {**channel.secrets, **({accounts.WEBHOOK_SECRET: False} if is_told else {})}.items():
            self.fields[f"secrets.{key}"] = forms.CharField(
                label=translated(words(key)),
                required=needed and account is None,
                strip=False,
                widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
                help_text=translated("Stands; leave blank to keep it.") if account else "",
            )

    def values(self) -> dict[str, Any]:
        """Return what was entered as the service takes it."""
        given = self.cleaned_data
        return {
            "name": given["name"],
            "settings": {key: given[f"settings.{key}"] for key in self.channel.settings if given[f"settings.{key}"]},
            "secrets": {
                name.removeprefix("secrets."): value
                for name, value in given.items()
                if name.startswith("secrets.") and value
            },
        }


def words(name: str) -> str:
    """Return a setting's name as people read it."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()


@admin.register(ChannelAccount)
class ChannelAccountAdmin(TenantAdmin):
    """How accounts are, and their switches. Secrets are written and never shown."""

    permissions = dict.fromkeys(["view", "add", "change", "delete"], "channels:manage")
    section = SECTION
    icon = "outgoing_mail"
    menu_title = "Channels"

    list_display = ("name", "provider", "shown_health", "is_default", "last_sent_at", "last_webhook_at", "last_error")
    fields = (
        ("name", "provider"),
        ("is_active", "is_default"),
        ("price", "currency"),
        "connection",
        "webhook",
        ("shown_health", "resting_until"),
        ("last_error_code", "last_error", "last_error_at"),
        ("last_sent_at", "last_webhook_at"),
    )
    readonly_fields = (
        "provider",
        "connection",
        "webhook",
        "shown_health",
        "resting_until",
        "last_error_code",
        "last_error",
        "last_error_at",
        "last_sent_at",
        "last_webhook_at",
    )

    def get_urls(self) -> list[URLPattern]:
        connect = self.admin_site.admin_view(self.connect)
        return [
            path("add/<str:provider>/", connect, name="comms_channelaccount_connect"),
            path("<uuid:pk>/connection/", connect, name="comms_channelaccount_connection"),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Choose the provider."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        offered = [channel for channel in channels().values() if isinstance(channel, Sender)]
        context = {**self.admin_site.each_context(request), "title": "Connect a channel", "opts": self.opts}
        return TemplateResponse(request, "comms/providers.html", {**context, "providers": offered})

    def connect(self, request: HttpRequest, provider: str = "", pk: Any = None) -> HttpResponse:
        """Ask for what the provider needs, and add the account; or change an account's."""
        account = self.get_object(request, str(pk)) if pk else None
        channel = account.channel if account is not None else channels().get(provider)
        if channel is None:
            raise Http404
        if not (self.has_change_permission(request) if account else self.has_add_permission(request)):
            raise PermissionDenied
        form = ConnectForm(request.POST or None, channel=channel, account=account)
        if request.method == "POST" and form.is_valid():
            try:
                if account is None:
                    account = accounts.create_account(provider=channel.slug, **form.values())
                else:
                    accounts.update_account(account=account, **form.values())
            except VocelioError as error:
                show_refusal(form, error)
            else:
                return redirect("admin:comms_channelaccount_change", account.pk)
        return form_page(self, request, form, title=channel.label, card="Connection", button="Save")

    @admin.display(description="Connection")
    def connection(self, account: ChannelAccount) -> SafeString:
        return format_html(
            '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>',
            reverse("admin:comms_channelaccount_connection", args=[account.pk]),
            translated("Change settings or secrets"),
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


@admin.register(CommsSettings)
class CommsSettingsAdmin(TenantAdmin):
    """The organization's one row of rules; the defaults hold until it is saved."""

    permissions = {"view": "messages:read", "add": "messages:manage", "change": "messages:manage"}
    section = SECTION
    icon = "rule"
    menu_title = "Rules"

    list_display = ("__str__", "window_start", "window_end", "window_weekends", "time_zone", "cap_day", "cap_week")
    fields = (
        ("window_start", "window_end"),
        ("window_weekends", "time_zone"),
        ("cap_day", "cap_week"),
        "postal_address",
    )

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Show the rules that stand, once they do."""
        there = CommsSettings.objects.first()
        if there is not None and self.has_add_permission(request):
            return redirect("admin:comms_commssettings_change", there.pk)
        page: HttpResponse = super().add_view(request, form_url, extra_context)
        return page

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> CommsSettings:
        return schedule.update_settings(**data)

    def perform_update(self, request: HttpRequest, obj: CommsSettings, changes: dict[str, Any]) -> None:
        schedule.update_settings(**changes)


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
