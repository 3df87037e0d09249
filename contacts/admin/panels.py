"""Tables on the pages of clients and contacts: what belongs to them, here and in the apps above."""

from typing import Any

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.safestring import SafeString

from contacts.client_panels import PanelTable, client_panels
from contacts.models import Client, ClientContact, Contact, ContactInsight, ContactProfile
from contacts.profile_kinds import profile_kinds
from vocelio.access.principal import Principal
from vocelio.languages.translate import translated

SHOWN = 50


def render(table: PanelTable) -> SafeString:
    """Return the table as the back office shows it."""
    return render_to_string("backoffice/panel.html", {"table": table})


def people_of(client: Client, principal: Principal) -> SafeString:
    """Return who belongs, or belonged, to the client."""
    relations: Any = ClientContact.objects.alive().visible_to(principal).filter(client=client)
    relations = relations.select_related("contact").order_by("-is_primary", "ended_on", "-created_at")[:SHOWN]
    rows = [
        (
            reverse("admin:contacts_contact_change", args=[relation.contact_id]),
            [str(relation.contact), *_relation_cells(relation)],
        )
        for relation in relations
    ]
    more = ("Add a person", f"{reverse('admin:contacts_clientcontact_add')}?client={client.pk}")
    return render(PanelTable(["Name", "Role", "Title", "From", "To"], rows, more))


def companies_of(contact: Contact, principal: Principal) -> SafeString:
    """Return where the contact belongs, or belonged."""
    relations: Any = ClientContact.objects.alive().visible_to(principal).filter(contact=contact)
    relations = relations.select_related("client").defer("client__search").order_by("ended_on", "-created_at")[:SHOWN]
    rows = [
        (
            reverse("admin:contacts_client_change", args=[relation.client_id]),
            [relation.client.name, *_relation_cells(relation)],
        )
        for relation in relations
    ]
    more = ("Add a company", f"{reverse('admin:contacts_clientcontact_add')}?contact={contact.pk}")
    return render(PanelTable(["Company", "Role", "Title", "From", "To"], rows, more))


def subsidiaries_of(client: Client, principal: Principal) -> SafeString:
    """Return the companies that belong to the client."""
    subsidiaries = Client.objects.alive().visible_to(principal).filter(parent=client).order_by("name")[:SHOWN]
    rows = [
        (
            reverse("admin:contacts_client_change", args=[each.pk]),
            [each.name, each.city, each.get_status_display()],
        )
        for each in subsidiaries
    ]
    return render(PanelTable(["Name", "City", "Status"], rows))


def others_of(client: Client, principal: Principal) -> list[tuple[str, SafeString]]:
    """Return what the apps above know of the client: titles and tables."""
    return [
        (translated(panel.label), render(panel.table(client.pk, principal)))
        for panel in client_panels()
        if panel.table is not None
    ]


def profiles_of(contact: Contact) -> SafeString:
    """Return the contact's profiles of all kinds."""
    kinds = {kind.slug: kind for kind in profile_kinds()}
    pages = {slug: f"admin:{kind.model._meta.app_label}_{kind.model._meta.model_name}" for slug, kind in kinds.items()}
    profiles = ContactProfile.objects.filter(contact_id=contact.pk).order_by("kind", "-is_primary", "-created_at")
    rows = [
        (
            reverse(f"{pages[profile.kind]}_change", args=[profile.pk]),
            [
                profile.headline or f"{kinds[profile.kind].label} profile",
                kinds[profile.kind].label,
                profile.state.replace("_", " "),
                "primary" if profile.is_primary else "",
            ],
        )
        for profile in profiles
    ]
    table = render(PanelTable(["Profile", "Kind", "Where it stands", ""], rows))
    links = [
        render_to_string(
            "backoffice/link.html",
            {
                "text": translated(f"Add a {kind.label.lower()} profile"),
                "address": f"{reverse(f'{page}_add')}?contact={contact.pk}",
            },
        )
        for kind, page in ((kinds[slug], pages[slug]) for slug in kinds)
    ]
    return SafeString(table + "".join(links))


def insights_of(contact: Contact, principal: Principal) -> SafeString:
    """Return what the contact's profiles and companies tell about each other."""
    insights: Any = ContactInsight.objects.get_queryset().visible_to(principal).filter(contact_id=contact.pk)
    insights = insights.select_related("contact", "client").defer("contact__search", "client__search")
    rows = [("", [each.get_code_display(), each.reason, each.advice]) for each in insights.order_by("code")[:SHOWN]]
    return render(PanelTable(["What", "Why", "Advice"], rows))


def _relation_cells(relation: ClientContact) -> list[str]:
    role = relation.get_role_display() + (" (primary)" if relation.is_primary else "")
    ends = [date_format(day, "j M Y") if day else "" for day in (relation.started_on, relation.ended_on)]
    return [role, relation.title, *ends]
