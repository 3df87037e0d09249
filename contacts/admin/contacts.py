"""Contacts and their trash. Nothing here counts, sorts or scans a whole table, so a million rows open at once."""

from functools import reduce
from operator import or_
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from contacts.admin import panels
from contacts.models import Contact, ContactChange, ContactList, ContactMerge, ContactTally, LiveContact
from contacts.phones import PhoneProblem, format_for_people, normalize
from contacts.serializers.history import change_rows, names_of
from contacts.services import bulk
from contacts.services.bulk import BulkResult
from contacts.services.contacts import create_contact, delete_contact, update_contact
from contacts.services.merges import unmerge_contact
from contacts.timeline import read_timeline
from vocelio.backoffice.forms import TenantForm
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.errors import VocelioError

IN_TRASH = "yes"
# How many matches of a search can be paged through.
NEWEST_MATCHES = 1_000


class ContactForm(TenantForm):
    """A contact as people type it: numbers in any form, e-mail addresses in any case."""

    # The country whose dialling rules hold for numbers without a +.
    region: ClassVar[str] = ""

    def clean_phone(self) -> str | None:
        text = self.cleaned_data["phone"]
        if not text:
            return None
        phone = normalize(text, self.region)
        if isinstance(phone, PhoneProblem):
            raise ValidationError(f"Not a phone number: {phone.reason}.")
        return phone.e164


class TrashFilter(admin.SimpleListFilter):
    """Contacts by default, the trash when asked for."""

    title = "place"
    parameter_name = "trash"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(IN_TRASH, "In the trash")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Contact]:
        rows: QuerySet[Contact] = queryset.in_trash() if self.value() == IN_TRASH else queryset.alive()
        return rows


class OnListFilter(admin.SimpleListFilter):
    """Members of one list."""

    title = "list"
    parameter_name = "list"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        lists = ContactList.objects.filter(status=ContactList.Status.ACTIVE).order_by("name")
        return [(str(pk), name) for pk, name in lists.values_list("pk", "name")[:100]]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Contact]:
        rows: QuerySet[Contact] = queryset.filter(memberships__list=self.value()) if self.value() else queryset
        return rows


@admin.register(Contact)
class ContactAdmin(TenantAdmin):
    permissions = {
        "view": "contacts:read",
        "add": "contacts:write",
        "change": "contacts:write",
        "delete": "contacts:delete",
        "restore": "contacts:delete",
        "export": "contacts:export",
    }
    form = ContactForm
    actions = ("restore",)
    change_list_template = "backoffice/contacts.html"
    section = "Contacts"
    icon = "contacts"

    list_display = ("name", "phone_formatted", "email", "company", "place", "shown_status", "assigned_to", "added")
    list_select_related = ("assigned_to",)
    list_filter = (TrashFilter, OnListFilter, "status", ("created_at", RangeDateTimeFilter))
    search_fields = ("search",)
    search_help_text = "Beginnings of names, company or e-mail; the last digits of a phone number."
    readonly_fields = (
        "created_at",
        "updated_at",
        "created_by",
        "contact_count",
        "last_contacted_at",
        "profiles",
        "companies",
        "insights",
        "happened",
    )
    change_form_template = "backoffice/with_action.html"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("first_name", "last_name"),
                    ("phone", "phone_extension"),
                    ("email", "status"),
                    ("company", "title"),
                    ("assigned_to", "source"),
                    "tags",
                )
            },
        ),
        ("Address", {"fields": ("address", ("city", "state"), ("zip", "country"))}),
        ("More", {"fields": ("notes", "private_notes", "custom_fields")}),
        (
            "History",
            {
                "fields": (
                    ("contact_count", "last_contacted_at"),
                    ("created_by", "created_at"),
                    "updated_at",
                    "happened",
                )
            },
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Put companies and profiles on the page of a contact that is there."""
        fieldsets = list(super().get_fieldsets(request, obj))
        if obj is not None:
            fieldsets.insert(1, ("Companies, profiles, insights", {"fields": ("companies", "profiles", "insights")}))
        return fieldsets

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        contact = super().get_object(request, object_id, from_field)
        if contact is not None:
            # What the tables on the page show depends on who looks.
            contact.viewer = self.principal(request)
        return contact

    @admin.display(description="Companies")
    def companies(self, contact: Any) -> SafeString:
        return panels.companies_of(contact, contact.viewer)

    @admin.display(description="Profiles")
    def profiles(self, contact: Any) -> SafeString:
        return panels.profiles_of(contact)

    @admin.display(description="Insights")
    def insights(self, contact: Any) -> SafeString:
        return panels.insights_of(contact, contact.viewer)

    def sidebar_extra(self) -> list[tuple[str, str, str]]:
        """Show the trash beside the contacts."""
        return [("Trash", "delete", f"{reverse('admin:contacts_contact_changelist')}?trash={IN_TRASH}")]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # The search column is long and nobody reads it.
        return super().get_queryset(request).defer("search")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        in_trash = request.GET.get(TrashFilter.parameter_name) == IN_TRASH
        return ("-deleted_at", "-id") if in_trash else self.ordering

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.deleted_at is None)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.deleted_at is None)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Offer a file of what the list shows."""
        context = dict(extra_context or {})
        if self.may(request, "export") and TrashFilter.parameter_name not in request.GET:
            address = reverse("admin:contacts_contactexport_add")
            context["export_address"] = f"{address}?{request.GET.urlencode()}"
        return super().changelist_view(request, context)

    def has_restore_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "restore")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer to restore in the trash, to delete outside of it."""
        actions: dict[str, Any] = super().get_actions(request)
        in_trash = request.GET.get(TrashFilter.parameter_name) == IN_TRASH
        actions.pop("delete_selected" if in_trash else "restore", None)
        return actions

    @admin.action(description="Restore the selected contacts", permissions=["restore"])
    def restore(self, request: HttpRequest, queryset: Any) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        self._tell(request, bulk.restore(principal=self.principal(request), contact_ids=ids), "restored")

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        self._tell(request, bulk.delete(principal=self.principal(request), contact_ids=ids), "moved to the trash")

    def _tell(self, request: HttpRequest, result: BulkResult, what: str) -> None:
        if result.successful:
            self.message_user(request, f"{len(result.successful)} contacts {what}.", messages.SUCCESS)
        for error in result.errors[:10]:
            self.message_user(request, error["error"], messages.WARNING)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.region = self.principal(request).default_region
        return form

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> Contact:
        return create_contact(principal=self.principal(request), **by_id(data))

    def perform_update(self, request: HttpRequest, obj: Contact, changes: dict[str, Any]) -> None:
        update_contact(contact=obj, principal=self.principal(request), **by_id(changes))

    def perform_delete(self, request: HttpRequest, obj: Contact) -> None:
        delete_contact(contact=obj)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[QuerySet[Any], bool]:
        """Find by the index on search lexemes; the trash, which is small and has none, by reading it."""
        if not search_term.strip():
            return queryset, False
        if request.GET.get(TrashFilter.parameter_name) == IN_TRASH:
            fields = ("first_name", "last_name", "company", "email", "phone")
            conditions = (Q(**{f"{field}__icontains": search_term.strip()}) for field in fields)
            return queryset.filter(reduce(or_, conditions)), False
        matches = LiveContact.objects.search(search_term)
        if set(request.GET) <= {"q", "p"}:
            # Nothing else narrows them, so the newest are enough, and cost the same however many there are.
            population = sum(ContactTally.objects.by_status().values())
            newest = matches.visible_to(self.principal(request)).order_by(*self.ordering)
            keys, _, _ = newest.read_page(0, NEWEST_MATCHES, population=population)
            return queryset.filter(pk__in=[key["id"] for key in keys]), False
        return queryset.filter(pk__in=matches.values("pk")), False

    @admin.display(description="What happened")
    def happened(self, contact: Contact) -> SafeString:
        """Return the newest of the contact's timeline, changes with what was before and after."""
        entries = read_timeline(contact.pk, limit=30)
        people = names_of(entry.user_id for entry in entries)
        changes = {
            str(change.pk): change_rows([change], private=False)[0]["changes"]
            for change in ContactChange.objects.filter(pk__in=[entry.id for entry in entries if entry.kind == "change"])
        }
        lines = [
            {"entry": entry, "by": people.get(entry.user_id), "changes": changes.get(entry.id, [])} for entry in entries
        ]
        return render_to_string("backoffice/timeline.html", {"lines": lines})

    def get_urls(self) -> list[URLPattern]:
        unmerge = self.admin_site.admin_view(self.unmerge)
        return [path("<uuid:pk>/unmerge/", unmerge, name="contacts_contact_unmerge"), *super().get_urls()]

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Offer to take the last merge back."""
        offered = None
        contact = self.get_object(request, object_id) if object_id else None
        if contact is not None and self.may(request, "delete"):
            merges = ContactMerge.objects.filter(survivor=contact, unmerged_at__isnull=True).select_related("absorbed")
            if newest := merges.order_by("-merged_at").first():
                address = reverse("admin:contacts_contact_unmerge", args=[contact.pk])
                offered = {"address": address, "label": f"Take the merge of {newest.absorbed} back"}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), "offered": offered})

    def unmerge(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Bring back the contact that was merged in last."""
        if request.method != "POST" or not self.may(request, "delete"):
            raise PermissionDenied
        contact = get_object_or_404(self.get_queryset(request), pk=pk)
        try:
            with transaction.atomic():
                unmerge_contact(contact=contact, principal=self.principal(request))
            self.message_user(request, "Both contacts are back.", messages.SUCCESS)
        except VocelioError as error:
            self.message_user(request, error.message, messages.ERROR)
        return redirect("admin:contacts_contact_change", pk)

    @admin.display(description="Name")
    def name(self, contact: Contact) -> str:
        return str(contact)

    @admin.display(description="Phone")
    def phone_formatted(self, contact: Contact) -> str:
        return format_for_people(contact.phone) if contact.phone else ""

    @admin.display(description="Place")
    def place(self, contact: Contact) -> str:
        return ", ".join(filter(None, [contact.city, contact.state]))

    @admin.display(description="Added")
    def added(self, contact: Contact) -> str:
        return f"{contact.created_at:%d %b %Y}"

    @display(description="Status", label={"Active": "success", "Inactive": "warning"})  # type: ignore[untyped-decorator]
    def shown_status(self, contact: Contact) -> str:
        return contact.get_status_display()


def by_id(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values as the services take them: a person by id."""
    values = dict(values)
    if "assigned_to" in values:
        person = values.pop("assigned_to")
        values["assigned_to_id"] = person.pk if person else None
    return values
