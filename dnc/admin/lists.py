"""Lists and entries; the registries' state at a glance, their loading, and the look-up of one number."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from dnc.models import DncEntry, DncList, EmailOptOut, Entitlement, ListUpload, Registry, RegistryFile, RegistryLoad
from dnc.services import entitlements, entries, lists, uploads
from dnc.services.certificates import check_numbers
from dnc.services.history import history_of
from dnc.services.registries import registry_states
from dnc.services.registry_loads import start_load, store_files
from vocelio.backoffice.jobs import progress_bar
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.errors import VocelioError
from vocelio.languages.numbers import number

SECTION = "Do Not Call"


@admin.register(DncList)
class DncListAdmin(TenantAdmin):
    permissions = {"view": "dnc:manage", "add": "dnc:manage", "change": "dnc:manage", "delete": "dnc:manage"}
    section = SECTION
    icon = "phone_disabled"
    menu_title = "Lists"

    list_display = ("name", "type", "numbers", "version", "shown_status", "source", "created_at")
    list_filter = ("type", "status")
    search_fields = ("name",)
    fields = (
        ("name", "type"),
        "description",
        ("registry", "state"),
        ("compliance_level", "status"),
        ("numbers", "version"),
    )
    readonly_fields = ("numbers", "version")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        return rows.with_counts().select_related("registry")  # type: ignore[no-any-return]

    def sidebar_extra(self) -> list[tuple[str, str, str]]:
        """Show the pages that belong to no table beside the lists."""
        return [
            ("Compliance", "verified_user", reverse("admin:dnc_compliance")),
            ("Number look-up", "search", reverse("admin:dnc_lookup")),
            ("Registries", "grid_view", reverse("admin:dnc_registries")),
        ]

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        from dnc.admin.scrubs import compliance_page

        return [
            path("look-up/", site.admin_view(self.look_up), name="dnc_lookup"),
            path("registries/", site.admin_view(self.registries), name="dnc_registries"),
            path("registries/load/", site.admin_view(self.load), name="dnc_registry_load"),
            path("compliance/", site.admin_view(compliance_page(self)), name="dnc_compliance"),
            *super().get_urls(),
        ]

    @admin.display(description="Numbers")
    def numbers(self, dnc_list: Any) -> SafeString | str:
        count = number(getattr(dnc_list, "contact_count", 0))
        if dnc_list.registry_id is not None:
            return count
        return format_html(
            '<a href="{}?list__id__exact={}">{}</a>', reverse("admin:dnc_dncentry_changelist"), dnc_list.pk, count
        )

    @admin.display(description="Version")
    def version(self, dnc_list: Any) -> str:
        if dnc_list.registry_id is None:
            return (
                "" if dnc_list._state.adding else date_format(timezone.localtime(dnc_list.changed_at), "j M Y, H:i T")
            )
        day = getattr(dnc_list, "version_date", None)
        return date_format(day, "j M Y") if day else "not loaded"

    @display(description="Status", label={"Active": "success", "Inactive": "warning"})  # type: ignore[untyped-decorator]
    def shown_status(self, dnc_list: DncList) -> str:
        return dnc_list.get_status_display()

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> DncList:
        return lists.create_list(**data)

    def perform_update(self, request: HttpRequest, obj: DncList, changes: dict[str, Any]) -> None:
        lists.update_list(obj, **changes)

    def perform_delete(self, request: HttpRequest, obj: DncList) -> None:
        lists.delete_list(obj)

    def look_up(self, request: HttpRequest) -> HttpResponse:
        """Judge one number and show everything known of it."""
        if not self.may(request, "view"):
            raise PermissionDenied
        context: dict[str, Any] = {"number": request.GET.get("number", "").strip()[:50]}
        if context["number"]:
            verdicts, _ = check_numbers([context["number"]])
            context["verdict"] = verdicts[0]
            if verdicts[0].phone_number:
                context["history"] = history_of(verdicts[0].phone_number)
        return self._page(request, "dnc/look_up.html", "Number look-up", context)

    def registries(self, request: HttpRequest) -> HttpResponse:
        """Show every area code of every registry: fresh, stale or missing."""
        if not self.may(request, "view"):
            raise PermissionDenied
        shown = [
            state | {"counts": {name: sum(area["status"] == name for area in state["areas"]) for name in STATES}}
            for state in registry_states(timezone.now().date())
            if state["areas"]
        ]
        rejected = RegistryFile.objects.filter(status=RegistryFile.Status.REJECTED).select_related("registry")[:10]
        context = {"registries": shown, "rejected": rejected, "may_load": request.user.is_superuser}
        return self._page(request, "dnc/registries.html", "Registries", context)

    def load(self, request: HttpRequest) -> HttpResponse:
        """Take a registry's files in; for the platform's operators."""
        if not request.user.is_superuser:
            raise PermissionDenied
        form = LoadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            try:
                load = start_load(
                    registry=form.cleaned_data["registry"],
                    files=store_files(request.FILES.getlist("files")),  # type: ignore[arg-type]
                    accept_shrink=form.cleaned_data["accept_shrink"],
                )
            except VocelioError as error:
                form.add_error(None, error.message)
            else:
                messages.success(request, f"Loading {len(load.files)} files; the organization Platform shows the job.")
                return redirect("admin:dnc_registries")
        return self._page(request, "dnc/load.html", "Load a registry", {"form": form})

    def _page(self, request: HttpRequest, template: str, title: str, context: dict[str, Any]) -> HttpResponse:
        base = {**self.admin_site.each_context(request), "title": title, "opts": self.opts}
        return TemplateResponse(request, template, base | context)


STATES = ("fresh", "stale", "missing")


class SeveralFilesInput(forms.FileInput):
    """Takes many files at once."""

    allow_multiple_selected = True


class LoadForm(forms.Form):
    """Files of one registry."""

    registry = forms.ModelChoiceField(queryset=Registry.objects.active(), widget=UnfoldAdminSelectWidget)
    files = forms.FileField(widget=SeveralFilesInput(attrs={"accept": ".zip,.txt,.csv,.xml"}))  # type: ignore[assignment]
    accept_shrink = forms.BooleanField(
        required=False, widget=UnfoldBooleanSwitchWidget, help_text="Take lists that lost many of their numbers."
    )


@admin.register(DncEntry)
class DncEntryAdmin(TenantAdmin):
    permissions = {"view": "dnc:manage", "add": "dnc:manage", "change": "dnc:manage", "delete": "dnc:manage"}
    section = SECTION
    icon = "do_not_disturb_on"
    menu_title = "Entries"

    list_display = ("phone_number", "list", "source", "reason", "shown_status", "expiry_date", "added_by", "created_at")
    list_select_related = ("list", "added_by")
    list_filter = ("list", "status")
    search_fields = ("phone_number",)
    search_help_text = "How the number begins."
    fields = (("list", "phone_number"), "channels", ("source", "reason"), "notes", ("expiry_date", "honour_by"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["honour_by"] + (["list", "phone_number"] if obj is not None else [])

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[QuerySet[Any], bool]:
        return (queryset.search(search_term) if search_term.strip() else queryset), False

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "list":
            kwargs["queryset"] = DncList.objects.filter(registry__isnull=True).order_by("name")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @display(description="Status", label={"Active": "success", "Expired": "warning"})  # type: ignore[untyped-decorator]
    def shown_status(self, entry: DncEntry) -> str:
        return entry.get_status_display()

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> DncEntry:
        return entries.create_entry(dnc_list=data.pop("list"), **data)

    def perform_update(self, request: HttpRequest, obj: DncEntry, changes: dict[str, Any]) -> None:
        entries.update_entry(obj, **changes)

    def perform_delete(self, request: HttpRequest, obj: DncEntry) -> None:
        entries.delete_entry(obj)


class UploadForm(forms.Form):
    """A file of numbers and the list it belongs on."""

    list: "forms.ModelChoiceField[DncList]" = forms.ModelChoiceField(queryset=None, widget=UnfoldAdminSelectWidget)
    file = forms.FileField()
    replace = forms.BooleanField(
        required=False, widget=UnfoldBooleanSwitchWidget, help_text="Take off the list what the file does not hold."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["list"].queryset = DncList.objects.filter(registry__isnull=True).order_by("name")  # type: ignore[attr-defined]


@admin.register(ListUpload)
class ListUploadAdmin(TenantAdmin):
    permissions = {"view": "dnc:manage", "add": "dnc:manage"}
    section = SECTION
    icon = "upload"
    menu_title = "Uploads"

    list_display = ("filename", "live", "list", "format", "added", "removed", "invalid", "created_by", "created_at")
    list_select_related = ("created_by", "list")
    list_filter = ("status",)
    search_fields = ("filename",)

    @admin.display(description="Progress")
    def live(self, job: ListUpload) -> SafeString:
        return progress_bar(job)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Take a file in and go where it can be watched."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            data = form.cleaned_data
            try:
                uploads.start_upload(dnc_list=data["list"], file=data["file"], replace=data["replace"])
            except VocelioError as error:
                form.add_error("file", error.message)
            else:
                return redirect("admin:dnc_listupload_changelist")
        context = {**self.admin_site.each_context(request), "title": "Upload numbers", "form": form, "opts": self.opts}
        return TemplateResponse(request, "dnc/load.html", context)


@admin.register(Entitlement)
class EntitlementAdmin(TenantAdmin):
    permissions = {"view": "dnc:manage", "add": "dnc:manage", "change": "dnc:manage", "delete": "dnc:manage"}
    section = SECTION
    icon = "badge"
    menu_title = "Subscriptions"

    list_display = ("san", "registry", "codes", "valid_from", "valid_to", "valid")
    list_select_related = ("registry",)
    fields = (("registry", "san"), "area_codes", ("valid_from", "valid_to"))

    @admin.display(description="Area codes")
    def codes(self, entitlement: Entitlement) -> str:
        return ", ".join(entitlement.area_codes) or "all"

    @admin.display(description="Valid today", boolean=True)
    def valid(self, entitlement: Entitlement) -> bool:
        return entitlement.is_valid

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> Entitlement:
        return entitlements.create_entitlement(**data)

    def perform_update(self, request: HttpRequest, obj: Entitlement, changes: dict[str, Any]) -> None:
        entitlements.update_entitlement(obj, **changes)

    def perform_delete(self, request: HttpRequest, obj: Entitlement) -> None:
        entitlements.delete_entitlement(obj)


@admin.register(RegistryLoad)
class RegistryLoadAdmin(TenantAdmin):
    """Loads of registries, which run in the platform's own organization."""

    for_operators = True
    permissions = {"view": "dnc:manage"}
    section = SECTION
    icon = "database"
    menu_title = "Registry loads"

    list_display = ("registry", "live", "files_loaded", "files_rejected", "added", "removed", "created_at")
    list_select_related = ("registry",)

    @admin.display(description="Progress")
    def live(self, job: RegistryLoad) -> SafeString:
        return progress_bar(job)


@admin.register(EmailOptOut)
class EmailOptOutAdmin(TenantAdmin):
    permissions = {"view": "dnc:manage", "add": "dnc:manage", "delete": "dnc:manage"}
    section = SECTION
    icon = "unsubscribe"
    menu_title = "E-mail opt-outs"

    list_display = ("email", "source", "reason", "added_by", "created_at")
    list_select_related = ("added_by",)
    search_fields = ("email__exact",)
    fields = ("email", "reason")

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> EmailOptOut:
        user_id = self.principal(request).user_id
        entries.add_opt_outs(emails=[data["email"]], source="back office", reason=data["reason"], user_id=user_id)
        found: EmailOptOut = EmailOptOut.objects.get(email=data["email"].strip().lower())
        return found

    def perform_delete(self, request: HttpRequest, obj: EmailOptOut) -> None:
        entries.take_back_email_opt_out(obj)
