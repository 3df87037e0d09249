"""Candidate profiles, with skills and files."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from contacts.admin.panels import render
from contacts.admin.profiles import ProfileAdmin
from contacts.client_panels import PanelTable
from recruitment.models import CandidateFile, CandidateProfile, CandidateSkill, Cv
from recruitment.models.profiles import Salary
from recruitment.services import profiles
from vocelio.languages.numbers import money


@admin.register(CandidateProfile)
class CandidateProfileAdmin(ProfileAdmin):
    section = "Recruitment"
    icon = "person_search"

    service_to_make_primary = staticmethod(profiles.make_candidate_profile_primary)
    list_display = (
        "person",
        "headline",
        "shown_search",
        "years_of_experience",
        "place",
        "remote_preference",
        "available_on",
        "is_primary",
    )
    list_filter = ("job_search", "remote_preference", "is_primary")
    search_fields = ("headline", "contact__last_name", "contact__email")
    readonly_fields = (*ProfileAdmin.readonly_fields, "skills", "salaries", "spoken", "career", "documents", "cv")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fields: list[Any] = [
            "contact",
            ("headline", "is_primary"),
            ("job_search", "source"),
            ("years_of_experience", "remote_preference"),
            ("city", "state"),
            ("country", "will_relocate"),
            ("available_on", "notice_period_days"),
            ("linkedin_url", "portfolio_url"),
            "summary",
            "notes",
        ]
        if obj is None:
            return [(None, {"fields": fields})]
        tables: list[Any] = ["skills", "career", "spoken", "documents", "cv"]
        if self.principal(request).may("profiles:salary"):
            tables.insert(1, "salaries")
        return [
            (None, {"fields": fields}),
            ("What they bring", {"fields": tables}),
            ("History", {"fields": (("created_by", "created_at"), "updated_at")}),
        ]

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> CandidateProfile:
        data = self.visible_contact(request, data)
        return profiles.create_candidate_profile(principal=self.principal(request), **data)

    def perform_update(self, request: HttpRequest, obj: CandidateProfile, changes: dict[str, Any]) -> None:
        profiles.update_candidate_profile(profile=obj, **changes)

    def perform_delete(self, request: HttpRequest, obj: CandidateProfile) -> None:
        profiles.delete_candidate_profile(profile=obj)

    @admin.display(description="Place")
    def place(self, profile: CandidateProfile) -> str:
        return ", ".join(filter(None, [profile.city, profile.state, profile.country]))

    @admin.display(description="Skills")
    def skills(self, profile: CandidateProfile) -> SafeString:
        rows = [
            ("", [skill.name, skill.get_level_display(), f"{float(skill.years):g} years" if skill.years else ""])
            for skill in CandidateSkill.objects.filter(profile=profile)
        ]
        return render(PanelTable(["Skill", "Level", "For"], rows))

    @admin.display(description="Salary")
    def salaries(self, profile: CandidateProfile) -> SafeString:
        rows = [
            ("", [name, f"{money(salary.amount, salary.currency, cents=False)} a {salary.period}"])
            for name, salary in (("Desired", profile.desired), ("Current", profile.current))
            if isinstance(salary, Salary)
        ]
        return render(PanelTable(["", "Amount"], rows))

    @admin.display(description="Experience and education")
    def career(self, profile: CandidateProfile) -> SafeString:
        rows = [("", [entry["company"], entry.get("title", ""), span(entry)]) for entry in profile.experience] + [
            ("", [entry["institution"], entry.get("degree", ""), span(entry)]) for entry in profile.education
        ]
        return render(PanelTable(["Where", "As", "When"], rows))

    @admin.display(description="Languages")
    def spoken(self, profile: CandidateProfile) -> str:
        return ", ".join(f"{entry['language']} ({entry['level']})" for entry in profile.languages) or "-"

    @admin.display(description="Files")
    def documents(self, profile: CandidateProfile) -> SafeString:
        rows = [
            (
                reverse("v1:candidate-files-download", args=[file.pk]),
                [file.filename, filesizeformat(file.size), date_format(timezone.localtime(file.created_at), "j M Y")],
            )
            for file in CandidateFile.objects.filter(profile=profile).order_by("-created_at")
        ]
        return render(PanelTable(["File", "Size", "Added"], rows))

    @admin.display(description="What the CV says")
    def cv(self, profile: CandidateProfile) -> SafeString | str:
        newest = Cv.objects.filter(profile_id=profile.pk).exclude(text="").order_by("-created_at").first()
        if newest is None:
            return "-"
        text = '<pre style="white-space: pre-wrap; max-height: 30rem; overflow: auto">{}</pre>'
        return format_html(text, newest.text)

    @display(  # type: ignore[untyped-decorator]
        description="Looks for work",
        label={"Actively looking": "success", "Open to offers": "info", "Not looking": "warning"},
    )
    def shown_search(self, profile: CandidateProfile) -> str:
        return profile.get_job_search_display()


def span(entry: dict[str, Any]) -> str:
    """Return from when to when, as people write it."""
    return f"{entry.get('since', '')} to {entry.get('until') or 'now'}"
