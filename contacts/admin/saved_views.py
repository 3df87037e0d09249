"""Views of contacts that people saved: one's own, and those that are shared."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from contacts.models import SavedView
from contacts.services.saved_views import delete_saved_view, update_saved_view
from vocelio.backoffice.tenant import TenantAdmin


@admin.register(SavedView)
class SavedViewAdmin(TenantAdmin):
    permissions = dict.fromkeys(["view", "change", "delete"], "contacts:read")
    section = "Contacts"
    icon = "bookmarks"
    menu_title = "Saved views"

    list_display = ("name", "user", "is_shared", "shown_filter", "updated_at")
    list_select_related = ("user",)
    fields = ("name", "is_shared", "shown_filter", "sort", "columns", "user", "updated_at")
    readonly_fields = ("shown_filter", "sort", "columns", "user", "updated_at")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self._is_own(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self._is_own(request, obj)

    def _is_own(self, request: HttpRequest, obj: Any) -> bool:
        return obj is None or obj.user_id == self.principal(request).user_id

    @admin.display(description="Filter")
    def shown_filter(self, view: SavedView) -> str:
        return ", ".join(f"{name}: {value}" for name, value in view.filter.items())

    def perform_update(self, request: HttpRequest, obj: SavedView, changes: dict[str, Any]) -> None:
        update_saved_view(obj, principal=self.principal(request), **changes)

    def perform_delete(self, request: HttpRequest, obj: SavedView) -> None:
        delete_saved_view(obj, principal=self.principal(request))
