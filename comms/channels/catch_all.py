"""E-mail for demos and development: every mail becomes a file of this machine, none leaves it."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from comms.channels.channel import Sender, Session
from comms.channels.mail import write_mail
from comms.channels.values import AccountValues, Outgoing, Receipt


class CatchAll(Sender):
    """Keeps mails under VOCELIO_DATA/mail/sent; "All messages" in the back office shows what each said."""

    slug = "catch_all"
    label = "E-mail that stays on this machine"
    medium = "email"
    takes_files = True
    settings = {"fromEmail": True, "fromName": False}

    @contextmanager
    def session(self, account: AccountValues) -> Iterator[Session]:
        yield _Folder(account)


class _Folder:
    def __init__(self, account: AccountValues) -> None:
        self.settings = account.settings
        self.folder = settings.EMAIL_FILE_PATH / "sent"
        self.folder.mkdir(parents=True, exist_ok=True)

    def send(self, message: Outgoing) -> Receipt:
        raw = write_mail(message, sender=self.settings["fromEmail"], sender_name=self.settings.get("fromName", ""))
        (self.folder / f"{message.id}.eml").write_bytes(raw)
        return Receipt(message.message_id)
