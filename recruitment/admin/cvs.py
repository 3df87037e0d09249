"""CVs: uploaded one by one or as a zip, their proposals beside their text, accepted by a person."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from recruitment.models import Cv, CvBatch, CvStatus
from recruitment.services import batches, cvs
from vocelio.backoffice.forms import TenantForm
from vocelio.backoffice.jobs import progress_bar
from vocelio.backoffice.tenant import TenantAdmin

TEXTS = ("firstName", "lastName", "email", "phone", "linkedinUrl", "portfolioUrl")


class UploadForm(TenantForm):
    """A file to be taken in."""

    upload = forms.FileField(label="File", widget=UnfoldAdminFileFieldWidget)

    class Meta:
        fields: list[str] = []


class AcceptForm(TenantForm):
    """What was read in a CV, to be corrected and accepted."""

    firstName = forms.CharField(label="First name", required=False, max_length=100, widget=UnfoldAdminTextInputWidget)
    lastName = forms.CharField(label="Last name", required=False, max_length=100, widget=UnfoldAdminTextInputWidget)
    email = forms.EmailField(label="E-mail", required=False, widget=UnfoldAdminTextInputWidget)
    phone = forms.CharField(label="Phone", required=False, max_length=50, widget=UnfoldAdminTextInputWidget)
    linkedinUrl = forms.URLField(
        label="LinkedIn", required=False, assume_scheme="https", widget=UnfoldAdminTextInputWidget
    )
    portfolioUrl = forms.URLField(
        label="Other page", required=False, assume_scheme="https", widget=UnfoldAdminTextInputWidget
    )
    yearsOfExperience = forms.DecimalField(
        label="Years of experience",
        required=False,
        min_value=0,
        max_value=80,
        decimal_places=1,
        widget=UnfoldAdminDecimalFieldWidget,
    )
    skills = forms.CharField(
        required=False, help_text="Separated by commas.", widget=UnfoldAdminTextareaWidget(attrs={"rows": 4})
    )

    class Meta:
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        cv: Cv = kwargs["instance"]
        found = cv.proposals
        values = {name: found[name]["value"] for name in (*TEXTS, "yearsOfExperience") if name in found}
        values["skills"] = ", ".join(each["value"] for each in found.get("skills", []))
        super().__init__(*args, **{**kwargs, "initial": {**values, **(kwargs.get("initial") or {})}})
        for name, field in self.fields.items():
            if name in found and name != "skills":
                field.help_text = f"{found[name]['confidence']:.0%} sure."

    def clean_skills(self) -> list[str]:
        names = [name.strip()[:100] for name in self.cleaned_data["skills"].split(",")]
        return [name for name in dict.fromkeys(names) if name]


@admin.register(Cv)
class CvAdmin(TenantAdmin):
    permissions = {
        "view": "profiles:read",
        "add": "profiles:write",
        "change": "profiles:write",
        "delete": "profiles:write",
    }
    section = "Recruitment"
    icon = "description"
    menu_title = "CVs"

    list_display = ("filename", "read_name", "state", "number_of_skills", "contact", "error_message", "created_at")
    list_select_related = ("contact",)
    list_filter = ("status",)
    search_fields = ("filename",)
    readonly_fields = ("filename", "status", "contact", "error_message", "shown_text")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("contact__search")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["form"] = UploadForm if obj is None else AcceptForm
        kwargs["fields"] = []
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return [(None, {"fields": ["upload"], "description": "PDF or Word (.docx), at most 10 MB."})]
        read = [
            ("firstName", "lastName"),
            ("email", "phone"),
            ("linkedinUrl", "portfolioUrl"),
            "yearsOfExperience",
            "skills",
        ]
        if not self.has_change_permission(request, obj) or obj.status != CvStatus.PARSED:
            read = []
        return [
            (None, {"fields": [("filename", "status"), ("contact", "error_message")]}),
            *([("What it says", {"fields": read})] if read else []),
            ("The text", {"fields": ["shown_text"]}),
        ]

    @admin.display(description="Name")
    def read_name(self, cv: Cv) -> str:
        return " ".join(cv.proposals.get(name, {}).get("value", "") for name in ("firstName", "lastName")).strip()

    @admin.display(description="Skills")
    def number_of_skills(self, cv: Cv) -> int:
        return len(cv.proposals.get("skills", []))

    @display(description="Status", label={"To be looked at": "info", "Accepted": "success", "Refused": "danger"})  # type: ignore[untyped-decorator]
    def state(self, cv: Cv) -> str:
        return cv.get_status_display()

    @admin.display(description="Text")
    def shown_text(self, cv: Cv) -> SafeString:
        return format_html('<pre style="white-space: pre-wrap; max-height: 40rem; overflow: auto">{}</pre>', cv.text)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.__dict__.update(cvs.take_in(file=form.cleaned_data["upload"]).__dict__)
            return
        values = {name: form.cleaned_data[name] for name in AcceptForm.base_fields if form.cleaned_data.get(name)}
        cvs.accept_cv(cv=obj, principal=self.principal(request), values=values)

    def perform_delete(self, request: HttpRequest, obj: Cv) -> None:
        cvs.delete_cv(cv=obj)


@admin.register(CvBatch)
class CvBatchAdmin(TenantAdmin):
    permissions = dict.fromkeys(["view", "add"], "candidates:import")
    section = "Recruitment"
    icon = "folder_zip"
    menu_title = "Batches of CVs"

    list_display = ("filename", "live", "parsed", "refused", "created_by", "created_at")
    list_select_related = ("created_by",)
    fields = ("filename", "status", ("total", "processed"), ("parsed", "refused"), "error_message")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs |= {"form": UploadForm, "fields": []}
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return [(None, {"fields": ["upload"], "description": "A zip of at most 5,000 CVs, 256 MB."})]
        return super().get_fieldsets(request, obj)

    @admin.display(description="Progress")
    def live(self, job: CvBatch) -> SafeString:
        return progress_bar(job)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.__dict__.update(batches.start_batch(file=form.cleaned_data["upload"]).__dict__)
