"""What webhooks tell of contacts, clients, lists and imports."""

from typing import Any

from vocelio.webhooks.events import Data, EventType, Shown, register

CONTACT = Shown("contact", "contactId", "contacts.views.contacts.ContactViewSet")
CLIENT = Shown("client", "clientId", "contacts.views.clients.ClientViewSet")
IDS: dict[str, Any] = {"contactId": "00000000-0000-0000-0000-000000000000", "updatedBy": None, "listIds": []}
BULK: dict[str, Any] = {"action": "imported", "count": 5000, "updatedBy": None, "listIds": []}
MERGE: dict[str, Any] = {"survivorId": "00000000-0000-0000-0000-000000000000", "absorbedIds": [], "updatedBy": None}
LIST_ACTIONS = {"add-to-list", "remove-from-list", "move-to-list"}
PROGRESS = {"jobId": "00000000-0000-0000-0000-000000000000", "status": "completed", "processed": 20, "total": 20}


def is_restored(data: Data) -> bool:
    return "deletedAt" in data.get("changes", {})


def is_new(data: Data) -> bool:
    return not is_restored(data)


def is_merge(data: Data) -> bool:
    return "absorbedIds" in data


def is_of_lists(data: Data) -> bool:
    return data["action"] in LIST_ACTIONS


def is_bulk(data: Data) -> bool:
    return not is_merge(data) and not is_of_lists(data)


def is_over(data: Data) -> bool:
    return data["status"] in ("completed", "failed", "cancelled")


def counts(data: Data) -> dict[str, Any]:
    """Return how a job ended, without the rows it showed."""
    return {name: value for name, value in data.items() if name not in ("errors", "progress")}


for name, summary, on, when in (
    ("contact.created", "A contact was made.", "contact_created", is_new),
    ("contact.restored", "A contact came back from the trash.", "contact_created", is_restored),
    ("contact.updated", "A contact was changed; `changedFields` names what.", "contact_updated", is_new),
    ("contact.deleted", "A contact was moved to the trash.", "contact_deleted", is_new),
):
    example = IDS | ({"changes": {"company": "", "tags": []}} if name == "contact.updated" else {})
    register(EventType(name, summary, topic="contacts", on=on, shows=CONTACT, when=when, example=example))
register(
    EventType(
        "contact.merged",
        "Contacts became one: `survivorId` stays, `absorbedIds` lead to it.",
        topic="contacts",
        on="contacts_changed",
        when=is_merge,
        example=MERGE,
    )
)
register(
    EventType(
        "contact.erased", "A person was erased for good; their id alone is told.", topic="contacts", on="contact_erased"
    )
)
register(
    EventType(
        "contacts.changed",
        "Many contacts were changed at once, by an import, a bulk action or a sync: read them anew.",
        topic="contacts",
        on="contacts_changed",
        when=is_bulk,
        example=BULK,
    )
)
register(
    EventType(
        "list.members_changed",
        "Contacts were put on lists or taken off them.",
        topic="contacts",
        on="contacts_changed",
        when=is_of_lists,
        example=BULK | {"action": "add-to-list", "count": 2},
    )
)
for name, summary, on in (
    ("client.created", "A client was made.", "client_created"),
    ("client.updated", "A client was changed; `changedFields` names what.", "client_updated"),
    ("client.deleted", "A client was moved to the trash.", "client_deleted"),
):
    example = {"clientId": IDS["contactId"], "updatedBy": None}
    register(EventType(name, summary, topic="clients", on=on, shows=CLIENT, example=example))
register(
    EventType(
        "clients.changed",
        "Many clients were changed at once: read them anew.",
        topic="clients",
        on="clients_changed",
        example={"action": "imported", "count": 20, "updatedBy": None},
    )
)
for noun, summary in (
    ("import", "An import of contacts, clients or deals is over."),
    ("export", "An export is over."),
    ("bulk", "A bulk job is over."),
    ("duplicate_scan", "A search for duplicates is over."),
):
    register(
        EventType(
            f"{noun}.finished",
            summary,
            topic=f"{noun}_progress",
            on=f"{noun}_progress",
            when=is_over,
            shape=counts,
            example=PROGRESS,
        )
    )
