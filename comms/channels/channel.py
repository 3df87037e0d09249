"""What a channel is: a file here that sends messages through one provider and understands what it reports back.

    class Smtp(Sender):
        slug, label, medium = "smtp", "E-mail (SMTP)", "email"

        def session(self, account): ...        # a context manager; session.send(message) returns a Receipt
        def parse_webhook(self, request, account): ...

Channels see the frozen values of values.py, never models. A failure is a PluginError: permanent ones fail the message,
temporary ones try it again; Uncertain means that it may have gone out, and nobody will send it again unasked;
AccountProblem means that no message can go out now, so the account rests and its messages wait.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import ClassVar, Protocol

from comms.channels.values import AccountValues, Incoming, Outgoing, Receipt, RemoteTemplate, WebhookRequest
from vocelio.plugins import Plugin, PluginError


class Uncertain(PluginError):
    """The provider may or may not have taken the message."""

    def __init__(self, message: str, *, code: str = "UNCERTAIN") -> None:
        super().__init__(message, permanent=True, code=code)


class AccountProblem(PluginError):
    """No message can be sent with this account now: refused sign-in, a server that is away, a used-up quota."""

    def __init__(self, message: str, *, code: str, retry_after: float | None = None) -> None:
        super().__init__(message, permanent=False, code=code, retry_after=retry_after)


class WebhookRefused(PluginError):
    """The provider did not send this, or not now."""

    def __init__(self, message: str) -> None:
        super().__init__(message, permanent=True, code="WEBHOOK_REFUSED")


class Session(Protocol):
    """A connection to the provider."""

    def send(self, message: Outgoing) -> Receipt:
        """Hand the message over, once."""
        ...


class Channel(Plugin):
    """One provider of one medium. One that is no Sender is worked by hand: its messages wait with their texts until a
    person says that they are done."""

    label: ClassVar[str]
    # "email", "whatsapp", "sms" or "linkedin"; what a message is written for.
    medium: ClassVar[str]
    # The way of contact that DNC rules judge; blank where they judge no number.
    dnc_mode: ClassVar[str] = ""
    # Sends only what a person releases message by message; nothing is queued for it otherwise.
    on_request: ClassVar[bool] = False
    # Whether the provider's templates, approved by it, must be used to begin a conversation, and within how many hours
    # of the person's last message anything may be written.
    service_window_hours: ClassVar[int] = 0
    has_remote_templates: ClassVar[bool] = False
    # Takes files as they are; other providers fetch them themselves, by https.
    takes_files: ClassVar[bool] = False
    # Names of settings and secrets, each with whether it is required.
    settings: ClassVar[Mapping[str, bool]] = {}
    secrets: ClassVar[Mapping[str, bool]] = {}
    # Hosts that may be called.
    hosts: ClassVar[Sequence[str]] = ()

    def check_settings(self, settings: Mapping[str, str]) -> None:
        """Raise ValueError naming what is wrong with an account's settings."""

    def handshake(self, query: Mapping[str, str], account: AccountValues) -> str | None:
        """Return the answer to a provider that asks whether the address is ours; None when it has no such question."""
        return None

    def parse_webhook(self, request: WebhookRequest, account: AccountValues) -> Sequence[Incoming]:
        """Prove that the provider sent this and return what it says; raise WebhookRefused otherwise."""
        raise WebhookRefused("This channel takes no webhooks.")

    def fetch_templates(self, account: AccountValues) -> Sequence[RemoteTemplate]:
        """Return the provider's templates with their approval."""
        return ()


class Sender(Channel):
    """A provider that messages are handed over to."""

    # How many messages are handed over at once, at most.
    at_once: ClassVar[int] = 1

    def width(self, account: AccountValues) -> int:
        """Return how many messages are handed over at once by this account; a crash leaves so many of unknown fate."""
        return self.at_once

    @abstractmethod
    def session(self, account: AccountValues) -> AbstractContextManager[Session]:
        """Connect."""
