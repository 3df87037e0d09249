"""Webhooks of providers: proven over the raw bytes, then applied; replays and late ones change nothing."""

import uuid
from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from comms.channels.channel import WebhookRefused
from comms.channels.values import Inbound, RemoteTemplate, Report, WebhookRequest
from comms.models import ChannelAccount
from comms.services.accounts import values_of
from comms.services.inbound import receive
from comms.services.statuses import apply_report
from comms.services.templates import store_remote
from comms.services.tokens import WEBHOOK, read_token
from vocelio.audit.services import record
from vocelio.errors import NotFound, TooLarge, Unauthorized
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import organization_scope

MAX_BODY = 25 * 1024 * 1024


def take_webhook(*, token: str, headers: Mapping[str, str], body: bytes, received_at: datetime, query: str = "") -> int:
    """Prove and apply a webhook; return how many things it told.

    Raise NotFound for an address of nobody's, Unauthorized when the provider has not sent this.
    """
    organization_id, account_id = _addressed(token)
    if len(body) > MAX_BODY:
        raise TooLarge
    with organization_scope(organization_id):
        account = ChannelAccount.objects.filter(pk=account_id).first()
        if account is None:
            raise NotFound
        url = f"{settings.PUBLIC_URL}/v1/webhooks/comms/{token}" + (f"?{query}" if query else "")
        request = WebhookRequest(url, headers, body, received_at)
        try:
            incoming = account.channel.parse_webhook(request, values_of(account))
        except WebhookRefused as error:
            record("comms_webhook.refused", "channelaccount", account.pk)
            refusal = Unauthorized(str(error))
        else:
            # Two webhooks about one message wait for each other; about two, not.
            for each in incoming:
                if isinstance(each, Report):
                    apply_report(account, each)
                elif isinstance(each, Inbound):
                    receive(account, each)
                elif isinstance(each, RemoteTemplate):
                    store_remote(account, each)
            ChannelAccount.objects.filter(pk=account.pk).update(last_webhook_at=timezone.now())
            record("comms_webhook.received", "channelaccount", account.pk, count=len(incoming))
            return len(incoming)
    raise refusal


def answer_handshake(*, token: str, query: Mapping[str, str]) -> str:
    """Answer a provider that asks whether the address is ours."""
    organization_id, account_id = _addressed(token)
    with organization_scope(organization_id):
        account = ChannelAccount.objects.filter(pk=account_id).first()
        if account is None:
            raise NotFound
        try:
            answer: str | None = account.channel.handshake(query, values_of(account))
        except WebhookRefused as error:
            raise Unauthorized(str(error)) from None
    if answer is None:
        raise NotFound
    return answer


def _addressed(token: str) -> tuple[uuid.UUID, uuid.UUID]:
    named = read_token(WEBHOOK, token)
    if named is None or not Organization.objects.filter(pk=named[0], is_active=True).exists():
        raise NotFound
    return named
