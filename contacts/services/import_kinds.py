"""The kinds of record that files hold, by the type of an import."""

from contacts.models import RecordType
from contacts.services.import_chunks import CONTACTS
from contacts.services.import_clients import CLIENTS
from contacts.services.import_plans import Records

RECORDS: dict[str, Records] = {RecordType.CONTACT: CONTACTS, RecordType.CLIENT: CLIENTS}
