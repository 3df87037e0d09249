"""A worker that sends one account's messages and kills itself at its n-th SQL statement or mail."""

import uuid
from typing import Any

from tests.mortal import dying_at, dying_at_statement


def send(organization_id: uuid.UUID, account_id: uuid.UUID, what: str, number: int, trusted: str) -> None:
    from django.conf import settings

    from comms.channels.smtp import _SmtpSession
    from comms.services.outbox import send_account

    settings.OUTBOUND_TRUSTED = [trusted]
    hand_over = _SmtpSession.send

    def hand_over_counted(self: Any, message: Any) -> Any:
        receipt = hand_over(self, message)
        # The server has the mail; we die before anybody hears of it.
        count()
        return receipt

    _SmtpSession.send = hand_over_counted  # type: ignore[method-assign]
    with dying_at(number if what == "MAIL" else 0) as count, dying_at_statement(number if what == "SQL" else 0):
        send_account(organization_id, account_id)
