"""The audit log of the chosen organization, and the platform operators' own log: both for reading only."""

import json
from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter

from vocelio.audit.models import AuditEntry
from vocelio.backoffice.people import with_email
from vocelio.backoffice.tenant import PlatformAdmin, TenantAdmin


@admin.register(AuditEntry)
class AuditEntryAdmin(TenantAdmin):
    permissions = {"view": "audit:read"}
    section = "Organization"
    icon = "history"
    menu_title = "Audit log"

    list_display = ("created_at", "action", "who", "door", "resource", "resource_id", "ip_address")
    list_filter = (("created_at", RangeDateTimeFilter),)
    search_fields = ("action",)
    search_help_text = "An action or its beginning (contact.), a resource's or a request's id, or a person's e-mail."
    fields = (
        "created_at",
        "action",
        "who",
        "door",
        "resource",
        "resource_id",
        "what",
        "ip_address",
        "user_agent",
        "request_id",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return with_email(super().get_queryset(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Match the beginning of an action, or a whole id or address."""
        if term := search_term.strip():
            queryset = queryset.filter(
                Q(action__startswith=term) | Q(resource_id=term) | Q(request_id=term) | Q(email=term.lower())
            )
        return queryset, False

    @admin.display(description="Who")
    def who(self, entry: Any) -> str:
        return entry.email or "the system"

    @admin.display(description="Details")
    def what(self, entry: AuditEntry) -> SafeString:
        return format_html('<pre class="whitespace-pre-wrap">{}</pre>', json.dumps(entry.details, indent=2))


@admin.register(LogEntry)
class PlatformLogAdmin(PlatformAdmin):
    """What operators changed on pages that belong to no organization."""

    icon = "list_alt"
    menu_title = "Platform log"
    list_display = ("action_time", "user", "content_type", "object_repr", "change")
    list_select_related = ("user", "content_type")
    fields = ("action_time", "user", "content_type", "object_id", "object_repr", "change")
    ordering = ("-action_time",)

    @admin.display(description="Change")
    def change(self, entry: LogEntry) -> str:
        return str(entry)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
