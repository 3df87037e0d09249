"""Agency work: candidates shown to clients, whose candidates they are, hotlists."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.decorators import display

from contacts.admin.panels import render
from contacts.client_panels import PanelTable
from contacts.models import Contact
from recruitment.models import CandidateClaim, Hotlist, HotlistEntry, Submission
from recruitment.services import pools
from vocelio.backoffice.forms import by_id
from vocelio.backoffice.tenant import TenantAdmin

DECISIONS = {"Submitted": "info", "Shortlisted": "info", "Interviewing": "info", "Accepted": "success"}


@admin.register(Submission)
class SubmissionAdmin(TenantAdmin):
    permissions = {"view": "applications:read", **dict.fromkeys(["add", "change"], "applications:write")}
    section = "Recruitment"
    icon = "outbox"

    list_display = ("who", "job", "client", "state", "submitted_at", "decided_at")
    list_select_related = ("application__contact", "application__job", "client")
    list_filter = ("status",)
    autocomplete_fields = ("application", "client", "recipient")
    fields = (("application", "client"), ("recipient", "status"), "note", "feedback")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("application__contact__search", "client__search")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("application", "client") if obj else ("status", "feedback")

    @admin.display(description="Candidate")
    def who(self, submission: Submission) -> str:
        return str(submission.application.contact)

    @admin.display(description="Job")
    def job(self, submission: Submission) -> str:
        title: str = submission.application.job.title
        return title

    @display(description="Status", label=DECISIONS)  # type: ignore[untyped-decorator]
    def state(self, submission: Submission) -> str:
        return submission.get_status_display()

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> Submission:
        return pools.create_submission(principal=self.principal(request), **by_id(data, "client", "recipient"))

    def perform_update(self, request: HttpRequest, obj: Submission, changes: dict[str, Any]) -> None:
        pools.update_submission(submission=obj, **by_id(changes, *({"recipient"} & changes.keys())))


@admin.register(CandidateClaim)
class CandidateClaimAdmin(TenantAdmin):
    permissions = {"view": "profiles:read", **dict.fromkeys(["add", "delete"], "profiles:write")}
    section = "Recruitment"
    icon = "front_hand"
    menu_title = "Claims"

    list_display = ("contact", "user", "until", "note", "created_at")
    list_select_related = ("contact", "user")
    search_fields = ("contact__last_name", "contact__email")
    autocomplete_fields = ("contact",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        visible = Contact.objects.alive().visible_to(self.principal(request)).values("pk")
        return super().get_queryset(request).filter(contact__in=visible).defer("contact__search")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["contact", "note"] if obj is None else ["contact", "user", "until", "note"]

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> CandidateClaim:
        """Claim the candidate for the person who asks, for the organization's window."""
        return pools.claim(contact=data["contact"], principal=self.principal(request), note=data["note"])

    def perform_delete(self, request: HttpRequest, obj: CandidateClaim) -> None:
        pools.release(contact=obj.contact, principal=self.principal(request))


@admin.register(Hotlist)
class HotlistAdmin(TenantAdmin):
    permissions = {
        "view": "applications:read",
        **dict.fromkeys(["add", "change", "delete"], "applications:write"),
    }
    section = "Recruitment"
    icon = "local_fire_department"

    list_display = ("name", "assigned_to", "created_at")
    list_select_related = ("assigned_to",)
    search_fields = ("name",)
    readonly_fields = ("candidates",)
    fields = ("name", "description", "assigned_to", "candidates")

    @admin.display(description="Candidates")
    def candidates(self, hotlist: Hotlist) -> SafeString:
        entries = HotlistEntry.objects.filter(hotlist_id=hotlist.pk, contact__deleted_at__isnull=True)
        rows = [
            (reverse("admin:contacts_contact_change", args=[entry.contact_id]), [str(entry.contact), entry.note])
            for entry in entries.select_related("contact").defer("contact__search")[:100]
        ]
        return render(PanelTable(["Who", "Why"], rows))

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> Hotlist:
        return pools.save_hotlist(Hotlist(), **by_id(data, "assigned_to"))

    def perform_update(self, request: HttpRequest, obj: Hotlist, changes: dict[str, Any]) -> None:
        pools.save_hotlist(obj, **by_id(changes, "assigned_to"))

    def perform_delete(self, request: HttpRequest, obj: Hotlist) -> None:
        pools.delete_hotlist(hotlist=obj)
