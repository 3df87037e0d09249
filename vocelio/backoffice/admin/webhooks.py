"""Webhook endpoints, and what became of what they were sent."""

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import lazy
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from vocelio.backoffice.forms import TenantForm
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.errors import VocelioError
from vocelio.languages.translate import translated
from vocelio.webhooks.events import EVERYTHING, all_types, noun_of
from vocelio.webhooks.models import WebhookDelivery, WebhookEndpoint
from vocelio.webhooks.services import deliveries, endpoints
from vocelio.webhooks.services.sending import headers_of

MANAGE = "webhooks:manage"
SECTION = "Organization"
LOOKS = {"Delivered": "success", "Failed": "danger", "Pending": "warning", "Sending": "info"}


def wishes() -> list[tuple[str, str]]:
    """Return what an endpoint can ask for: everything, all of a noun, one type."""
    names = sorted(each.name for each in all_types())
    nouns = [(f"{noun}.*", f"{noun}.* (all of them)") for noun in sorted(set(map(noun_of, names)))]
    return [(EVERYTHING, "Everything"), *sorted([*nouns, *((name, name) for name in names)])]


class EndpointForm(TenantForm):
    events = forms.MultipleChoiceField(
        choices=lazy(wishes, list),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="What is sent there, from now on.",
    )


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(TenantAdmin):
    """Other systems' addresses. A secret is shown once, when it is made."""

    permissions = dict.fromkeys(["view", "add", "change", "delete"], MANAGE)
    form = EndpointForm
    section = SECTION
    icon = "webhook"
    menu_title = "Webhooks"

    list_display = ("url", "description", "wanted", "state", "failing_since", "created_at")
    search_fields = ("url", "description")
    actions = ("test", "rotate", "replay_failed")
    fields = ("url", "description", "is_enabled", "events")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["deliveries_of", "failing_since", "disabled_reason"] if obj else []

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.fields[:3], *self.get_readonly_fields(request, obj), "events")

    @admin.display(description="Events")
    def wanted(self, endpoint: WebhookEndpoint) -> str:
        return "Everything" if EVERYTHING in endpoint.events else ", ".join(endpoint.events)[:80]

    @display(
        description="State", label={"Working": "success", "Failing": "warning", "Switched off": "danger", "Off": "info"}
    )  # type: ignore[untyped-decorator]
    def state(self, endpoint: WebhookEndpoint) -> str:
        if not endpoint.is_enabled:
            return "Switched off" if endpoint.disabled_at else "Off"
        return "Failing" if endpoint.failing_since else "Working"

    @admin.display(description="Deliveries")
    def deliveries_of(self, endpoint: WebhookEndpoint) -> SafeString:
        address = reverse("admin:webhooks_webhookdelivery_changelist")
        return format_html(
            '<a href="{}?endpoint__id__exact={}">{}</a>', address, endpoint.pk, translated("What was sent there")
        )

    @admin.action(description="Send a test", permissions=["change"])
    def test(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for endpoint in queryset:
            self._tell(
                request, endpoint, lambda each: f"A test is on its way: delivery {endpoints.send_test(each).pk}."
            )

    @admin.action(description="Make a new secret", permissions=["change"])
    def rotate(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for endpoint in queryset:
            self._show_secret(request, endpoints.rotate_secret(endpoint))

    @admin.action(description="Send again what failed", permissions=["change"])
    def replay_failed(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for endpoint in queryset:
            self._tell(
                request,
                endpoint,
                lambda each: f"{deliveries.replay_failed(each, since=each.created_at)} deliveries are sent again.",
            )

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> WebhookEndpoint:
        endpoint = endpoints.create_endpoint(**data)
        self._show_secret(request, endpoint)
        return endpoint

    def perform_update(self, request: HttpRequest, obj: WebhookEndpoint, changes: dict[str, Any]) -> None:
        endpoints.update_endpoint(obj, **changes)

    def perform_delete(self, request: HttpRequest, obj: WebhookEndpoint) -> None:
        endpoints.delete_endpoint(obj)

    def _show_secret(self, request: HttpRequest, endpoint: WebhookEndpoint) -> None:
        text = f"Copy the secret of {endpoint.url} now, it is not shown again: {endpoint.secret}"
        self.message_user(request, text, messages.WARNING)

    def _tell(self, request: HttpRequest, endpoint: WebhookEndpoint, work: Any) -> None:
        try:
            self.message_user(request, f"{endpoint.url}: {work(endpoint)}", messages.SUCCESS)
        except VocelioError as error:
            self.message_user(request, f"{endpoint.url}: {error.message}", messages.WARNING)


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(TenantAdmin):
    """The log of the last thirty days."""

    permissions = dict.fromkeys(["view", "replay"], MANAGE)
    section = SECTION
    icon = "send"
    menu_title = "Webhook deliveries"

    list_display = ("created_at", "event_type", "endpoint", "state", "response_status", "attempts", "next_attempt_at")
    list_select_related = ("event", "endpoint")
    list_filter = ("status", "endpoint")
    search_fields = ("event__type__startswith", "event__id__exact")
    search_help_text = "The beginning of an event's type (contact.), or a webhook-id."
    actions = ("replay",)
    fields = ("created_at", "event_type", "endpoint", "state", "error", "headers", "body", "attempts_made")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("event__body")

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "replay")

    @admin.display(description="Event")
    def event_type(self, delivery: WebhookDelivery) -> str:
        return str(delivery.event.type)

    @display(description="State", label=LOOKS)  # type: ignore[untyped-decorator]
    def state(self, delivery: WebhookDelivery) -> str:
        return delivery.get_status_display()

    @admin.display(description="Headers")
    def headers(self, delivery: WebhookDelivery) -> SafeString:
        return preformatted(
            "\n".join(f"{name}: {value}" for name, value in headers_of(delivery, delivery.created_at).items())
        )

    @admin.display(description="Body")
    def body(self, delivery: WebhookDelivery) -> SafeString:
        return preformatted(json.dumps(json.loads(delivery.event.body), indent=2, ensure_ascii=False))

    @admin.display(description="Attempts")
    def attempts_made(self, delivery: WebhookDelivery) -> SafeString:
        rows = [
            (
                f"{each.started_at:%Y-%m-%d %H:%M:%S}",
                each.response_status or each.error or "no answer known",
                f"{each.duration_ms} ms" if each.duration_ms is not None else "",
                each.response_body,
            )
            for each in delivery.attempt_log.order_by("started_at", "id")
        ]
        return format_html_join("", "<p>{} &nbsp; {} &nbsp; {}<br><code>{}</code></p>", rows)

    @admin.action(description="Send again", permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        done = 0
        for delivery in queryset:
            try:
                deliveries.replay(delivery)
                done += 1
            except VocelioError as error:
                self.message_user(request, f"{delivery.event.type}: {error.message}", messages.WARNING)
        if done:
            self.message_user(request, f"{done} deliveries are sent again.", messages.SUCCESS)


def preformatted(text: str) -> SafeString:
    return format_html('<pre class="whitespace-pre-wrap">{}</pre>', text)
