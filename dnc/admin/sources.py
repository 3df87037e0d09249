"""Where lists' files come from by themselves; those of registries are the operators', in the platform's organization."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminSelectWidget

from dnc.admin.lists import SECTION
from dnc.models import DncList, Source
from dnc.services import sources
from dnc.sources import all_places
from vocelio.backoffice.forms import TenantForm
from vocelio.backoffice.tenant import TenantAdmin


class SourceForm(TenantForm):
    """A place, its settings and its secret, which is never shown."""

    kind = forms.ChoiceField(
        choices=[(slug, place.label) for slug, place in all_places().items()], widget=UnfoldAdminSelectWidget
    )
    secret = forms.CharField(
        required=False, widget=UnfoldAdminPasswordWidget, help_text="Left empty, the one that is stored stays."
    )


@admin.register(Source)
class SourceAdmin(TenantAdmin):
    permissions = dict.fromkeys(["view", "add", "change", "delete", "fetch"], "dnc:manage")
    section = SECTION
    icon = "cloud_download"
    menu_title = "Sources"

    form = SourceForm
    list_display = ("__str__", "kind", "auto_update", "last_run_at", "next_run_at", "last_error")
    list_select_related = ("registry", "list")
    actions = ("fetch",)
    fields = (
        ("list", "registry"),
        "kind",
        ("settings", "secret"),
        ("auto_update", "update_frequency"),
        ("last_run_at", "next_run_at"),
        ("failures", "last_error"),
    )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        first = self.fields[0] if request.user.is_superuser else "list"
        # What became of it only once there is something.
        return (first, *(self.fields[1:4] if obj is None else self.fields[1:]))

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "list":
            kwargs["queryset"] = DncList.objects.filter(registry__isnull=True).order_by("name")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        shown = ["list", "registry", "last_run_at", "next_run_at", "failures", "last_error"]
        return [] if obj is None else shown

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.base_fields["kind"].disabled = obj is not None
        return form

    def has_fetch_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "fetch")

    @admin.action(description="Look for new files now", permissions=["fetch"])
    def fetch(self, request: HttpRequest, queryset: Any) -> None:
        for source in queryset:
            sources.update_source(source)
        self.message_user(request, "The next minute looks for new files.")

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> Source:
        return sources.create_source(dnc_list=data.pop("list"), **data)

    def perform_update(self, request: HttpRequest, obj: Source, changes: dict[str, Any]) -> None:
        sources.update_source(obj, **{name: value for name, value in changes.items() if name != "secret" or value})

    def perform_delete(self, request: HttpRequest, obj: Source) -> None:
        sources.delete_source(obj)
