from contacts.models.contacts import Contact, ContactStatus
from contacts.models.imports import ContactImport, ImportRejection
from contacts.models.lists import ContactList, ContactListMembership, ContactTally
from contacts.models.live import LiveContact

__all__ = [
    "Contact",
    "ContactImport",
    "ContactList",
    "ContactListMembership",
    "ContactStatus",
    "ContactTally",
    "ImportRejection",
    "LiveContact",
]
