"""What the pages of contacts and clients share. Nothing counts, sorts or scans a whole table, so a million rows open at once."""

from functools import reduce
from operator import or_
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format

from contacts.phones import PhoneProblem, format_for_people, normalize
from vocelio.backoffice.forms import TenantForm
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.bulk import BulkResult
from vocelio.db.counting import bounded_count
from vocelio.errors import VocelioError

IN_TRASH = "yes"
# How many matches of a search can be paged through.
NEWEST_MATCHES = 1_000


class RecordForm(TenantForm):
    """A record with a phone number in any form people type."""

    # The country whose dialling rules hold for numbers without a +.
    region: ClassVar[str] = ""

    def clean_phone(self) -> str | None:
        text: str | None = self.cleaned_data["phone"]
        if not text:
            return text
        phone = normalize(text, self.region)
        if isinstance(phone, PhoneProblem):
            raise ValidationError(f"Not a phone number: {phone.reason}.")
        return phone.e164


class TrashFilter(admin.SimpleListFilter):
    """What is alive by default, the trash when asked for."""

    title = "place"
    parameter_name = "trash"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(IN_TRASH, "In the trash")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Any]:
        rows: QuerySet[Any] = queryset.in_trash() if self.value() == IN_TRASH else queryset.alive()
        return rows


def in_trash(request: HttpRequest) -> bool:
    return request.GET.get(TrashFilter.parameter_name) == IN_TRASH


class RecordAdmin(TenantAdmin):
    """Records with a trash, search by lexemes, bulk actions and merges that can be taken back."""

    change_form_template = "backoffice/with_action.html"
    search_fields = ("search",)
    # The model's view in which search works under policies, and where the trash, which has no index for it, is read.
    live: ClassVar[Any]
    trash_fields: ClassVar[tuple[str, ...]]
    # Actions on what is alive; `restore` alone is for the trash.
    live_actions: ClassVar[tuple[str, ...]] = ("delete_selected",)

    def sidebar_extra(self) -> list[tuple[str, str, str]]:
        """Show the trash beside the records."""
        address = reverse(self._name("changelist"))
        return [(f"Trash of {self.opts.verbose_name_plural}", "delete", f"{address}?trash={IN_TRASH}")]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # The search column is long and nobody reads it.
        return super().get_queryset(request).defer("search")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        record = super().get_object(request, object_id, from_field)
        if record is not None:
            # What the tables on the page show depends on who looks.
            record.viewer = self.principal(request)
        return record

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("-deleted_at", "-id") if in_trash(request) else self.ordering

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.deleted_at is None)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.deleted_at is None)

    def has_restore_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "restore")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer to restore in the trash, everything else outside of it."""
        actions: dict[str, Any] = super().get_actions(request)
        for name in self.live_actions if in_trash(request) else ("restore",):
            actions.pop(name, None)
        return actions

    def tell(self, request: HttpRequest, result: BulkResult, what: str) -> None:
        """Say what became of a bulk action."""
        if result.successful:
            told = f"{len(result.successful)} {self.opts.verbose_name_plural} {what}."
            self.message_user(request, told, messages.SUCCESS)
        for error in result.errors[:10]:
            self.message_user(request, error["error"], messages.WARNING)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.region = self.principal(request).default_region
        return form

    def population(self) -> int:
        """Return how many are alive, or more than can matter to the plan of a search."""
        return bounded_count(self.model.objects.alive())[0]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[QuerySet[Any], bool]:
        """Find by the index on search lexemes; the trash, which is small and has none, by reading it."""
        if not search_term.strip():
            return queryset, False
        if in_trash(request):
            conditions = (Q(**{f"{field}__icontains": search_term.strip()}) for field in self.trash_fields)
            return queryset.filter(reduce(or_, conditions)), False
        matches = self.live.objects.search(search_term)
        if set(request.GET) <= {"q", "p"}:
            # Nothing else narrows them, so the newest are enough, and cost the same however many there are.
            newest = matches.visible_to(self.principal(request)).order_by(*self.ordering)
            keys, _, _ = newest.read_page(0, NEWEST_MATCHES, population=self.population())
            return queryset.filter(pk__in=[key["id"] for key in keys]), False
        return queryset.filter(pk__in=matches.values("pk")), False

    def get_urls(self) -> list[URLPattern]:
        unmerge = self.admin_site.admin_view(self.unmerge)
        return [path("<uuid:pk>/unmerge/", unmerge, name=self._name("unmerge", "")), *super().get_urls()]

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Offer to take the last merge back."""
        offered = None
        record = self.get_object(request, object_id) if object_id else None
        if record is not None and self.may(request, "delete"):
            merges = record.merges.filter(unmerged_at__isnull=True).select_related("absorbed")
            if newest := merges.order_by("-merged_at").first():
                address = reverse(self._name("unmerge"), args=[record.pk])
                offered = {"address": address, "label": f"Take the merge of {newest.absorbed} back"}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), "offered": offered})

    def unmerge(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Bring back the record that was merged in last."""
        if request.method != "POST" or not self.may(request, "delete"):
            raise PermissionDenied
        record = get_object_or_404(self.get_queryset(request), pk=pk)
        try:
            with transaction.atomic():
                self.perform_unmerge(request, record)
            self.message_user(request, f"Both {self.opts.verbose_name_plural} are back.", messages.SUCCESS)
        except VocelioError as error:
            self.message_user(request, error.message, messages.ERROR)
        return redirect(self._name("change"), pk)

    @admin.display(description="Phone")
    def phone_formatted(self, record: Any) -> str:
        return format_for_people(record.phone) if record.phone else ""

    @admin.display(description="Added")
    def added(self, record: Any) -> str:
        return date_format(timezone.localtime(record.created_at), "j M Y")

    def _name(self, page: str, prefix: str = "admin:") -> str:
        return f"{prefix}{self.opts.app_label}_{self.opts.model_name}_{page}"
