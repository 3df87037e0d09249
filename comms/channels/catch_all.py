"""E-mail for demos and development: every mail becomes a file of this machine, none leaves it."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from comms.channels.channel import Sender, Session
from comms.channels.mail import write_mail
from comms.channels.values import AccountValues, Outgoing, Receipt


class CatchAll(Sender):
    """Keeps mails under VOCELIO_DATA/mail/sent; "Caught mail" in the back office shows them."""

    slug = "catch_all"
    label = "E-mail that stays on this machine"
    medium = "email"
    takes_files = True
    settings = {"fromEmail": True, "fromName": False}

    @contextmanager
    def session(self, account: AccountValues) -> Iterator[Session]:
        yield _Folder(account)


def kept_mail(message_id: uuid.UUID) -> bytes | None:
    """Return a mail that was kept, as it would have been sent; None when there is none."""
    file = _file(message_id)
    return file.read_bytes() if file.exists() else None


def _file(message_id: uuid.UUID) -> Path:
    return Path(settings.EMAIL_FILE_PATH) / "sent" / f"{message_id}.eml"


class _Folder:
    def __init__(self, account: AccountValues) -> None:
        self.settings = account.settings

    def send(self, message: Outgoing) -> Receipt:
        raw = write_mail(message, sender=self.settings["fromEmail"], sender_name=self.settings.get("fromName", ""))
        file = _file(message.id)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(raw)
        return Receipt(message.message_id)
