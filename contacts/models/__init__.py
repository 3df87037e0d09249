from contacts.models.arrivals import ContactArrival
from contacts.models.bulk import BulkFailure, BulkJob
from contacts.models.clients import (
    Client,
    ClientContact,
    ClientSize,
    ClientStatus,
    LiveClient,
    RelationRole,
    Verification,
)
from contacts.models.contacts import Contact, ContactStatus
from contacts.models.custom_fields import CustomField, SavedView
from contacts.models.duplicates import (
    ClientMerge,
    ClientMergeMove,
    ContactDuplicate,
    ContactMerge,
    DuplicateScan,
    ExactMark,
    Merge,
    MergeMove,
)
from contacts.models.erasures import Erasure
from contacts.models.exports import ContactExport
from contacts.models.history import ClientChange, ContactChange, ListDeparture
from contacts.models.imports import (
    ContactImport,
    ImportPreset,
    ImportPreview,
    ImportRejection,
    ImportUndo,
    RecordType,
)
from contacts.models.lists import ContactList, ContactListMembership, ContactTally
from contacts.models.live import LiveContact
from contacts.models.profiles import (
    ContactInsight,
    ContactProfile,
    InsightCode,
    KeptSummary,
    Profile,
    ProfileChange,
    ProfileSummary,
)

__all__ = [
    "BulkFailure",
    "BulkJob",
    "Client",
    "ClientChange",
    "ClientContact",
    "ClientMerge",
    "ClientMergeMove",
    "ClientSize",
    "ClientStatus",
    "Contact",
    "ContactArrival",
    "ContactChange",
    "ContactDuplicate",
    "ContactExport",
    "ContactImport",
    "ContactInsight",
    "ContactList",
    "ContactListMembership",
    "ContactMerge",
    "ContactProfile",
    "ContactStatus",
    "ContactTally",
    "CustomField",
    "DuplicateScan",
    "Erasure",
    "ExactMark",
    "ImportPreset",
    "ImportPreview",
    "ImportRejection",
    "ImportUndo",
    "InsightCode",
    "KeptSummary",
    "ListDeparture",
    "LiveClient",
    "LiveContact",
    "Merge",
    "MergeMove",
    "Profile",
    "ProfileChange",
    "ProfileSummary",
    "RecordType",
    "RelationRole",
    "SavedView",
    "Verification",
]
