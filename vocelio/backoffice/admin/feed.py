"""What people did, in words: the feed of the chosen organization."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateTimeFilter

from vocelio.backoffice.tenant import TenantAdmin
from vocelio.notifications.models import FeedEntry


@admin.register(FeedEntry)
class FeedEntryAdmin(TenantAdmin):
    permissions = {"view": "feed:read"}
    section = "Reports"
    icon = "rss_feed"
    menu_title = "What happened"

    list_display = ("created_at", "who", "kind", "title", "resource")
    list_select_related = ("user",)
    list_filter = (("created_at", RangeDateTimeFilter),)
    search_fields = ("kind",)
    search_help_text = "A kind or its beginning (deal.), a record such as job, or a person's e-mail."
    fields = ("created_at", "who", "kind", "title", "resource", "resource_id", "data")
    readonly_fields = fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Match the beginning of a kind, or a whole record or address."""
        if term := search_term.strip():
            queryset = queryset.filter(
                Q(kind__startswith=term) | Q(resource=term) | Q(user__email=term.lower()) | Q(title=term)
            )
        return queryset, False

    @admin.display(description="Who")
    def who(self, entry: FeedEntry) -> str:
        return str(entry.user or "the system")
