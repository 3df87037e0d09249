"""Accounts at providers: add, change, remove, keep their secrets, tell how they are."""

from collections.abc import Mapping
from typing import Any

import orjson
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from comms.channels.channel import Channel
from comms.channels.values import AccountValues
from comms.models import ChannelAccount, Communication, CommunicationTemplate, MessageBatch
from comms.models.accounts import channels
from comms.services.tokens import WEBHOOK, make_token
from vocelio.audit.services import record
from vocelio.errors import Conflict, Invalid, VocelioError

# The secret by which webhooks prove themselves where the provider has no way of its own.
WEBHOOK_SECRET = "webhookSecret"  # noqa: S105 - its name


class AccountExists(Conflict):
    code = "CHANNEL_ACCOUNT_EXISTS"
    message = "There is an account of this name already."


def create_account(
    *, provider: str, name: str, secrets: Mapping[str, str] | None = None, **fields: Any
) -> ChannelAccount:
    """Add an account; its medium's first is the default. Raise Invalid naming every bad setting."""
    channel = channels().get(provider)
    if channel is None:
        raise Invalid.field("provider", f"One of: {', '.join(channels())}.", value=provider[:40], constraint="choice")
    account = ChannelAccount(provider=provider, name=name)
    if not ChannelAccount.objects.get_queryset().of_medium(channel.medium).filter(is_default=True).exists():
        fields.setdefault("is_default", True)
    _apply(account, secrets or {}, fields)
    _save(account)
    record("channel_account.created", "channelaccount", account.pk, provider=provider)
    return _fresh(account)


def update_account(
    *, account: ChannelAccount, secrets: Mapping[str, str | None] | None = None, **fields: Any
) -> ChannelAccount:
    """Change it; secrets that are not given stay. Another address of the provider's needs the secrets again."""
    account = ChannelAccount.objects.select_for_update().get(pk=account.pk)
    given = dict(secrets or {})
    moved = {"host", "apiUrl", "url"}
    wanted = fields.get("settings")
    if wanted is not None and any(wanted.get(name) != account.settings.get(name) for name in moved):
        missing = [name for name in account.channel.secrets if secrets_of(account).get(name) and not given.get(name)]
        if missing:
            message = "Another address needs the secrets again."
            raise Invalid.field(f"secrets.{missing[0]}", message, constraint="required")
    _apply(account, given, fields)
    # Whoever changed something wants it tried at once.
    account.resting_until, account.failures = None, 0
    _save(account)
    record("channel_account.updated", "channelaccount", account.pk, fields=sorted([*fields, *given]))
    return _fresh(account)


def delete_account(account: ChannelAccount) -> None:
    """Remove an account that nothing waits for; what it sent stays."""
    if Communication.objects.filter(account=account, status__in=["queued", "sending"]).exists():
        raise Conflict("Messages wait to be sent with this account; cancel them first.")
    if MessageBatch.objects.filter(account=account).exists():
        raise Conflict("Batches were sent with this account; switch it off instead.")
    CommunicationTemplate.objects.filter(account=account).delete()
    ChannelAccount.objects.filter(pk=account.pk).delete()
    record("channel_account.deleted", "channelaccount", account.pk)


def account_for(medium: str, account: ChannelAccount | None = None, field: str = "accountId") -> ChannelAccount:
    """Return the account that sends such messages: the given one, else the default; raise Invalid when there is none."""
    if account is not None:
        if account.medium != medium or not account.is_active:
            raise Invalid.field(field, f"This account sends no {medium} messages.", constraint="medium")
        if account.channel.on_request:
            raise Invalid.field(field, "Write the message first; then release it to this account.", constraint="medium")
        return account
    usable = ChannelAccount.objects.get_queryset().of_medium(medium).queueing().filter(is_active=True)
    found: ChannelAccount | None = usable.order_by("-is_default", "created_at", "id").first()
    if found is None and medium == "linkedin":
        # It needs no setting up.
        return create_account(provider="linkedin", name="LinkedIn")
    if found is None:
        raise Invalid.field(field, f"There is no account for {medium} yet; add one first.", constraint="required")
    return found


def secrets_of(account: ChannelAccount) -> dict[str, str]:
    """Return an account's secrets in the clear."""
    return orjson.loads(account.secrets) if account.secrets else {}


def values_of(account: ChannelAccount) -> AccountValues:
    """Return the account as channels see it."""
    told = {**account.settings, "webhookUrl": webhook_url(account)}
    return AccountValues(account.pk, told, secrets_of(account))


def webhook_url(account: ChannelAccount) -> str:
    """Return where the provider calls back."""
    return f"{settings.PUBLIC_URL}/v1/webhooks/comms/{make_token(WEBHOOK, account.pk)}"


def health(account: ChannelAccount) -> str:
    """Return how an account is, in a word: off, resting, failing or working."""
    if not account.is_active:
        return "off"
    if account.resting_until is not None and account.resting_until > timezone.now():
        return "resting"
    return "failing" if account.failures else "working"


def _apply(account: ChannelAccount, secrets: Mapping[str, str | None], fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        setattr(account, name, value)
    channel = account.channel
    kept = {**secrets_of(account), **{name: value for name, value in secrets.items() if value}}
    for name in [name for name, value in secrets.items() if value is None]:
        kept.pop(name, None)
    account.settings = {name: str(value).strip() for name, value in account.settings.items() if value not in (None, "")}
    errors = [
        *_problems("settings", channel.settings, account.settings),
        *_problems("secrets", {**channel.secrets, WEBHOOK_SECRET: False}, kept),
    ]
    if errors:
        raise Invalid("The account is not complete.", errors=errors)
    _check(channel, account.settings)
    account.secrets = orjson.dumps(kept).decode()


def _problems(part: str, known: Mapping[str, bool], given: Mapping[str, Any]) -> list[dict[str, Any]]:
    unknown = [(name, "There is no such setting.", "unknown") for name in given if name not in known]
    missing = [
        (name, "This is needed.", "required") for name, needed in known.items() if needed and not given.get(name)
    ]
    broken = [
        (name, "One line of at most 4000 characters.", "invalid")
        for name, value in given.items()
        if len(str(value)) > 4000 or any(letter in str(value) for letter in "\r\n\0")
    ]
    return [
        {"field": f"{part}.{name[:60]}", "value": None, "constraint": constraint, "message": message}
        for name, message, constraint in [*unknown, *missing, *broken]
    ]


def _check(channel: Channel, values: Mapping[str, str]) -> None:
    try:
        channel.check_settings(values)
    except VocelioError as error:
        raise Invalid.field("settings", error.message, constraint="address") from None
    except ValueError as error:
        raise Invalid.field("settings", str(error), constraint="invalid") from None


def _save(account: ChannelAccount) -> None:
    if account.is_default:
        others = ChannelAccount.objects.get_queryset().of_medium(account.medium).exclude(pk=account.pk)
        others.filter(is_default=True).update(is_default=False)
    try:
        with transaction.atomic():
            account.save()
    except IntegrityError as error:
        if "one_channel_account_per_name" not in str(error):
            raise
        raise AccountExists(field="name", value=account.name, constraint="unique") from None


def _fresh(account: ChannelAccount) -> ChannelAccount:
    found: ChannelAccount = ChannelAccount.objects.get(pk=account.pk)
    return found
