"""A worker process that sends one account's messages and kills itself by SIGKILL at its n-th SQL statement or mail.

python -m tests.comms.dying_sender ORGANIZATION_ID ACCOUNT_ID SQL|MAIL NUMBER TRUSTED
"""

import os
import signal
import sys
import uuid
from typing import Any

import django


def main(organization_id: str, account_id: str, what: str, number: int, trusted: str) -> None:
    django.setup()
    from django.conf import settings
    from django.db import connection

    from comms.channels.smtp import _SmtpSession
    from comms.services.outbox import send_account

    settings.OUTBOUND_TRUSTED = [trusted]
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        if done == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def execute_counted(execute: Any, *args: Any) -> Any:
        if what == "SQL":
            count()
        return execute(*args)

    send = _SmtpSession.send

    def send_counted(self: Any, message: Any) -> Any:
        receipt = send(self, message)
        if what == "MAIL":
            # The server has the mail; we die before anybody hears of it.
            count()
        return receipt

    _SmtpSession.send = send_counted  # type: ignore[method-assign]
    with connection.execute_wrapper(execute_counted):
        send_account(uuid.UUID(organization_id), uuid.UUID(account_id))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])
