"""Messages to one person: write, change, cancel, try again, note as done by hand."""

import uuid
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models import F, QuerySet
from django.utils import timezone

from comms.models import (
    ChannelAccount,
    Communication,
    CommunicationTemplate,
    Medium,
    MessageStatus,
    TemplateVersion,
)
from comms.services import subjects
from comms.services.accounts import account_for
from comms.services.addresses import MEMBER_FIELD, address_of, member_of
from comms.services.announcements import announce
from comms.services.consent import Later, judge_messages
from comms.services.outbox import wake
from comms.services.rendering import CannotRender, Rendered, clean_html, html_to_text, render_version, values_for
from comms.services.schedule import read_settings
from comms.services.templates import usable, version_of
from comms.services.writing import senders, tried_out
from contacts.models import Client, Contact
from contacts.services.touches import note_touch
from vocelio.access.principal import Principal
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.db.ids import uuid7
from vocelio.errors import Conflict, Invalid
from vocelio.organizations.scope import current_organization_id

MAX_ATTACHMENT = 10 * 1024 * 1024
RETRIED = (MessageStatus.FAILED, MessageStatus.BOUNCED, MessageStatus.CANCELLED, MessageStatus.UNKNOWN)


class AlreadySent(Conflict):
    code = "ALREADY_SENT"
    message = "This message is on its way or was sent; it cannot be changed."


class Uncertainty(Conflict):
    code = "MAY_HAVE_ARRIVED"
    message = "Nobody knows whether this message went out. Send `confirm: true` to risk that it arrives twice."


def create_communication(
    *,
    principal: Principal,
    contact: Contact,
    channel: str,
    template: CommunicationTemplate | None = None,
    account: ChannelAccount | None = None,
    variables: Mapping[str, Any] | None = None,
    scheduled_at: datetime | None = None,
    in_window: bool = False,
    reply_to: Communication | None = None,
    **fields: Any,
) -> Communication:
    """Queue a message to a contact; raise Invalid with what stands in its way that is known now."""
    message = Communication(
        channel=channel,
        contact=contact,
        account=account_for(channel, account or (template.account if template else None)),
        address=address_of(contact, channel),
        version=_version(template, channel),
        variables=dict(variables or {}),
        scheduled_at=scheduled_at or timezone.now(),
        in_window=in_window,
        reply_to=reply_to,
        created_by_id=current_actor().user_id,
    )
    if not message.address:
        raise Invalid.field("contactId", f"The contact has no address for {channel}.", constraint="address")
    _set(message, fields, principal)
    if template is not None:
        _try_out(message, contact)
    message.save(force_insert=True)
    message.refresh_from_db()
    record("communication.created", "communication", message.pk, channel=channel, contact=str(contact.pk))
    announce(message, "communication_created")
    if message.account_id:
        wake(message.account_id)
    return message


def update_communication(*, message: Communication, principal: Principal, **fields: Any) -> Communication:
    """Change what is not sent yet; `status` "cancelled" calls it off. Raise AlreadySent otherwise."""
    message = _locked(message)
    if message.direction == "inbound" or message.status != MessageStatus.QUEUED:
        raise AlreadySent(status=message.status)
    if fields.pop("status", None) == MessageStatus.CANCELLED:
        message.status, message.error_code, message.error_message = MessageStatus.CANCELLED, "CANCELLED", ""
        message.save(update_fields=["status", "error_code", "error_message"])
        record("communication.cancelled", "communication", message.pk)
        announce(message)
        return message
    if not message.has_its_text and {"subject", "body_text", "body_html"} & set(fields):
        raise Invalid.field(
            "bodyText", "This message is made of a template; change its variables.", constraint="template"
        )
    for name in ("variables", "scheduled_at", "in_window"):
        if name in fields:
            setattr(message, name, fields.pop(name))
    _set(message, fields, principal)
    if not message.has_its_text and message.contact is not None:
        _try_out(message, message.contact)
    message.error_code = message.error_message = ""
    message.save()
    record("communication.updated", "communication", message.pk)
    announce(message)
    if message.account_id:
        wake(message.account_id)
    return message


def retry_communication(*, message: Communication, confirm: bool = False) -> Communication:
    """Queue again what failed or was called off; what may have arrived only when the caller takes that risk."""
    message = _locked(message)
    if message.direction == "inbound" or message.status not in RETRIED:
        raise Conflict(f"A message that is {message.status} is not sent again.", status=message.status)
    if message.status == MessageStatus.UNKNOWN and not confirm:
        raise Uncertainty(status=message.status)
    if message.account is None or message.account.channel.on_request:
        # Its person releases it anew.
        message.account = account_for(message.channel)
    was = message.status
    message.status, message.scheduled_at, message.attempts = MessageStatus.QUEUED, timezone.now(), 0
    # A provider's name of the attempt before would be taken for this one's.
    message.provider_id, message.attempted_at, message.sent_at = "", None, None
    message.error_code = message.error_message = ""
    if message.contact is not None:
        message.address = address_of(message.contact, message.channel) or message.address
    message.save()
    record("communication.retried", "communication", message.pk, was=was)
    announce(message)
    if message.account_id:
        wake(message.account_id)
    return message


def complete_communication(*, message: Communication) -> Communication:
    """Note that a person has sent what waited for them; what was called off meanwhile, by an opt-out say, is refused."""
    message = _locked(message)
    if message.status != MessageStatus.QUEUED or message.account is None or not message.account.is_by_hand:
        raise Conflict("Only a waiting message that a person sends can be done.", status=message.status)
    now = timezone.now()
    message.status, message.sent_at, message.attempted_at = MessageStatus.SENT, now, now
    message.save(update_fields=["status", "sent_at", "attempted_at"])
    record("communication.completed", "communication", message.pk)
    announce(message)
    if message.contact_id:
        note_touch(contact_id=message.contact_id, at=now)
    return message


def release_communication(*, message: Communication) -> Communication:
    """Send what waits for a person by the provider's API, as the person decides now; raise Conflict without an account
    for it."""
    message = _locked(message)
    if message.status != MessageStatus.QUEUED or message.account is None or not message.account.is_by_hand:
        raise Conflict("Only a waiting message that a person sends can be released.", status=message.status)
    accounts = ChannelAccount.objects.get_queryset().of_medium(message.channel).sending().filter(is_active=True)
    account = accounts.order_by("-is_default", "created_at", "id").first()
    if account is None:
        raise Conflict(f"No account sends {message.get_channel_display()} messages by itself: send it by hand.")
    member = member_of(message.contact) if message.contact is not None else ""
    if not member:
        raise Invalid.field(
            "contactId", f"The contact has no {MEMBER_FIELD}, by which the API names people.", constraint="address"
        )
    message.account, message.address, message.scheduled_at = account, member, timezone.now()
    message.save(update_fields=["account", "address", "scheduled_at"])
    record("communication.released", "communication", message.pk, account=str(account.pk))
    announce(message)
    wake(account.pk)
    return message


def preview(
    *,
    contact: Contact,
    channel: str,
    user_id: uuid.UUID,
    version: TemplateVersion | None = None,
    wording: Mapping[str, str] | None = None,
    variables: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a message as this contact would get it, what it lacks, and whether it could go out now. Stores nothing."""
    rules = read_settings()
    problems = []
    text = version or TemplateVersion(**dict(wording or {}))
    sender = senders({user_id}, rules)[user_id]
    values = values_for(contact, sender, variables or {}, "https://example.test/unsubscribe")
    when_missing = version.template.when_missing if version is not None else "block"
    try:
        rendered = render_version(text, channel, when_missing, values)
    except CannotRender as error:
        problems.append({"code": error.code, "message": error.message})
        try:
            rendered = render_version(text, channel, "blank", values)
        except CannotRender:
            rendered = Rendered(text.subject, text.body_text)
    address = address_of(contact, channel)
    if not address:
        problems.append({"code": "NO_ADDRESS", "message": f"The contact has no address for {channel}."})
    else:
        message = Communication(id=uuid7(), channel=channel, contact=contact, address=address, version=version)
        account = account_for(channel)
        message.created_at = timezone.now()
        answer = judge_messages([message], {contact.pk: contact}, account, rules, timezone.now())[message.pk]
        if isinstance(answer, Later):
            problems.append({"code": answer.code, "message": f"Would wait until {answer.until:%Y-%m-%d %H:%M} UTC."})
        elif answer is not None:
            problems.append({"code": answer.code, "message": answer.reason})
    return {
        "to": address,
        "subject": rendered.subject,
        "body_text": rendered.text,
        "body_html": rendered.html,
        "problems": problems,
    }


def store_attachment(*, name: str, content_type: str, content: bytes) -> dict[str, str | int]:
    """Keep a file for messages; return how a message names it."""
    if len(content) > MAX_ATTACHMENT:
        raise Invalid.field("file", "At most 10 MB.", constraint="max_size")
    if not name or any(letter in name for letter in '\r\n\0/\\"'):
        raise Invalid.field("file", "The name of the file holds what a header cannot.", constraint="name")
    file = default_storage.save(f"{attachment_folder()}{uuid7()}", ContentFile(content))
    record("communication.attachment_stored", "communication", "", size=len(content))
    return {"file": file, "name": name[:150], "content_type": content_type[:100], "size": len(content)}


def attached(names: Collection[str], among: QuerySet[Communication] | None = None) -> set[str]:
    """Return which of these files some message has."""
    messages = Communication.objects.all() if among is None else among
    found = messages.exclude(attachments=[]).values_list("attachments", flat=True).iterator()
    return {each["file"] for attachments in found for each in attachments} & set(names)


def attachment_folder() -> str:
    return f"communications/{current_organization_id()}/"


def _set(message: Communication, fields: Mapping[str, Any], principal: Principal) -> None:
    """Set wording and links; raise Invalid with everything that is wrong."""
    for name in ("subject", "body_text"):
        if name in fields:
            setattr(message, name, fields[name])
    if "body_html" in fields:
        message.body_html = clean_html(fields["body_html"])
        message.body_text = message.body_text or html_to_text(message.body_html)
    if "attachments" in fields:
        message.attachments = [_attachment(each) for each in fields["attachments"]]
    if "client_id" in fields:
        client_id = fields["client_id"]
        if client_id and not Client.objects.get_queryset().visible_to(principal).filter(pk=client_id).exists():
            raise Invalid.field("clientId", "There is no such client.", constraint="does_not_exist")
        message.client_id = client_id
    if "subject_type" in fields or "subject_id" in fields:
        message.subject_type, message.subject_id = subjects.checked(
            fields.get("subject_type", message.subject_type), fields.get("subject_id", message.subject_id), principal
        )
    if message.version_id is None and not message.body_text.strip() and not message.attachments:
        raise Invalid.field("bodyText", "Give a text or a template.", constraint="required")
    if message.channel == Medium.EMAIL and message.version_id is None and not message.subject.strip():
        raise Invalid.field("subject", "A mail needs a subject.", constraint="required")
    if any(letter in message.subject for letter in "\r\n"):
        raise Invalid.field("subject", "The subject is one line.", constraint="header")
    if message.channel != Medium.EMAIL and (message.subject or message.body_html):
        raise Invalid.field("subject", "Only mails have a subject and HTML.", constraint="medium")


def _attachment(given: Mapping[str, Any]) -> dict[str, Any]:
    file = str(given.get("file", ""))
    if not file.startswith(attachment_folder()) or ".." in file or not default_storage.exists(file):
        raise Invalid.field("attachments", "There is no such file; upload it first.", constraint="does_not_exist")
    return {"file": file, "name": str(given["name"]), "contentType": str(given["content_type"])}


def _version(template: CommunicationTemplate | None, channel: str) -> TemplateVersion | None:
    if template is None:
        return None
    if template.channel != channel:
        raise Invalid.field("templateId", f"This template is for {template.channel}.", constraint="medium")
    return version_of(usable(template), template.version)


def _try_out(message: Communication, contact: Contact) -> None:
    """Refuse now what would fail later for want of a value; what a person sends is written now."""
    rendered = tried_out(message, contact)
    if message.has_its_text:
        message.body_text = rendered.text


def _locked(message: Communication) -> Communication:
    """Return the message, locked: a worker that claims it waits or was first."""
    found: Communication = (
        Communication.objects.select_for_update(of=("self",))
        .select_related("account", "version__template", "contact").defer("contact__search").get(pk=message.pk)
    )  # fmt: skip
    return found


def note_seen(message_id: uuid.UUID, column: str) -> None:
    """Note that a mail was opened or a link in it followed, the first time."""
    rows = Communication.objects.filter(pk=message_id, attempted_at__isnull=False)
    rows.filter(**{f"{column}__isnull": True}).update(**{column: timezone.now()})
    if column == "clicked_at":
        rows.filter(read_at__isnull=True).update(read_at=F("clicked_at"))
    rows.filter(status__in=[MessageStatus.SENT, MessageStatus.DELIVERED]).update(status=MessageStatus.READ)
