"""What reads and writes the kinds of record that files hold, by the type of an import."""

from contacts.models import RecordType
from contacts.record_kinds import RecordKind, register_record_kind
from contacts.services.import_chunks import CONTACTS
from contacts.services.import_clients import CLIENTS
from contacts.services.import_plans import Records

RECORDS: dict[str, Records] = {RecordType.CONTACT: CONTACTS, RecordType.CLIENT: CLIENTS}


def register_records(kind: RecordKind, records: Records) -> None:
    """Let files hold another kind of record."""
    register_record_kind(kind)
    RECORDS[kind.slug] = records
