"""What waits for a person: conflicts, and records that could not be stored."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from unfold.decorators import display

from crm_sync.models import CrmConflict, CrmLink
from crm_sync.services.conflicts import resolve_conflict
from crm_sync.services.runs import replay
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.errors import VocelioError
from vocelio.languages.translate import translated


@admin.register(CrmConflict)
class CrmConflictAdmin(TenantAdmin):
    permissions = dict.fromkeys(["view", "resolve"], "crm:manage")
    section = "CRM"
    icon = "call_split"
    menu_title = "Conflicts"

    list_display = ("shown_record", "field", "ours", "theirs", "integration", "shown_status", "created_at")
    list_select_related = ("contact", "client", "integration", "link")
    list_filter = ("status",)
    actions = ("take_ours", "take_theirs")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("contact__search", "client__search")

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "resolve")

    @admin.display(description="Record")
    def shown_record(self, conflict: CrmConflict) -> str:
        return str(conflict.contact or conflict.client)

    @admin.display(description="Ours")
    def ours(self, conflict: CrmConflict) -> str:
        return shown(conflict.local_value)

    @admin.display(description="The CRM's")
    def theirs(self, conflict: CrmConflict) -> str:
        return shown(conflict.remote_value)

    @display(description="Status", label={"Open": "warning", "Resolved": "success"})  # type: ignore[untyped-decorator]
    def shown_status(self, conflict: CrmConflict) -> str:
        return conflict.get_status_display()

    @admin.action(description="Take our value", permissions=["resolve"])
    def take_ours(self, request: HttpRequest, queryset: Any) -> None:
        self._resolve(request, queryset, "local")

    @admin.action(description="Take the CRM's value", permissions=["resolve"])
    def take_theirs(self, request: HttpRequest, queryset: Any) -> None:
        self._resolve(request, queryset, "remote")

    def _resolve(self, request: HttpRequest, queryset: Any, choice: str) -> None:
        done = 0
        for conflict in queryset:
            try:
                resolve_conflict(conflict=conflict, choice=choice)
                done += 1
            except VocelioError as error:
                self.message_user(request, f"{conflict.contact or conflict.client}: {error.message}", messages.WARNING)
        if done:
            self.message_user(request, f"{done} conflicts resolved.", messages.SUCCESS)


@admin.register(CrmLink)
class CrmLinkAdmin(TenantAdmin):
    permissions = dict.fromkeys(["view", "replay"], "crm:manage")
    section = "CRM"
    icon = "link"
    menu_title = "Records"
    ordering = ("-id",)

    list_display = ("remote_id", "kind", "shown_record", "integration", "shown_state", "code", "field", "reason")
    list_select_related = ("contact", "client", "integration")
    list_filter = ("kind", "state")
    search_fields = ("remote_id__exact",)
    actions = ("replay",)

    def sidebar_extra(self) -> list[tuple[str, str, str]]:
        """Show the dead letters beside the records."""
        base = reverse("admin:crm_sync_crmlink_changelist")
        return [
            ("Quarantined", "report", f"{base}?state__exact={CrmLink.State.QUARANTINED}"),
            ("Rejected", "block", f"{base}?state__exact={CrmLink.State.REJECTED}"),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("contact__search", "client__search")

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "replay")

    @admin.display(description="Ours")
    def shown_record(self, link: CrmLink) -> str:
        return str(link.contact or link.client or "")

    @display(
        description="State",
        label={"Linked": "success", "Quarantined": "danger", "Rejected": "danger", "Gone": "warning", "New": "info"},
    )  # type: ignore[untyped-decorator]
    def shown_state(self, link: CrmLink) -> str:
        return link.get_state_display()

    @admin.action(description="Take up again with the next sync", permissions=["replay"])
    def replay(self, request: HttpRequest, queryset: Any) -> None:
        done = 0
        for link in queryset:
            try:
                replay(link=link)
                done += 1
            except VocelioError as error:
                self.message_user(request, f"{link}: {error.message}", messages.WARNING)
        if done:
            self.message_user(request, f"{done} records will be tried again.", messages.SUCCESS)


def shown(value: Any) -> str:
    """Return a value of either side as people read it."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return translated("(empty)") if value is None else str(value)
