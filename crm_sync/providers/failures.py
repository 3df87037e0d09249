"""How a provider says what went wrong. Messages are for people, hold no secret and no record's values."""

from datetime import datetime

from vocelio.plugins import PluginError


class TokenExpired(PluginError):
    """The access token is no longer accepted; the engine refreshes it once, under the account's lock, and asks again."""

    def __init__(self, message: str = "The access token has expired.") -> None:
        super().__init__(message, permanent=False, code="TOKEN_EXPIRED")


class AuthExpired(PluginError):
    """The grant itself is gone (revoked, expired, scope missing): a person must connect again."""

    def __init__(self, message: str = "The CRM no longer accepts this connection. Connect it again.") -> None:
        super().__init__(message, permanent=True, code="AUTH_EXPIRED")


class QuotaReached(PluginError):
    """No more calls until `resets_at`, or, when the vendor does not say, until the window has moved on. Runs park."""

    def __init__(
        self,
        message: str = "The CRM's quota is used up for now.",
        *,
        window: str = "",
        resets_at: datetime | None = None,
    ) -> None:
        super().__init__(message, permanent=False, code="QUOTA_REACHED")
        self.window = window
        self.resets_at = resets_at


class BatchRejected(PluginError):
    """The vendor refused the whole batch for the sake of some row of it, and wrote nothing: the engine halves it.

    `field` and `code` are the vendor's, for the row that remains alone.
    """

    def __init__(self, message: str, *, code: str = "REJECTED", field: str = "") -> None:
        super().__init__(message, permanent=True, code=code)
        self.field = field


class OutcomeUnknown(PluginError):
    """The write was sent and no answer came: it may or may not have been carried out."""

    def __init__(self, message: str = "The CRM did not answer; the write may have been carried out.") -> None:
        super().__init__(message, permanent=False, code="OUTCOME_UNKNOWN")


class PositionLost(PluginError):
    """The vendor no longer knows this position: the run reads on from its `since`."""

    def __init__(self, message: str = "The CRM has forgotten the place in its list.") -> None:
        super().__init__(message, permanent=False, code="POSITION_LOST")


class HistoryGone(PluginError):
    """The vendor's log of deletions does not reach back to `since`: the engine compares ids instead."""

    def __init__(self, message: str = "The CRM's log of deletions does not reach back far enough.") -> None:
        super().__init__(message, permanent=False, code="HISTORY_GONE")


class WebhookRefused(PluginError):
    """The signature, token or password of a webhook is wrong, or it is too old."""

    def __init__(self, message: str = "This webhook is not from the CRM.") -> None:
        super().__init__(message, permanent=True, code="WEBHOOK_REFUSED")
