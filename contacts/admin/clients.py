"""Clients, with their people and what the apps above know of them."""

from collections.abc import Callable
from functools import cache, reduce
from operator import or_
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from rest_framework.exceptions import ValidationError as ApiError
from unfold.decorators import display

from contacts.admin import panels
from contacts.admin.contacts import IN_TRASH, TrashFilter, by_id
from contacts.admin.duplicates import compared
from contacts.client_panels import ClientPanel, client_panels
from contacts.incoming.domains import domain_of
from contacts.models import Client, ClientContact, ClientMerge, LiveClient, Verification
from contacts.phones import PhoneProblem, format_for_people, normalize
from contacts.serializers.clients import clean_url
from contacts.services import client_bulk, client_relations
from contacts.services.bulk import BulkResult
from contacts.services.client_merges import CHOICES, merge_clients, unmerge_client
from contacts.services.clients import (
    create_client,
    delete_client,
    update_client,
    verify_client,
    visible_client,
)
from vocelio.backoffice.forms import TenantForm
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.db.counting import bounded_count
from vocelio.errors import VocelioError

# How many matches of a search can be paged through.
NEWEST_MATCHES = 1_000


class ClientForm(TenantForm):
    """A client as people type it: numbers in any form, addresses with or without https://."""

    # The country whose dialling rules hold for numbers without a +.
    region: ClassVar[str] = ""

    def clean_phone(self) -> str:
        text = self.cleaned_data["phone"]
        if not text:
            return ""
        phone = normalize(text, self.region)
        if isinstance(phone, PhoneProblem):
            raise ValidationError(f"Not a phone number: {phone.reason}.")
        return phone.e164

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

    @admin.display(description=panel.label)
    def shown(client: Any) -> SafeString:
        return panels.render(panel.table(client.pk, client.viewer)) if panel.table else SafeString()

    return shown


@admin.register(Client)
class ClientAdmin(TenantAdmin):
    permissions = {
        "view": "clients:read",
        "add": "clients:write",
        "change": "clients:write",
        "delete": "clients:delete",
        "restore": "clients:delete",
        "verify": "clients:verify",
        "merge": "clients:delete",
    }
    change_form_template = "backoffice/with_action.html"
    form = ClientForm
    actions = ("restore", "verify", "reject", "merge")
    section = "Contacts"
    icon = "apartment"
    menu_title = "Clients"

    list_display = ("name", "domain", "industry", "place", "shown_status", "shown_verification", "assigned_to", "added")
    list_select_related = ("assigned_to",)
    list_filter = (TrashFilter, "status", "verification", "size")
    search_fields = ("search",)
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

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        client = super().get_object(request, object_id, from_field)
        if client is not None:
            # What the tables on the page show depends on who looks.
            client.viewer = self.principal(request)
        return client

    @admin.display(description="People")
    def people(self, client: Any) -> SafeString:
        return panels.people_of(client, client.viewer)

    @admin.display(description="Subsidiaries")
    def subsidiaries(self, client: Any) -> SafeString:
        return panels.subsidiaries_of(client, client.viewer)

    def sidebar_extra(self) -> list[tuple[str, str, str]]:
        """Show the trash beside the clients."""
        return [
            ("Trash of clients", "delete", f"{reverse('admin:contacts_client_changelist')}?trash={IN_TRASH}"),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("search")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        in_trash = request.GET.get(TrashFilter.parameter_name) == IN_TRASH
        return ("-deleted_at", "-id") if in_trash else self.ordering

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.deleted_at is None)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.deleted_at is None)

    def has_restore_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "restore")

    def has_merge_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "merge")

    def has_verify_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "verify")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer to restore in the trash, everything else outside of it."""
        actions: dict[str, Any] = super().get_actions(request)
        in_trash = request.GET.get(TrashFilter.parameter_name) == IN_TRASH
        for name in ("delete_selected", "verify", "reject", "merge") if in_trash else ("restore",):
            actions.pop(name, None)
        return actions

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        return [
            path("<uuid:pk>/merge/<uuid:other_pk>/", site.admin_view(self.merge_page), name="contacts_client_merge"),
            path("<uuid:pk>/unmerge/", site.admin_view(self.unmerge), name="contacts_client_unmerge"),
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

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Offer to take the last merge back."""
        offered = None
        client = self.get_object(request, object_id) if object_id else None
        if client is not None and self.may(request, "merge"):
            merges = ClientMerge.objects.filter(survivor=client, unmerged_at__isnull=True).select_related("absorbed")
            if newest := merges.order_by("-merged_at").first():
                address = reverse("admin:contacts_client_unmerge", args=[client.pk])
                offered = {"address": address, "label": f"Take the merge of {newest.absorbed} back"}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), "offered": offered})

    def unmerge(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Bring back the client that was merged in last."""
        if request.method != "POST" or not self.may(request, "merge"):
            raise PermissionDenied
        client = get_object_or_404(self.get_queryset(request), pk=pk)
        try:
            with transaction.atomic():
                unmerge_client(client=client, principal=self.principal(request))
            self.message_user(request, "Both clients are back.", messages.SUCCESS)
        except VocelioError as error:
            self.message_user(request, error.message, messages.ERROR)
        return redirect("admin:contacts_client_change", pk)

    @admin.action(description="Restore the selected clients", permissions=["restore"])
    def restore(self, request: HttpRequest, queryset: Any) -> None:
        ids = list(queryset.values_list("pk", flat=True))
        self._tell(request, client_bulk.restore(principal=self.principal(request), client_ids=ids), "restored")

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
        self._tell(request, client_bulk.delete(principal=self.principal(request), client_ids=ids), "moved to the trash")

    def _tell(self, request: HttpRequest, result: BulkResult, what: str) -> None:
        if result.successful:
            self.message_user(request, f"{len(result.successful)} clients {what}.", messages.SUCCESS)
        for error in result.errors[:10]:
            self.message_user(request, error["error"], messages.WARNING)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        form.region = self.principal(request).default_region
        return form

    def perform_create(self, request: HttpRequest, data: dict[str, Any]) -> Client:
        return create_client(principal=self.principal(request), **ids_of(data))

    def perform_update(self, request: HttpRequest, obj: Client, changes: dict[str, Any]) -> None:
        update_client(client=obj, principal=self.principal(request), **ids_of(changes))

    def perform_delete(self, request: HttpRequest, obj: Client) -> None:
        delete_client(client=obj)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[QuerySet[Any], bool]:
        """Find by the index on search lexemes; the trash, which is small and has none, by reading it."""
        if not search_term.strip():
            return queryset, False
        if request.GET.get(TrashFilter.parameter_name) == IN_TRASH:
            fields = ("name", "legal_name", "domain", "email")
            conditions = (Q(**{f"{field}__icontains": search_term.strip()}) for field in fields)
            return queryset.filter(reduce(or_, conditions)), False
        matches = LiveClient.objects.search(search_term)
        if set(request.GET) <= {"q", "p"}:
            # Nothing else narrows them, so the newest are enough, and cost the same however many there are.
            visible = matches.visible_to(self.principal(request)).order_by(*self.ordering)
            population, _ = bounded_count(Client.objects.alive())
            keys, _, _ = visible.read_page(0, NEWEST_MATCHES, population=population)
            return queryset.filter(pk__in=[key["id"] for key in keys]), False
        return queryset.filter(pk__in=matches.values("pk")), False

    @admin.display(description="Phone")
    def phone_formatted(self, client: Client) -> str:
        return format_for_people(client.phone) if client.phone else ""

    @admin.display(description="Place")
    def place(self, client: Client) -> str:
        return ", ".join(filter(None, [client.city, client.state or client.country]))

    @admin.display(description="Added")
    def added(self, client: Client) -> str:
        return f"{client.created_at:%d %b %Y}"

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


def ids_of(values: dict[str, Any]) -> dict[str, Any]:
    """Return the values as the services take them: people and the parent company by id."""
    values = by_id(values)
    if "parent" in values:
        parent = values.pop("parent")
        values["parent_id"] = parent.pk if parent else None
    return values
