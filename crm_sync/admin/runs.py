"""The history of syncs, record by record, and the report of a dry run."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from unfold.decorators import display

from crm_sync.models import CrmSyncItem, CrmSyncRun
from crm_sync.providers.values import Kind
from crm_sync.services import runs
from crm_sync.services.kinds import record_kinds
from vocelio.backoffice.jobs import progress_bar
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.errors import VocelioError
from vocelio.languages.translate import translated

ITEMS_A_PAGE = 50
MOST_SHOWN = 10_000


@admin.register(CrmSyncRun)
class CrmSyncRunAdmin(TenantAdmin):
    permissions = dict.fromkeys(["view", "rollback"], "crm:manage")
    section = "CRM"
    icon = "history"
    menu_title = "Syncs"

    list_display = (
        "integration",
        "sync_type",
        "what",
        "live",
        "shown_outcome",
        "contacts_added",
        "contacts_updated",
        "contacts_skipped",
        "error_count",
        "created_at",
    )
    list_select_related = ("integration", "created_by")
    list_filter = ("sync_type", "status", "is_dry")

    @admin.display(description="Progress")
    def live(self, run: CrmSyncRun) -> SafeString:
        return progress_bar(run)

    @admin.display(description="Kind")
    def what(self, run: CrmSyncRun) -> str:
        return "dry run" if run.is_dry else "full" if run.is_full else "changes only"

    @display(
        description="Outcome",
        label={"Success": "success", "Some records failed": "warning", "Failed": "danger", "Running": "info"},
    )  # type: ignore[untyped-decorator]
    def shown_outcome(self, run: CrmSyncRun) -> str:
        return str(CrmSyncRun.Outcome(run.outcome).label)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.rollback)
        return [path("<uuid:pk>/rollback/", view, name="crm_sync_crmsyncrun_rollback"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: Any, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show a run: its counts by side, what it cost or would cost, and every record it touched."""
        run = self.get_object(request, object_id)
        if run is None:
            return redirect("admin:crm_sync_crmsyncrun_changelist")
        items = CrmSyncItem.objects.filter(run=run).select_related("contact", "client")
        items = items.defer("contact__search", "client__search").order_by("id")
        for name in ("kind", "side", "action", "outcome"):
            if value := request.GET.get(name):
                items = items.filter(**{name: value[:20]})
        rows = Paginator(items[:MOST_SHOWN], ITEMS_A_PAGE).get_page(request.GET.get("page"))
        details = run.sync_details.get("plan" if run.is_dry else "done", {})
        context = {
            **self.admin_site.each_context(request),
            "title": f"Dry run of {run.integration}" if run.is_dry else f"Sync of {run.integration}",
            "opts": self.opts,
            "original": run,
            "progress": progress_bar(run),
            "sides": _sides(details),
            "cost": run.sync_details.get("cost", {}),
            "rows": rows,
            "changes": [
                (item, [(name, item.before.get(name), item.after.get(name)) for name in item.fields]) for item in rows
            ],
            "query": "".join(
                f"&{name}={request.GET[name]}" for name in ("kind", "side", "action", "outcome") if name in request.GET
            ),
            "may_undo": not run.is_dry and run.sync_type != CrmSyncRun.Type.ROLLBACK and run.completed_at is not None,
        }
        return TemplateResponse(request, "crm/run.html", context)

    def rollback(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Undo on our side what the run did here."""
        run = get_object_or_404(self.get_queryset(request).select_related("integration"), pk=pk)
        if request.method != "POST" or not self.may(request, "rollback"):
            raise PermissionDenied
        try:
            undo = runs.start_rollback(run=run)
        except VocelioError as error:
            messages.error(request, error.message)
            return redirect("admin:crm_sync_crmsyncrun_change", run.pk)
        return redirect("admin:crm_sync_crmsyncrun_change", undo.pk)


def _sides(details: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the counts by kind and side; without any record, nothing on either side."""
    titles = ((CrmSyncItem.Side.LOCAL, "On our side"), (CrmSyncItem.Side.REMOTE, "In the CRM"))
    kinds = [each.kind for each in record_kinds() if each.kind in details] or [Kind.CONTACTS]
    return [
        {
            "title": f"{translated(kind.title())}: {translated(title)}",
            "counts": details.get(kind, {}).get(side, {}).items(),
        }
        for kind in kinds
        for side, title in titles
    ]
