"""Contact lists."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from contacts.models import ContactList
from contacts.services.lists import create_list, delete_list, update_list
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.languages.numbers import number


@admin.register(ContactList)
class ContactListAdmin(TenantAdmin):
    permissions = {
        "view": "lists:read",
        "add": "lists:manage",
        "change": "lists:manage",
        "delete": "lists:manage",
    }
    section = "Contacts"
    icon = "lists"
    menu_title = "Lists"

    list_display = ("name", "state", "contacts", "shown_tags", "created_by", "created_at")
    list_select_related = ("created_by",)
    list_filter = ("status",)
    search_fields = ("name",)
    fields = ("name", "description", "status", "tags", "settings", "contacts", "created_by", "created_at")
    readonly_fields = ("contacts", "created_by", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request).with_counts()  # type: ignore[attr-defined]
        return rows

    @display(description="Status", label={"Active": "success", "Archived": "warning"})  # type: ignore[untyped-decorator]
    def state(self, contact_list: ContactList) -> str:
        return contact_list.get_status_display()

    @admin.display(description="Contacts")
    def contacts(self, contact_list: Any) -> SafeString:
        address = reverse("admin:contacts_contact_changelist")
        return format_html('<a href="{}?list={}">{}</a>', address, contact_list.pk, number(contact_list.contact_count))

    @admin.display(description="Tags")
    def shown_tags(self, contact_list: ContactList) -> str:
        return ", ".join(contact_list.tags)

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> ContactList:
        return create_list(**data)

    def perform_update(self, request: HttpRequest, obj: ContactList, changes: dict[str, Any]) -> None:
        update_list(obj, **changes)

    def perform_delete(self, request: HttpRequest, obj: ContactList) -> None:
        delete_list(obj)
