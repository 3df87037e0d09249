"""Write claimed messages: from their templates or as people wrote them, with what each needs to be answered and left."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.core.files.storage import default_storage

from comms.channels.mail import message_name
from comms.channels.values import Attachment, Outgoing
from comms.models import ChannelAccount, CommsSettings, Communication, Medium, Purpose
from comms.services.consent import Refused
from comms.services.rendering import (
    CannotRender,
    Rendered,
    Sender,
    render_version,
    unsubscribe_url,
    values_for,
    with_footer,
    with_tracking,
)
from comms.services.schedule import read_settings
from contacts.models import Contact
from vocelio.errors import Invalid
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import current_organization_id
from vocelio.storage.downloads import link_to
from vocelio.users.models import User

# As long as a provider may take to fetch a file it is told of.
FETCH_SECONDS = 3600


@dataclass(frozen=True)
class Written:
    """A message as it goes out, and the HTML that is kept: without our counters."""

    outgoing: Outgoing
    stored_html: str


def write_messages(
    messages: Sequence[Communication],
    contacts: Mapping[uuid.UUID, Contact],
    account: ChannelAccount,
    rules: CommsSettings,
) -> dict[uuid.UUID, Written | Refused]:
    """Return each message written, or why it cannot be."""
    people = senders({message.created_by_id for message in messages}, rules)
    parents = _parents(messages)
    made: dict[uuid.UUID, Written | Refused] = {}
    for message in messages:
        contact = contacts.get(message.contact_id) if message.contact_id else None
        sender = people[message.created_by_id]
        try:
            made[message.pk] = _write(
                message, contact, account, sender, parents.get(message.reply_to_id or message.pk, "")
            )
        except CannotRender as error:
            made[message.pk] = Refused(error.code, error.message)
    return made


def tried_out(message: Communication, contact: Contact) -> Rendered:
    """Return a template's message as the contact would get it now; raise Invalid for what is missing."""
    if message.version is None:
        raise ValueError("The message is made of no template")
    sender = senders({message.created_by_id}, read_settings())[message.created_by_id]
    values = values_for(contact, sender, message.variables, "https://example.test/unsubscribe")
    try:
        return render_version(message.version, message.channel, message.version.template.when_missing, values)
    except CannotRender as error:
        raise Invalid.field("variables", error.message, constraint=error.code.lower()) from None


def senders(user_ids: set[uuid.UUID | None], rules: CommsSettings) -> dict[uuid.UUID | None, Sender]:
    """Return in whose name each of these people writes; of nobody, the organization does."""
    organization = Organization.objects.values_list("name", flat=True).get(pk=current_organization_id())
    found: dict[uuid.UUID | None, Sender] = {None: Sender(organization, "", organization, rules.postal_address)}
    for user in User.objects.filter(pk__in=[user_id for user_id in user_ids if user_id]):
        found[user.pk] = Sender(user.name or user.email, user.email, organization, rules.postal_address)
    return {user_id: found.get(user_id, found[None]) for user_id in [*user_ids, None]}


def _parents(messages: Sequence[Communication]) -> dict[uuid.UUID, str]:
    """Return how providers name the messages that these answer."""
    ids = {message.reply_to_id for message in messages if message.reply_to_id}
    return dict(Communication.objects.filter(pk__in=ids).values_list("pk", "provider_id")) if ids else {}


def _write(
    message: Communication, contact: Contact | None, account: ChannelAccount, sender: Sender, answers: str
) -> Written:
    is_bulk = message.purpose == Purpose.BULK
    leave = unsubscribe_url(message.pk) if account.medium == Medium.EMAIL else ""
    template = message.version.template if message.version is not None else None
    if message.has_its_text or message.version is None or template is None:
        rendered = Rendered(message.subject, message.body_text, message.body_html)
    else:
        values = values_for(contact, sender, message.variables, leave)
        rendered = render_version(message.version, account.medium, template.when_missing, values)
    if is_bulk:
        rendered = with_footer(rendered, account.medium, sender, leave)
    html = rendered.html
    if template is not None:
        html = with_tracking(html, message.pk, clicks=template.track_clicks, opens=template.track_opens)
    domain = account.settings.get("fromEmail", "").rpartition("@")[2]
    outgoing = Outgoing(
        id=message.pk,
        address=message.address,
        recipient_name=contact.name if contact is not None else "",
        subject=rendered.subject,
        text=rendered.text,
        html=html,
        message_id=message_name(message.pk, domain) if domain else "",
        in_reply_to=answers,
        unsubscribe_url=leave if is_bulk else "",
        attachments=_attachments(message, account),
        remote_template=template.remote_name if template is not None else "",
        language=template.language if template is not None else "",
        parameters=rendered.parameters,
    )
    return Written(outgoing, rendered.html)


def _attachments(message: Communication, account: ChannelAccount) -> tuple[Attachment, ...]:
    """Read the files of a message; tell a provider that takes none where it fetches them."""
    found = []
    for each in message.attachments:
        if not default_storage.exists(each["file"]):
            raise CannotRender("ATTACHMENT_GONE", f"The file {each['name']} is gone.")
        if account.channel.takes_files:
            with default_storage.open(each["file"]) as file:
                found.append(Attachment(each["name"], each["contentType"], file.read()))
            continue
        url = link_to(each["file"], seconds=FETCH_SECONDS)
        if not url.startswith("https://"):
            reason = f"{account.channel.label} fetches files by https, and {each['name']} lies where it cannot."
            raise CannotRender("ATTACHMENT_UNREACHABLE", reason)
        found.append(Attachment(each["name"], each["contentType"], url=url))
    return tuple(found)
