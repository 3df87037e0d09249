"""Templates: add, reword, remove; keep those of providers in step."""

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from comms.channels.values import RemoteTemplate
from comms.models import ChannelAccount, CommunicationTemplate, Medium, TemplateVersion
from comms.services import mustache
from comms.services.accounts import values_of
from comms.services.rendering import clean_html
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.errors import Conflict, Invalid, VocelioError
from vocelio.organizations.scope import organization_scope
from vocelio.plugins import PluginError

WORDING = ("subject", "body_text", "body_html", "parameters")
APPROVED = "approved"


class TemplateExists(Conflict):
    code = "TEMPLATE_EXISTS"
    message = "There is a template of this name, channel and language already."


class ProviderRefused(VocelioError):
    """The provider did not answer as it should."""

    code = "PROVIDER_REFUSED"
    status = 422
    message = "The provider refuses."


def create_template(**fields: Any) -> CommunicationTemplate:
    """Add a template with its first version; raise Invalid naming what is wrong with its text."""
    wording = {name: fields.pop(name) for name in WORDING if name in fields}
    wording = checked(wording, fields["channel"])
    template = CommunicationTemplate(created_by_id=current_actor().user_id, **fields)
    _save(template)
    _add_version(template, 1, wording)
    record("template.created", "communicationtemplate", template.pk, channel=template.channel)
    return _fresh(template)


def update_template(*, template: CommunicationTemplate, **fields: Any) -> CommunicationTemplate:
    """Change it; another text is another version, which is sent from now on."""
    template = CommunicationTemplate.objects.alive().select_for_update(of=("self",)).get(pk=template.pk)
    if "channel" in fields and fields["channel"] != template.channel:
        raise Invalid.field("channel", "A template stays with its channel; make another one.", constraint="fixed")
    current = version_of(template, template.version)
    wanted = {name: fields.pop(name) for name in WORDING if name in fields}
    if template.is_remote and any(
        getattr(current, name) != wanted.get(name, getattr(current, name)) for name in WORDING[:3]
    ):
        raise Invalid.field("bodyText", "The provider keeps this text; change it there.", constraint="remote")
    if "version" in fields and not TemplateVersion.objects.filter(template=template, number=fields["version"]).exists():
        raise Invalid.field("version", "There is no such version.", value=fields["version"], constraint="choice")
    for name, value in fields.items():
        setattr(template, name, value)
    wording = {name: getattr(current, name) for name in WORDING} | wanted
    wording = checked(wording, template.channel, is_remote=template.is_remote) if wanted else wording
    if any(getattr(current, name) != value for name, value in wording.items()):
        last = TemplateVersion.objects.filter(template=template).aggregate(last=Max("number"))["last"]
        template.version = last + 1
        _add_version(template, template.version, wording)
    _save(template)
    record("template.updated", "communicationtemplate", template.pk, fields=sorted([*fields, *wanted]))
    return _fresh(template)


def delete_template(template: CommunicationTemplate) -> None:
    """Take it out of use; what was made of it stays, and so do its figures."""
    CommunicationTemplate.objects.filter(pk=template.pk).update(deleted_at=timezone.now(), is_active=False)
    record("template.deleted", "communicationtemplate", template.pk)


def version_of(template: CommunicationTemplate, number: int) -> TemplateVersion:
    version: TemplateVersion = TemplateVersion.objects.get(template=template, number=number)
    return version


def checked(wording: dict[str, Any], channel: str, *, is_remote: bool = False) -> dict[str, Any]:
    """Return a wording as it is stored, HTML sanitised; raise Invalid with everything that is wrong."""
    errors: list[dict[str, Any]] = []

    def wrong(field: str, message: str, constraint: str) -> None:
        errors.append({"field": field, "value": None, "constraint": constraint, "message": message})

    subject, text, html = (wording.get(name, "") for name in WORDING[:3])
    if channel == Medium.EMAIL and not subject.strip():
        wrong("subject", "A mail needs a subject.", "required")
    if channel != Medium.EMAIL and (subject or html):
        wrong("subject" if subject else "bodyHtml", "Only mails have this.", "medium")
    if any(letter in subject for letter in "\r\n"):
        wrong("subject", "The subject is one line.", "header")
    if not text.strip() and not html.strip():
        wrong("bodyText", "There is no text.", "required")
    parts = {"subject": subject, "bodyText": text, "bodyHtml": html}
    parts |= {f"parameters.{index}": each for index, each in enumerate(wording.get("parameters", []))}
    for field, part in parts.items():
        try:
            mustache.parse(part)
        except mustache.TemplateError as error:
            wrong(field, str(error), "template")
        else:
            if field == "bodyHtml" and mustache.has_raw(part):
                wrong(field, "Values are always escaped in HTML: write {{name}}.", "raw")
    if wording.get("parameters") and not is_remote:
        wrong("parameters", "Only a provider's template has numbered places.", "remote")
    if errors:
        raise Invalid("The template is not valid.", errors=errors)
    return {**wording, "body_html": clean_html(html) if html else ""}


def sync_templates(account: ChannelAccount) -> int:
    """Fetch the provider's templates and what it thinks of them; return how many there are. Opens scopes of its own."""
    organization_id = account.organization_id
    with organization_scope(organization_id):
        values = values_of(account)
    try:
        found = account.channel.fetch_templates(values)
    except PluginError as error:
        raise ProviderRefused(str(error), providerCode=error.code) from None
    with organization_scope(organization_id):
        for remote in found:
            store_remote(account, remote)
        there = {(each.name, each.language) for each in found}
        for template in CommunicationTemplate.objects.alive().filter(account=account):
            if (template.remote_name, template.language) not in there:
                template.remote_status = "deleted"
                template.save(update_fields=["remote_status"])
        record("template.synced", "channelaccount", account.pk, count=len(found))
    return len(found)


def store_remote(account: ChannelAccount, remote: RemoteTemplate) -> None:
    """Keep what the provider says of one template; a text that changed there is another version here."""
    rows = CommunicationTemplate.objects.select_for_update(of=("self",)).filter(account=account)
    template = rows.filter(remote_name=remote.name, language=remote.language).first()
    if template is None:
        if not remote.body:
            return
        template = CommunicationTemplate(
            name=f"{remote.name} ({account.name})"[:200],
            channel=account.medium,
            language=remote.language[:15],
            account=account,
            remote_name=remote.name[:200],
        )
    is_new = template._state.adding
    template.remote_status, template.remote_reason = remote.status[:30], remote.reason[:200]
    if remote.body and not is_new:
        current = version_of(template, template.version)
        if current.body_text != remote.body:
            template.version += 1
            _add_version(template, template.version, {"body_text": remote.body, "parameters": current.parameters})
    _save(template)
    if is_new:
        _add_version(template, 1, {"body_text": remote.body})


def usable(template: CommunicationTemplate, field: str = "templateId") -> CommunicationTemplate:
    """Raise Invalid unless messages may be made of the template now."""
    if not template.is_active or template.deleted_at is not None:
        raise Invalid.field(field, "This template is out of use.", constraint="inactive")
    if template.is_remote and template.remote_status != APPROVED:
        message = f"The provider has not approved this template: {template.remote_status}."
        raise Invalid.field(field, message, constraint="approval")
    return template


def _add_version(template: CommunicationTemplate, number: int, wording: dict[str, Any]) -> None:
    TemplateVersion.objects.create(template=template, number=number, created_by_id=current_actor().user_id, **wording)


def _save(template: CommunicationTemplate) -> None:
    try:
        with transaction.atomic():
            template.save()
    except IntegrityError as error:
        if "one_template_per_name" not in str(error):
            raise
        raise TemplateExists(field="name", value=template.name, constraint="unique") from None


def _fresh(template: CommunicationTemplate) -> CommunicationTemplate:
    found: CommunicationTemplate = CommunicationTemplate.objects.select_related("created_by").get(pk=template.pk)
    return found


def wordings(templates: Sequence[CommunicationTemplate]) -> dict[Any, TemplateVersion]:
    """Return the version in force of each template, by the template's id."""
    rows = TemplateVersion.objects.filter(template__in=[each.pk for each in templates])
    numbers = {each.pk: each.version for each in templates}
    return {row.template_id: row for row in rows if numbers[row.template_id] == row.number}
