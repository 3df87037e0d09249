"""What travels between the engine and a provider: frozen, and free of models."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

# A value as both sides compare it: text, number, truth, nothing, or a multi-select's options (sorted by the engine).
# Dates and times are ISO 8601 text, times in UTC. What a vendor nests (primary e-mail, address parts) is flattened by
# its adapter to names of its own, e.g. "address.city", and nested again when pushed.
Value = str | int | float | bool | None | tuple[str, ...]
Values = Mapping[str, Value]


class Kind(StrEnum):
    """What is synchronized; a provider names its own object for each kind it knows."""

    CONTACTS = "contacts"
    COMPANIES = "companies"


class Operation(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class FieldType(StrEnum):
    TEXT = "text"
    EMAIL = "email"
    PHONE = "phone"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "datetime"
    CHOICE = "choice"
    CHOICES = "choices"
    REFERENCE = "reference"


@dataclass(frozen=True)
class Choice:
    value: str
    label: str


@dataclass(frozen=True)
class RemoteField:
    """A field of the vendor's object, as a person maps it and as the engine checks values before it pushes them."""

    name: str
    label: str
    type: FieldType = FieldType.TEXT
    is_writable: bool = True
    is_required: bool = False
    is_unique: bool = False
    is_custom: bool = False
    max_length: int | None = None
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class RemoteRecord:
    """One record of the vendor's. `values` holds the asked-for fields, each of them, absent ones as None.

    `version` is opaque and changes with every change at the vendor's, where it has such a thing.
    """

    id: str
    values: Values
    changed_at: datetime | None = None
    created_at: datetime | None = None
    version: str = ""


@dataclass(frozen=True)
class Deleted:
    """The record is gone, or in the vendor's recycle bin."""

    id: str
    at: datetime | None = None


@dataclass(frozen=True)
class Merged:
    """The record `id` lives on in `into`."""

    id: str
    into: str
    at: datetime | None = None


@dataclass(frozen=True)
class Page:
    """A page of changed records. `position` fetches the next page; empty when there is none.

    `newest` is the latest change time the page vouches for, on the vendor's clock: the next run's `since`, once every
    page has been read, will be the newest of all pages less the kind's `overlap`.
    """

    records: tuple[RemoteRecord, ...] = ()
    gone: tuple[Deleted | Merged, ...] = ()
    position: str = ""
    newest: datetime | None = None


@dataclass(frozen=True)
class GonePage:
    """A page of deletions and merges; `position` and `newest` as in Page."""

    gone: tuple[Deleted | Merged, ...] = ()
    position: str = ""
    newest: datetime | None = None


@dataclass(frozen=True)
class IdPage:
    """A page of the ids of records that exist."""

    ids: tuple[str, ...] = ()
    position: str = ""


@dataclass(frozen=True)
class Fetched:
    """What became of the asked-for ids: each is in exactly one of the two."""

    records: tuple[RemoteRecord, ...] = ()
    gone: tuple[Deleted | Merged, ...] = ()


@dataclass(frozen=True)
class PushItem:
    """One write. `key` is ours: the same for every attempt at the same record, at most 36 characters.

    A create has no `remote_id`; vendors with an upsert key are given `key` in it, so that a repeated create changes
    the record it made before. `attempted_at` is when this create was first sent, if its outcome is not known.
    """

    key: str
    values: Values = field(default_factory=dict)
    remote_id: str = ""
    attempted_at: datetime | None = None


class Outcome(StrEnum):
    DONE = "done"
    # This row's values are not accepted, now or later; `code`, `message` and `field` say why.
    REJECTED = "rejected"
    # This row alone failed for the moment (a locked row): may be sent again.
    RETRY = "retry"
    # The record to change no longer exists.
    GONE = "gone"
    # It was merged into `remote_id`.
    MERGED = "merged"
    # The vendor refuses a second record like this; `remote_id` is the one that exists, where the vendor says.
    DUPLICATE = "duplicate"


@dataclass(frozen=True)
class PushResult:
    """What became of the item with this `key`. `record` holds the values as the vendor stored them, where it tells."""

    key: str
    outcome: Outcome
    remote_id: str = ""
    record: RemoteRecord | None = None
    code: str = ""
    message: str = ""
    field: str = ""


@dataclass(frozen=True)
class Window:
    """At most `amount` units in any `seconds`. A call spends `per_call` units of it unless it says otherwise."""

    name: str
    amount: int
    seconds: float
    unit: str = "requests"
    per_call: int = 1


@dataclass(frozen=True)
class Limits:
    """What the vendor allows one remote account, in all its connections together."""

    windows: tuple[Window, ...]
    concurrent: int = 4


@dataclass(frozen=True)
class Quota:
    """What the vendor itself said, in an answer, about a window."""

    window: str
    limit: int | None = None
    remaining: int | None = None
    resets_at: datetime | None = None


@dataclass(frozen=True)
class ObjectType:
    """How a provider handles one kind.

    `overlap` seconds are read again by every run, for what the vendor shows late. `creates_repeat` says that a create
    sent twice with one key makes one record. `tells_gone` says that `gone()` works; ids are compared otherwise.
    `mapping` pairs our field names with the vendor's, as offered to a person who connects. Ours are those of the API
    (contacts: firstName, lastName, email, phone, company, title, address, city, state, zip, country, notes, tags,
    customFields.<name>), and two that only ever tighten: doNotCall and emailOptOut, true for who said no.
    """

    kind: Kind
    remote_name: str
    page_size: int
    fetch_size: int
    batch: Mapping[Operation, int]
    mapping: Mapping[str, str]
    overlap: float = 60
    creates_repeat: bool = False
    tells_gone: bool = False


@dataclass(frozen=True)
class Setting:
    """Something to be asked of the person who connects: a data centre, a sandbox, the name of an external id field."""

    name: str
    label: str
    help: str = ""
    default: str = ""
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class OAuthApp:
    """The customer's, or the installation's, registration with the vendor."""

    client_id: str
    client_secret: str = field(default="", repr=False)


@dataclass(frozen=True)
class Credential:
    """Access to one remote account. Secrets never show in a repr.

    `api_url` is where calls go, without a trailing slash. `extra` is the provider's own, non-secret: data centre,
    accounts server, account id.
    """

    access_token: str = field(repr=False)
    api_url: str
    refresh_token: str = field(default="", repr=False)
    # "oauth" or "key".
    kind: str = "key"
    expires_at: datetime | None = None
    scopes: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Account:
    """Whose data this is: the limiter counts by `id`, which is the same for every credential of the account."""

    id: str
    name: str = ""
    # What the person should know or mend: a missing scope, no external id field, a plan with a small quota.
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class WebhookRequest:
    """A webhook as it came in: header names in lower case, `url` as the vendor called it, `body` untouched."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    received_at: datetime


@dataclass(frozen=True)
class WebhookEvent:
    """A hint that a record should be looked at. `key` is the same when the vendor delivers the same event again."""

    kind: Kind
    remote_id: str
    key: str
    # "changed", "deleted" or "merged"; the engine reads the record to know.
    change: str = "changed"
    into: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Subscription:
    """A webhook made at the vendor's; renewed before `expires_at`."""

    id: str
    expires_at: datetime | None = None
