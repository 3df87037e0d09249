"""Projects and activities."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from unfold.decorators import display

from sales.admin.steps import CompleteForm, step_page
from sales.admin.values import CurrencyForm
from sales.models import Activity, Project
from sales.services import activities, projects
from sales.services.money import own_currency
from vocelio.backoffice.forms import by_id
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.errors import VocelioError
from vocelio.languages.numbers import money


@admin.register(Project)
class ProjectAdmin(TenantAdmin):
    permissions = {
        "view": "projects:read",
        "add": "projects:write",
        "change": "projects:write",
        "delete": "projects:delete",
    }
    section = "Sales"
    icon = "rocket_launch"
    form = CurrencyForm

    list_display = ("name", "shown_client", "state", "assigned_to", "starts_on", "ends_on", "worth")
    list_select_related = ("client", "assigned_to")
    list_filter = ("status",)
    search_fields = ("name",)
    autocomplete_fields = ("client",)
    readonly_fields = ("deal", "created_by", "created_at")
    fields = (
        "name",
        ("status", "assigned_to"),
        ("client", "deal"),
        ("starts_on", "ends_on"),
        ("budget", "currency"),
        "description",
        ("created_by", "created_at"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        return rows.alive().defer("client__search")  # type: ignore[no-any-return]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"currency": own_currency(), **super().get_changeform_initial_data(request)}

    @admin.display(description="Client")
    def shown_client(self, project: Project) -> str:
        return str(project.client or "")

    @admin.display(description="Budget")
    def worth(self, project: Project) -> str:
        return money(project.budget, project.currency)

    @display(  # type: ignore[untyped-decorator]
        description="Status",
        label={"Planned": "info", "Active": "success", "On hold": "warning", "Cancelled": "danger"},
    )
    def state(self, project: Project) -> str:
        return project.get_status_display()

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> Project:
        return projects.create_project(principal=self.principal(request), **by_id(data, "client", "assigned_to"))

    def perform_update(self, request: HttpRequest, obj: Project, changes: dict[str, Any]) -> None:
        values = by_id(changes, "client", "assigned_to")
        projects.update_project(project=obj, principal=self.principal(request), **values)

    def perform_delete(self, request: HttpRequest, obj: Project) -> None:
        projects.delete_project(project=obj)


class WhenFilter(admin.SimpleListFilter):
    """What is to be done, overdue or done."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "To do"), ("overdue", "Overdue"), ("done", "Done")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Activity]:
        chosen: dict[str | None, Any] = {
            "open": queryset.open,
            "overdue": queryset.overdue,
            "done": lambda: queryset.filter(completed_at__isnull=False),
        }
        rows: QuerySet[Activity] = chosen.get(self.value(), queryset.all)()
        return rows


@admin.register(Activity)
class ActivityAdmin(TenantAdmin):
    permissions = {
        "view": "activities:read",
        "add": "activities:write",
        "change": "activities:write",
        "complete": "activities:write",
        "delete": "activities:delete",
    }
    section = "Sales"
    icon = "event_available"
    actions = ("complete",)
    change_form_template = "backoffice/with_action.html"

    list_display = ("subject", "shown_kind", "due_at", "state", "assigned_to", "about", "disposition")
    list_select_related = ("assigned_to", "deal", "client", "contact")
    list_filter = (WhenFilter, "kind")
    search_fields = ("subject",)
    autocomplete_fields = ("client", "contact", "deal")
    readonly_fields = ("completed_at", "completed_by", "disposition", "outcome", "created_by", "created_at")
    fields = (
        "subject",
        ("kind", "priority"),
        ("due_at", "duration_minutes", "remind_minutes"),
        ("recurrence", "location"),
        ("deal", "client", "contact"),
        "assigned_to",
        "notes",
        ("completed_at", "completed_by", "disposition"),
        "outcome",
        ("created_by", "created_at"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        return rows.alive().defer("client__search", "contact__search")  # type: ignore[no-any-return]

    @display(description="Kind", label={"Call": "info", "Meeting": "success", "Task": "warning"})  # type: ignore[untyped-decorator]
    def shown_kind(self, activity: Activity) -> str:
        return activity.get_kind_display()

    @admin.display(description="Done")
    def state(self, activity: Activity) -> str:
        return date_format(timezone.localtime(activity.completed_at), "j M Y") if activity.completed_at else ""

    @admin.display(description="About")
    def about(self, activity: Activity) -> str:
        return str(activity.deal or activity.client or activity.contact or "")

    def has_complete_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "complete")

    @admin.action(description="Complete the selected activities", permissions=["complete"])
    def complete(self, request: HttpRequest, queryset: Any) -> None:
        done = 0
        for activity in queryset:
            try:
                activities.complete_activity(activity=activity, principal=self.principal(request))
                done += 1
            except VocelioError as error:
                self.message_user(request, f"{activity}: {error.message}", messages.WARNING)
        if done:
            self.message_user(request, f"{done} activities completed.", messages.SUCCESS)

    def get_urls(self) -> list[URLPattern]:
        complete = self.admin_site.admin_view(self.complete_page)
        return [path("<uuid:pk>/complete/", complete, name="sales_activity_complete"), *super().get_urls()]

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Offer to complete what is open."""
        offered = None
        activity = self.get_object(request, object_id) if object_id else None
        if activity is not None and activity.completed_at is None and self.may(request, "complete"):
            offered = {"page": reverse("admin:sales_activity_complete", args=[activity.pk]), "label": "Complete"}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), "offered": offered})

    def complete_page(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Ask how it went, and complete it."""
        if not self.may(request, "complete"):
            raise PermissionDenied
        activity: Activity = get_object_or_404(self.get_queryset(request), pk=pk)
        form = CompleteForm(activity.kind, request.POST or None)

        def act() -> HttpResponse:
            _, following = activities.complete_activity(
                activity=activity, principal=self.principal(request), **form.cleaned_data
            )
            text = (
                f"Completed. Next: {following}, {date_format(timezone.localtime(following.due_at), 'j M Y, H:i T')}."
                if following
                else "Completed."
            )
            self.message_user(request, text, messages.SUCCESS)
            return redirect("admin:sales_activity_changelist")

        return step_page(
            self,
            request,
            form,
            act,
            title=f"Complete: {activity}",
            explained="A call that ends with “Do not call again” takes the number out of every call list.",
            label="Complete",
        )

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> Activity:
        values = by_id(data, "deal", "client", "contact", "assigned_to")
        return activities.create_activity(principal=self.principal(request), **values)

    def perform_update(self, request: HttpRequest, obj: Activity, changes: dict[str, Any]) -> None:
        values = by_id(changes, "deal", "client", "contact", "assigned_to")
        activities.update_activity(activity=obj, principal=self.principal(request), **values)

    def perform_delete(self, request: HttpRequest, obj: Activity) -> None:
        activities.delete_activity(activity=obj)
