"""The queue of duplicates, and the page on which two contacts are made one."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.decorators import display

from contacts.models import Contact, ContactDuplicate
from contacts.services.duplicates import dismiss_duplicate, refresh_exact, start_scan
from contacts.services.merges import CHOICES, merge_contacts
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.errors import VocelioError

PRIVATE = "privateNotes"
SHARED = {name: column for name, column in CHOICES.items() if name != PRIVATE}


@admin.register(ContactDuplicate)
class ContactDuplicateAdmin(TenantAdmin):
    permissions = {"view": "contacts:read", "merge": "contacts:delete", "scan": "contacts:bulk"}
    section = "Contacts"
    icon = "join_inner"
    menu_title = "Duplicates"

    list_display = ("pair", "likely", "shown_kind", "why", "found_at")
    list_filter = ("status", "kind")
    ordering = ("-score", "-id")
    list_before_template = "backoffice/scan.html"
    change_form_template = "backoffice/merge.html"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        refresh_exact()
        page: HttpResponse = super().changelist_view(request, extra_context)
        return page

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        pairs = super().get_queryset(request)
        match = request.resolver_match
        if match and "status__exact" not in request.GET and "changelist" in str(match.url_name):
            return pairs.filter(status=ContactDuplicate.Status.OPEN)
        return pairs

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Read the contacts of all pairs of the page at once."""
        page = super().get_changelist_instance(request)
        pairs = list(page.result_list)
        contacts = Contact.objects.in_bulk({each for pair in pairs for each in (pair.first_id, pair.second_id)})
        for pair in pairs:
            pair.people = [contacts.get(pair.first_id), contacts.get(pair.second_id)]
        page.result_list = pairs
        return page

    def get_urls(self) -> list[URLPattern]:
        scan = self.admin_site.admin_view(self.scan)
        return [path("scan/", scan, name="contacts_contactduplicate_scan"), *super().get_urls()]

    def scan(self, request: HttpRequest) -> HttpResponse:
        """Start a scan; its progress is among the jobs."""
        if request.method != "POST" or not self.may(request, "scan"):
            raise PermissionDenied
        try:
            start_scan()
            self.message_user(request, "Looking for duplicates; see Jobs for the progress.", messages.SUCCESS)
        except VocelioError as error:
            self.message_user(request, error.message, messages.WARNING)
        return redirect("admin:contacts_contactduplicate_changelist")

    @admin.display(description="Contacts")
    def pair(self, pair: Any) -> str:
        return "  ·  ".join(str(each) for each in pair.people if each)

    @admin.display(description="Likely")
    def likely(self, pair: ContactDuplicate) -> str:
        return f"{pair.score:.0%}"

    @display(description="Kind", label={"exact": "danger", "fuzzy": "warning"})  # type: ignore[untyped-decorator]
    def shown_kind(self, pair: ContactDuplicate) -> str:
        return pair.kind

    @admin.display(description="Because of")
    def why(self, pair: ContactDuplicate) -> str:
        return ", ".join(pair.reasons)

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show both contacts side by side, and merge or dismiss them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        pair = self.get_object(request, object_id)
        if pair is None:
            return super().changeform_view(request, object_id, form_url, extra_context)
        may_merge = self.may(request, "merge")
        principal = self.principal(request)
        seen = Contact.objects.alive().visible_to(principal)
        contacts = [seen.filter(pk=each).first() for each in (pair.first_id, pair.second_id)]
        if None in contacts:
            raise Http404
        if request.method == "POST":
            if not may_merge:
                raise PermissionDenied
            return self._decide(request, pair, contacts)
        context = {
            **self.admin_site.each_context(request),
            "title": "One person or two?",
            "opts": self.opts,
            "original": pair,
            "contacts": contacts,
            "rows": compared(contacts, CHOICES if principal.may("contacts:private") else SHARED),
            "may_merge": may_merge,
        }
        return TemplateResponse(request, "backoffice/merge.html", context)

    def _decide(self, request: HttpRequest, pair: ContactDuplicate, contacts: list[Any]) -> HttpResponse:
        back = redirect("admin:contacts_contactduplicate_changelist")
        if "dismiss" in request.POST:
            dismiss_duplicate(pair)
            self.message_user(request, "Dismissed: two people.", messages.SUCCESS)
            return back
        survivor = next((each for each in contacts if str(each.pk) == request.POST.get("survivor")), contacts[0])
        other = next(each for each in contacts if each.pk != survivor.pk)
        ids = {str(each.pk) for each in contacts}
        choices = {name: value for name in CHOICES if (value := request.POST.get(f"choice-{name}")) in ids | {"both"}}
        try:
            with transaction.atomic():
                merged = merge_contacts(
                    survivor=survivor, others=[other], principal=self.principal(request), choices=choices
                )
        except VocelioError as error:
            self.message_user(request, error.message, messages.ERROR)
            return redirect("admin:contacts_contactduplicate_change", pair.pk)
        self.message_user(request, f"Merged into {merged}. It can be taken back on its page.", messages.SUCCESS)
        return redirect("admin:contacts_contact_change", merged.pk)


def compared(contacts: list[Any], choices: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the fields of two contacts, or clients, those that differ first."""
    rows = []
    for name, column in choices.items():
        shown = column.removesuffix("_id") if column in ("assigned_to_id", "parent_id") else column
        values = [
            getattr(each, f"get_{shown}_display", lambda: None)() or getattr(each, shown) or "" for each in contacts
        ]
        if any(values):
            kept = str(contacts[0 if values[0] else 1].pk)
            label = shown.replace("_", " ").capitalize()
            pairs = [{"id": str(each.pk), "value": value} for each, value in zip(contacts, values, strict=True)]
            rows.append(
                {
                    "name": name,
                    "label": label,
                    "cells": pairs,
                    "differs": values[0] != values[1] and (name != "status" or not isinstance(contacts[0], Contact)),
                    "kept": kept,
                    "joins": name in ("notes", PRIVATE),
                }
            )
    return sorted(rows, key=lambda row: not row["differs"])
