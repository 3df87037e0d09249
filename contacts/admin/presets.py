"""Presets of imports: what the wizard kept, to be renamed and removed."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from contacts.models import ImportPreset
from contacts.services.presets import delete_preset, update_preset
from vocelio.backoffice.tenant import TenantAdmin


@admin.register(ImportPreset)
class ImportPresetAdmin(TenantAdmin):
    permissions = dict.fromkeys(["view", "change", "delete"], "contacts:import")
    section = "Contacts"
    icon = "rule_settings"
    menu_title = "Import presets"

    list_display = ("name", "columns", "created_by", "created_at")
    list_select_related = ("created_by",)
    fields = ("name", "columns", "created_by", "created_at")
    readonly_fields = ("columns", "created_by", "created_at")

    @admin.display(description="Columns")
    def columns(self, preset: ImportPreset) -> str:
        return ", ".join(preset.options.get("mapping", {}))

    def perform_update(self, request: HttpRequest, obj: ImportPreset, changes: dict[str, Any]) -> None:
        update_preset(obj, **changes)

    def perform_delete(self, request: HttpRequest, obj: ImportPreset) -> None:
        delete_preset(obj)
