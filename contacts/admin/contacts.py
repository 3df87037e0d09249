"""Contacts and their trash. Nothing here counts, sorts or scans a whole table, so a million rows open at once."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from contacts.admin import panels
from contacts.admin.figures import figures_context
from contacts.admin.records import RecordAdmin, RecordForm, TrashFilter, in_trash
from contacts.models import Contact, ContactChange, ContactList, ContactTally, LiveContact
from contacts.serializers.history import change_rows, names_of
from contacts.services import bulk
from contacts.services.contacts import create_contact, delete_contact, update_contact
from contacts.services.merges import unmerge_contact
from contacts.timeline import read_timeline
from vocelio.backoffice.forms import by_id


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
class ContactAdmin(RecordAdmin):
    permissions = {
        "view": "contacts:read",
        "add": "contacts:write",
        "change": "contacts:write",
        "delete": "contacts:delete",
        "restore": "contacts:delete",
        "export": "contacts:export",
        "figures": "analytics:read",
    }
    form = RecordForm
    actions = ("restore",)
    change_list_template = "backoffice/contacts.html"
    section = "Contacts"
    icon = "contacts"

    list_display = ("name", "phone_formatted", "email", "company", "place", "shown_status", "assigned_to", "added")
    list_select_related = ("assigned_to",)
    list_filter = (TrashFilter, OnListFilter, "status", ("created_at", RangeDateTimeFilter))
    live = LiveContact
    trash_fields = ("first_name", "last_name", "company", "email", "phone")
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

    def sidebar_extra(self) -> list[tuple[str, str, str]]:
        """Show the figures beside the list."""
        figures = ("Contact figures", "monitoring", reverse("admin:contacts_contact_figures"))
        return [figures, *super().sidebar_extra()]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.figures)
        return [path("figures/", view, name="contacts_contact_figures"), *super().get_urls()]

    def figures(self, request: HttpRequest) -> HttpResponse:
        """Show growth, sources, lists and imports as charts."""
        if not self.may(request, "figures"):
            raise PermissionDenied
        context = {**self.admin_site.each_context(request), "opts": self.opts, **figures_context(request)}
        return TemplateResponse(request, "backoffice/figures.html", context)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Put companies and profiles on the page of a contact that is there."""
        fieldsets = list(super().get_fieldsets(request, obj))
        if obj is not None:
            fieldsets.insert(1, ("Companies, profiles, insights", {"fields": ("companies", "profiles", "insights")}))
        return fieldsets

    @admin.display(description="Companies")
    def companies(self, contact: Any) -> SafeString:
        return panels.companies_of(contact, contact.viewer)

    @admin.display(description="Profiles")
    def profiles(self, contact: Any) -> SafeString:
        return panels.profiles_of(contact)

    @admin.display(description="Insights")
    def insights(self, contact: Any) -> SafeString:
        return panels.insights_of(contact, contact.viewer)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Offer a file of what the list shows."""
        context = dict(extra_context or {})
        if self.may(request, "export") and not in_trash(request):
            address = reverse("admin:contacts_contactexport_add")
            context["export_address"] = f"{address}?{request.GET.urlencode()}"
        return super().changelist_view(request, context)

    @admin.action(description="Restore the selected contacts", permissions=["restore"])
    def restore(self, request: HttpRequest, queryset: Any) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        self.tell(request, bulk.restore(principal=self.principal(request), contact_ids=ids), "restored")

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        self.tell(request, bulk.delete(principal=self.principal(request), contact_ids=ids), "moved to the trash")

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> Contact:
        return create_contact(principal=self.principal(request), **by_id(data, "assigned_to"))

    def perform_update(self, request: HttpRequest, obj: Contact, changes: dict[str, Any]) -> None:
        update_contact(contact=obj, principal=self.principal(request), **by_id(changes, "assigned_to"))

    def perform_delete(self, request: HttpRequest, obj: Contact) -> None:
        delete_contact(contact=obj)

    def perform_unmerge(self, request: HttpRequest, obj: Contact) -> None:
        unmerge_contact(contact=obj, principal=self.principal(request))

    def population(self) -> int:
        return sum(ContactTally.objects.by_status().values())

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

    @admin.display(description="Name")
    def name(self, contact: Contact) -> str:
        return str(contact)

    @admin.display(description="Place")
    def place(self, contact: Contact) -> str:
        return ", ".join(filter(None, [contact.city, contact.state]))

    @display(description="Status", label={"Active": "success", "Inactive": "warning"})  # type: ignore[untyped-decorator]
    def shown_status(self, contact: Contact) -> str:
        return contact.get_status_display()
