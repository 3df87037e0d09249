"""Definitions of custom fields."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from contacts.models import CustomField
from contacts.services.custom_fields import create_custom_field, update_custom_field
from vocelio.backoffice.tenant import TenantAdmin


@admin.register(CustomField)
class CustomFieldAdmin(TenantAdmin):
    permissions = {"view": "contacts:read", "add": "contacts:fields", "change": "contacts:fields"}
    section = "Contacts"
    icon = "format_list_bulleted_add"
    menu_title = "Custom fields"

    list_display = ("label", "key", "kind", "is_required", "is_sensitive", "is_archived", "position")
    list_filter = ("is_archived", "kind")
    ordering = ("position", "label")
    fields = (
        "label", "key", "kind", "options", "description", "default", "is_required", "is_sensitive", "position", "is_archived"
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["key", "kind", "is_sensitive"] if obj else []

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> CustomField:
        return create_custom_field(**data)

    def perform_update(self, request: HttpRequest, obj: CustomField, changes: dict[str, Any]) -> None:
        update_custom_field(obj, **changes)
