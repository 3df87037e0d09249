"""Clients, with their people and what the apps above know of them."""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from rest_framework.exceptions import ValidationError as ApiError
from unfold.decorators import display

from contacts.admin import panels
from contacts.admin.duplicates import compared
from contacts.admin.records import RecordAdmin, RecordForm, TrashFilter
from contacts.client_panels import ClientPanel, client_panels
from contacts.incoming.domains import domain_of
from contacts.models import Client, ClientContact, LiveClient, Verification
from contacts.serializers.clients import clean_url
from contacts.services import client_bulk, client_relations
from contacts.services.client_merges import CHOICES, merge_clients, unmerge_client
from contacts.services.clients import (
    create_client,
    delete_client,
    update_client,
    verify_client,
    visible_client,
)
from vocelio.backoffice.forms import by_id
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.errors import VocelioError
from vocelio.languages.translate import lazily


class ClientForm(RecordForm):
    """A client as people type it: numbers in any form, addresses with or without https://."""

    def clean_domain(self) -> str:
        text: str = self.cleaned_data["domain"]
        domain = domain_of(text)
        if text.strip() and not domain:
            raise ValidationError("This is not a domain.")
        return domain

    def clean_website(self) -> str:
        return _url(self.cleaned_data["website"])

    def clean_linkedin_url(self) -> str:
        return _url(self.cleaned_data["linkedin_url"])

    def clean_currency(self) -> str:
        currency: str = self.cleaned_data["currency"].upper()
        if currency and not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
            raise ValidationError("Three letters, such as EUR.")
        return currency

    def clean_country(self) -> str:
        country: str = self.cleaned_data["country"].upper()
        return country


def _url(text: str) -> str:
    try:
        return clean_url(text)
    except ApiError:
        raise ValidationError("This is not a web address.") from None


@cache
def panel_field(panel: ClientPanel) -> Callable[[Any], SafeString]:
    """Return what shows an app's table as a field of a client's page."""

    @admin.display(description=lazily(panel.label))
    def shown(client: Any) -> SafeString:
        return panels.render(panel.table(client.pk, client.viewer)) if panel.table else SafeString()

    return shown


@admin.register(Client)
class ClientAdmin(RecordAdmin):
    permissions = {
        "view": "clients:read",
        "add": "clients:write",
        "change": "clients:write",
        "delete": "clients:delete",
        "restore": "clients:delete",
        "verify": "clients:verify",
        "merge": "clients:delete",
    }
    form = ClientForm
    actions = ("restore", "verify", "reject", "merge")
    section = "Contacts"
    icon = "apartment"
    menu_title = "Clients"

    list_display = ("name", "domain", "industry", "place", "shown_status", "shown_verification", "assigned_to", "added")
    list_select_related = ("assigned_to",)
    list_filter = (TrashFilter, "status", "verification", "size")
    live = LiveClient
    trash_fields = ("name", "legal_name", "domain", "email")
    live_actions = ("delete_selected", "verify", "reject", "merge")
    search_help_text = "Beginnings of the name, domain or e-mail address; the last digits of the phone number."
    raw_id_fields = ("parent",)
    readonly_fields = (
        "people",
        "subsidiaries",
        "verification",
        "verified_at",
        "verified_by",
        "created_by",
        "created_at",
        "updated_at",
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "legal_name"),
                    ("status", "assigned_to"),
                    ("website", "domain"),
                    ("industry", "size"),
                    ("annual_revenue", "currency"),
                    ("email", "phone"),
                    ("parent", "source"),
                    "tags",
                )
            },
        ),
        ("Address", {"fields": ("address", ("city", "state"), ("zip", "country"))}),
        ("More", {"fields": (("tax_id", "linkedin_url"), "notes", "custom_fields")}),
        (
            "History",
            {"fields": (("verification", "verified_at"), "verified_by", ("created_by", "created_at"), "updated_at")},
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Put people, subsidiaries and what the apps above know first on the page of a client."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return [each for each in fieldsets if each[0] != "History"]
        tables: list[Any] = [("People", {"fields": ("people",)}), ("Subsidiaries", {"fields": ("subsidiaries",)})]
        tables += [(panel.label, {"fields": (panel_field(panel),)}) for panel in client_panels() if panel.table]
        return [fieldsets[0], *tables, *fieldsets[1:]]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = list(super().get_readonly_fields(request, obj))
        return [*fields, *(panel_field(panel) for panel in client_panels() if panel.table)]

    @admin.display(description="People")
    def people(self, client: Any) -> SafeString:
        return panels.people_of(client, client.viewer)

    @admin.display(description="Subsidiaries")
    def subsidiaries(self, client: Any) -> SafeString:
        return panels.subsidiaries_of(client, client.viewer)

    def has_merge_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "merge")

    def has_verify_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "verify")

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        return [
            path("<uuid:pk>/merge/<uuid:other_pk>/", site.admin_view(self.merge_page), name="contacts_client_merge"),
            *super().get_urls(),
        ]

    @admin.action(description="Merge the two selected clients", permissions=["merge"])
    def merge(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        ids = list(queryset.order_by("created_at").values_list("pk", flat=True)[:3])
        if len(ids) != 2:
            self.message_user(request, "Select two clients to make one of them.", messages.WARNING)
            return None
        return redirect("admin:contacts_client_merge", *ids)

    def merge_page(self, request: HttpRequest, pk: Any, other_pk: Any) -> HttpResponse:
        """Show both clients side by side, and merge them."""
        if not self.may(request, "merge"):
            raise PermissionDenied
        principal = self.principal(request)
        seen = Client.objects.alive().visible_to(principal).select_related("parent", "assigned_to").defer("search")
        clients: list[Any] = [get_object_or_404(seen, pk=each) for each in (pk, other_pk)]
        if request.method == "POST":
            chosen = request.POST.get("survivor")
            survivor, other = clients if chosen != str(clients[1].pk) else reversed(clients)
            ids = {str(each.pk) for each in clients} | {"both"}
            choices = {name: value for name in CHOICES if (value := request.POST.get(f"choice-{name}")) in ids}
            try:
                with transaction.atomic():
                    merged = merge_clients(survivor=survivor, others=[other], principal=principal, choices=choices)
            except VocelioError as error:
                self.message_user(request, error.message, messages.ERROR)
                return redirect("admin:contacts_client_merge", pk, other_pk)
            self.message_user(request, f"Merged into {merged}. It can be taken back on its page.", messages.SUCCESS)
            return redirect("admin:contacts_client_change", merged.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": "Make one client of two",
            "opts": self.opts,
            "of_clients": True,
            "contacts": clients,
            "rows": compared(clients, CHOICES),
            "may_merge": True,
        }
        return TemplateResponse(request, "backoffice/merge.html", context)

    @admin.action(description="Restore the selected clients", permissions=["restore"])
    def restore(self, request: HttpRequest, queryset: Any) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        self.tell(request, client_bulk.restore(principal=self.principal(request), client_ids=ids), "restored")

    @admin.action(description="Mark the selected clients as verified", permissions=["verify"])
    def verify(self, request: HttpRequest, queryset: Any) -> None:
        self._verify(request, queryset, Verification.VERIFIED)

    @admin.action(description="Mark the selected clients as rejected", permissions=["verify"])
    def reject(self, request: HttpRequest, queryset: Any) -> None:
        self._verify(request, queryset, Verification.REJECTED)

    def _verify(self, request: HttpRequest, queryset: Any, verification: Verification) -> None:
        clients = list(queryset)
        for client in clients:
            verify_client(client=client, verification=verification)
        self.message_user(request, f"{len(clients)} clients {verification.label.lower()}.", messages.SUCCESS)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        self.tell(request, client_bulk.delete(principal=self.principal(request), client_ids=ids), "moved to the trash")

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> Client:
        return create_client(principal=self.principal(request), **by_id(data, "assigned_to", "parent"))

    def perform_update(self, request: HttpRequest, obj: Client, changes: dict[str, Any]) -> None:
        update_client(client=obj, principal=self.principal(request), **by_id(changes, "assigned_to", "parent"))

    def perform_delete(self, request: HttpRequest, obj: Client) -> None:
        delete_client(client=obj)

    def perform_unmerge(self, request: HttpRequest, obj: Client) -> None:
        unmerge_client(client=obj, principal=self.principal(request))

    @admin.display(description="Place")
    def place(self, client: Client) -> str:
        return ", ".join(filter(None, [client.city, client.state or client.country]))

    @display(description="Status", label={"Active": "success", "Prospect": "info", "Inactive": "warning"})  # type: ignore[untyped-decorator]
    def shown_status(self, client: Client) -> str:
        return client.get_status_display()

    @display(description="Verification", label={"Verified": "success", "Rejected": "danger"})  # type: ignore[untyped-decorator]
    def shown_verification(self, client: Client) -> str:
        return client.get_verification_display()


@admin.register(ClientContact)
class ClientContactAdmin(TenantAdmin):
    """Who belongs to which company; reached from the pages of both."""

    permissions = dict.fromkeys(["view"], "clients:read") | dict.fromkeys(["add", "change", "delete"], "clients:write")
    section = "Contacts"
    icon = "badge"
    menu_title = "People of clients"

    list_display = ("person", "company", "shown_role", "title", "is_primary", "started_on", "ended_on")
    list_select_related = ("client", "contact")
    list_filter = ("role", "is_primary")
    raw_id_fields = ("client", "contact")
    fields = (("client", "contact"), ("role", "title"), "is_primary", ("started_on", "ended_on"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else ("client", "contact")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: Any = super().get_queryset(request)
        alive: QuerySet[Any] = rows.alive().defer("client__search", "contact__search")
        return alive

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> ClientContact:
        data = dict(data)
        client, contact, principal = data.pop("client"), data.pop("contact"), self.principal(request)
        return client_relations.add_relation(
            client=visible_client(client.pk, principal, "client"),
            contact=client_relations.contact_to_add(contact.pk, principal),
            **data,
        )

    def perform_update(self, request: HttpRequest, obj: ClientContact, changes: dict[str, Any]) -> None:
        client_relations.update_relation(relation=obj, **changes)

    def perform_delete(self, request: HttpRequest, obj: ClientContact) -> None:
        client_relations.remove_relation(relation=obj)

    @admin.display(description="Person")
    def person(self, relation: ClientContact) -> str:
        return str(relation.contact)

    @admin.display(description="Company")
    def company(self, relation: ClientContact) -> str:
        return str(relation.client)

    @admin.display(description="Role")
    def shown_role(self, relation: ClientContact) -> str:
        return relation.get_role_display()
