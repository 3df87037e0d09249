"""What crosses the border between messages and channels."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class AccountValues:
    """An account at a provider: its settings, and its secrets in the clear."""

    id: uuid.UUID
    settings: Mapping[str, str]
    secrets: Mapping[str, str]


@dataclass(frozen=True)
class Attachment:
    """A file of a message; `url` where the provider fetches it itself."""

    name: str
    content_type: str
    content: bytes = b""
    url: str = ""


@dataclass(frozen=True)
class Outgoing:
    """A message ready to go."""

    id: uuid.UUID
    address: str
    text: str
    subject: str = ""
    html: str = ""
    recipient_name: str = ""
    # How mail programs and providers name it back to us.
    message_id: str = ""
    in_reply_to: str = ""
    unsubscribe_url: str = ""
    attachments: tuple[Attachment, ...] = ()
    # A template of the provider's, in its language, and the values of its places in order.
    remote_template: str = ""
    language: str = ""
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Receipt:
    """The provider took the message; `provider_id` is its name for it."""

    provider_id: str = ""


@dataclass(frozen=True)
class WebhookRequest:
    """A webhook as it came: raw bytes, header names in lower case."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


@dataclass(frozen=True)
class Report:
    """What became of a message: named by the provider's id, or ours where the provider repeats it."""

    status: str
    at: datetime
    provider_id: str = ""
    message_id: uuid.UUID | None = None
    code: str = ""
    reason: str = ""
    # The address will never take a message: keep it from being written to again.
    is_permanent: bool = False
    # The person complained or unsubscribed at the provider.
    opted_out: bool = False
    address: str = ""


@dataclass(frozen=True)
class Inbound:
    """A message from a person. `reply_to` are names of messages it answers, ours among them."""

    provider_id: str
    address: str
    text: str
    at: datetime
    subject: str = ""
    name: str = ""
    reply_to: tuple[str, ...] = ()
    # The kinds of files that came along; the files themselves stay with the provider.
    media: tuple[str, ...] = ()
    # An answer of a machine, such as an out-of-office note: kept, but nobody replied.
    is_automatic: bool = False


@dataclass(frozen=True)
class RemoteTemplate:
    """A template at the provider."""

    remote_id: str
    name: str
    language: str
    category: str
    status: str
    body: str
    reason: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)


Incoming = Report | Inbound | RemoteTemplate
