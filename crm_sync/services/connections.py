"""Make, change, prove and remove connections to CRMs."""

import base64
import hashlib
import secrets
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from crm_sync.models import CrmCredential, CrmIntegration, CrmQuota, CrmSyncRun
from crm_sync.models.integrations import providers
from crm_sync.providers.failures import AuthExpired
from crm_sync.providers.provider import Provider
from crm_sync.providers.remote import Remote
from crm_sync.providers.values import Account, Credential, Kind, OAuthApp, RemoteField, RemoteRecord, Subscription
from crm_sync.services.calls import open_remote
from crm_sync.services.credentials import store_credential
from crm_sync.services.departures import departure_of
from crm_sync.services.fields import canonical
from crm_sync.services.kinds import record_kind, record_kinds
from crm_sync.services.rules import check_mappings, check_settings, field_row, kinds_of, mapping_of, remote_fields
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.errors import Conflict, Invalid, VocelioError
from vocelio.jobs.models import JobStatus
from vocelio.jobs.services import forget_task, promise_task
from vocelio.organizations.scope import organization_scope
from vocelio.outbound import check_address
from vocelio.plugins import PluginError

SAMPLES = 5
CHECK_TASK = "crm_sync.tasks.check_connection"


class ConnectionExists(Conflict):
    code = "CRM_CONNECTION_EXISTS"
    message = "There is already a connection to this CRM with this name."


class ConnectionRefused(VocelioError):
    """The CRM does not accept the credential, or cannot be reached."""

    code = "CRM_REFUSED"
    status = 422
    message = "The CRM does not accept this connection."


def create_connection(
    *,
    crm_type: str,
    name: str,
    api_key: str = "",
    endpoint_url: str = "",
    field_mappings: Mapping[str, Any] | None = None,
    company_mappings: Mapping[str, Any] | None = None,
    sync_settings: Mapping[str, Any] | None = None,
    options: Mapping[str, str] | None = None,
    auto_sync: bool | None = None,
    sync_frequency: int | None = None,
) -> CrmIntegration:
    """Store a connection and have it checked; without a key it waits for the person's consent at the vendor's."""
    provider = providers().get(crm_type)
    if provider is None:
        raise Invalid.field("crmType", f"One of: {', '.join(providers())}.", value=crm_type[:50], constraint="choice")
    if api_key and "key" not in provider.credential_kinds:
        raise Invalid.field("apiKey", f"{provider.label} is connected by signing in.", constraint="not_supported")
    integration = CrmIntegration(
        crm_type=crm_type,
        name=name,
        endpoint_url=clean_endpoint(provider, endpoint_url),
        options=clean_options(provider, options or {}),
        created_by_id=current_actor().user_id,
    )
    mappings = {
        kind: given
        for kind, given in ((Kind.CONTACTS, field_mappings), (Kind.COMPANIES, company_mappings))
        if given is not None
    }
    _apply(integration, mappings, sync_settings, auto_sync, sync_frequency)
    _save(integration)
    new_webhook_address(integration)
    record("crm_integration.created", "crmintegration", integration.pk, crmType=crm_type)
    if api_key:
        _take_key(integration, api_key)
    return integration


def update_connection(
    *,
    integration: CrmIntegration,
    name: str | None = None,
    api_key: str = "",
    endpoint_url: str | None = None,
    field_mappings: Mapping[str, Any] | None = None,
    company_mappings: Mapping[str, Any] | None = None,
    sync_settings: Mapping[str, Any] | None = None,
    options: Mapping[str, str] | None = None,
    auto_sync: bool | None = None,
    sync_frequency: int | None = None,
) -> CrmIntegration:
    """Change the given settings. Mappings are merged by field, null removes one; a new address or data
    centre takes the credential along, which must then be given again."""
    provider, fields = integration.provider, []
    integration = CrmIntegration.objects.select_for_update().get(pk=integration.pk)
    if name is not None:
        integration.name = name
        fields.append("name")
    endpoint = integration.endpoint_url if endpoint_url is None else clean_endpoint(provider, endpoint_url)
    chosen = integration.options if options is None else clean_options(provider, options)
    if endpoint != integration.endpoint_url or chosen != integration.options:
        if not api_key and CrmCredential.objects.filter(integration=integration).exclude(blob="").exists():
            raise Invalid.field(
                "apiKey",
                "Where calls go has changed: give the credential again, or connect anew.",
                constraint="required",
            )
        integration.endpoint_url, integration.options = endpoint, chosen
        fields += ["endpoint_url", "options"]
    mappings: dict[Kind, Mapping[str, Any]] = {}
    for kind, given in ((Kind.CONTACTS, field_mappings), (Kind.COMPANIES, company_mappings)):
        if given is not None:
            merged = {**mapping_of(integration, kind), **given}
            mappings[kind] = {name: value for name, value in merged.items() if value is not None}
            fields.append(record_kind(kind).mappings)
    if sync_settings is not None:
        sync_settings = {**integration.sync_settings, **sync_settings}
        fields.append("sync_settings")
    _apply(integration, mappings, sync_settings, auto_sync, sync_frequency)
    _save(integration)
    fields += [
        name for name, value in (("auto_sync", auto_sync), ("sync_frequency", sync_frequency)) if value is not None
    ]
    if api_key:
        if "key" not in provider.credential_kinds:
            raise Invalid.field("apiKey", f"{provider.label} is connected by signing in.", constraint="not_supported")
        _take_key(integration, api_key)
        fields.append("api_key")
    record("crm_integration.updated", "crmintegration", integration.pk, fields=sorted(fields))
    return integration


def delete_connection(*, integration: CrmIntegration) -> None:
    """Remove the connection with its links and history; contacts stay as they are on both sides.

    After the commit its webhook and its grant are given back to the vendor; the audit log says whether they were.
    """
    active = CrmSyncRun.objects.filter(
        integration=integration, status__in=[JobStatus.PENDING, JobStatus.PROCESSING]
    ).exists()
    if active:
        raise Conflict("A sync of this connection is running. Cancel it first.")
    forget_task(integration.pk)
    if departure := departure_of(integration):
        transaction.on_commit(departure.give_back)
    record("crm_integration.deleted", "crmintegration", integration.pk, crmType=integration.crm_type)
    with connection.cursor() as cursor:
        # The database cascades; Django would load a million links to do the same.
        cursor.execute(
            "DELETE FROM crm_integrations WHERE organization_id = %s AND id = %s",
            [integration.organization_id, integration.pk],
        )


def connect(integration: CrmIntegration, credential: Credential, *, app: OAuthApp | None = None) -> None:
    """Store a credential that a person has just given, and have it proven."""
    store_credential(integration, credential, app=app)
    CrmIntegration.objects.filter(pk=integration.pk).update(
        status=CrmIntegration.Status.DISCONNECTED, status_message="The connection is being checked."
    )
    integration.refresh_from_db()
    record("crm_credential.stored", "crmintegration", integration.pk, kind=credential.kind)
    promise_task(CHECK_TASK, organization_id=integration.organization_id, row_id=integration.pk)


def check_promised(organization_id: uuid.UUID, integration_id: uuid.UUID) -> None:
    """Check a connection that was stored a moment ago; its status says how that went."""
    with organization_scope(organization_id):
        integration = CrmIntegration.objects.filter(pk=integration_id).first()
    try:
        if integration is not None:
            check_connection(integration)
    except ConnectionRefused:
        # Stored as the connection's status.
        pass
    forget_task(integration_id)


def check_connection(integration: CrmIntegration) -> CrmIntegration:
    """Call the CRM: whose account it is, its fields, a few records to map by. Outside any transaction.

    Raise ConnectionRefused, with the reason stored as the connection's status, when that fails.
    """
    provider = integration.provider
    try:
        with open_remote(integration) as remote:
            account = provider.test(remote)
            read = list(_look(remote, integration))
    except PluginError as error:
        status = CrmIntegration.Status.EXPIRED if isinstance(error, AuthExpired) else CrmIntegration.Status.DISCONNECTED
        with organization_scope(integration.organization_id):
            if error.permanent:
                CrmIntegration.objects.filter(pk=integration.pk).update(status=status, status_message=str(error)[:500])
            record("crm_integration.check_failed", "crmintegration", integration.pk, code=error.code)
        raise ConnectionRefused(str(error), code=error.code) from None
    with organization_scope(integration.organization_id):
        _store_check(integration, account, read)
    ensure_subscription(integration)
    with organization_scope(integration.organization_id):
        checked: CrmIntegration = CrmIntegration.objects.get(pk=integration.pk)
    return checked


def ensure_subscription(integration: CrmIntegration) -> None:
    """Make or renew the vendor's webhook where the vendor offers that and can reach this installation."""
    provider = integration.provider
    if not provider.subscribes or not settings.CRM_WEBHOOKS:
        return
    with organization_scope(integration.organization_id):
        row = CrmCredential.objects.get(integration=integration)
        token, _, secret = row.webhook_secret.partition(":")
        current = Subscription(row.subscription_id, row.subscription_expires_at) if row.subscription_id else None
    try:
        with open_remote(integration) as remote:
            made = provider.subscribe(remote, url=webhook_url(token), secret=secret, current=current)
    except PluginError as error:
        # Webhooks only hint: without them the sync runs all the same, at its own times.
        with organization_scope(integration.organization_id):
            record("crm_webhook.not_subscribed", "crmintegration", integration.pk, code=error.code)
        return
    with organization_scope(integration.organization_id):
        CrmCredential.objects.filter(integration=integration).update(
            subscription_id=made.id[:255], subscription_expires_at=made.expires_at
        )


def store_fields(integration: CrmIntegration, kind: Kind, fields: Sequence[RemoteField]) -> None:
    """Keep the CRM's description of its fields."""
    integration.remote_fields = {**integration.remote_fields, kind.value: [field_row(field) for field in fields]}
    CrmIntegration.objects.filter(pk=integration.pk).update(remote_fields=integration.remote_fields)


def new_webhook_address(integration: CrmIntegration) -> None:
    """Draw the address at which the vendor reaches this connection, and the secret it proves itself by."""
    token = base64.urlsafe_b64encode(integration.organization_id.bytes + secrets.token_bytes(20)).decode().rstrip("=")
    row = CrmCredential.objects.filter(integration=integration).first() or CrmCredential(integration=integration)
    row.webhook_secret = f"{token}:{secrets.token_urlsafe(30)[:40]}"
    row.webhook_token_hash = token_hash(token)
    row.save()


def webhook_url(token: str) -> str:
    return f"{settings.PUBLIC_URL}/v1/webhooks/crm/{token}"


def webhook_address(integration: CrmIntegration) -> str:
    """Return the address to be entered at the vendor's."""
    row = CrmCredential.objects.filter(integration=integration).first()
    return webhook_url(row.webhook_secret.partition(":")[0]) if row and row.webhook_secret else ""


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def clean_endpoint(provider: Provider, url: str) -> str:
    """Return the vendor's address without a trailing slash; raise for one that is not the vendor's."""
    url = url.strip().rstrip("/")
    if url:
        check_address(url, provider.hosts)
    return url


def clean_options(provider: Provider, given: Mapping[str, Any]) -> dict[str, str]:
    """Return what the provider asks for, with its defaults; raise Invalid with every bad answer."""
    asked = {setting.name: setting for setting in provider.settings}
    problems = []
    for name, value in given.items():
        setting = asked.get(name)
        if setting is None:
            problems.append((name, "There is no such option.", "unknown"))
        elif not isinstance(value, str) or len(value) > 200 or "\0" in value:
            problems.append((name, "A text of at most 200 characters.", "text"))
        elif setting.choices and value not in {choice.value for choice in setting.choices}:
            problems.append((name, f"One of: {', '.join(choice.value for choice in setting.choices)}.", "choice"))
    if problems:
        raise Invalid(
            problems[0][1],
            errors=[
                {"field": f"options.{name}"[:120], "value": None, "constraint": constraint, "message": message}
                for name, message, constraint in problems
            ],
        )
    return {name: str(given.get(name, setting.default)) for name, setting in asked.items()}


def quotas_of(integration: CrmIntegration) -> Sequence[CrmQuota]:
    """Return the quota meters of the connection's account."""
    rows = CrmQuota.objects.filter(crm_type=integration.crm_type, account_id=integration.limiter_account)
    return list(rows.order_by("seconds", "window"))


def _apply(
    integration: CrmIntegration,
    mappings: Mapping[Kind, Mapping[str, Any]],
    sync_settings: Mapping[str, Any] | None,
    auto_sync: bool | None,
    sync_frequency: int | None,
) -> None:
    if sync_settings is not None:
        # The document has these two here when it creates and at the top when it updates.
        chosen = dict(sync_settings)
        inner_auto, inner_frequency = chosen.pop("autoSync", None), chosen.pop("syncFrequency", None)
        if inner_auto is not None and not isinstance(inner_auto, bool):
            raise Invalid.field("syncSettings.autoSync", "true or false.", constraint="boolean")
        if inner_frequency is not None and (type(inner_frequency) is not int or not 5 <= inner_frequency <= 10080):
            raise Invalid.field("syncSettings.syncFrequency", "5 to 10080 minutes.", constraint="range")
        auto_sync = inner_auto if auto_sync is None else auto_sync
        sync_frequency = inner_frequency if sync_frequency is None else sync_frequency
        check_settings(chosen)
        integration.sync_settings = chosen
    for kind, pairs in mappings.items():
        check_mappings(record_kind(kind), pairs, remote_fields(integration, kind))
        setattr(integration, record_kind(kind).mappings, dict(pairs))
    if sync_frequency is not None:
        integration.sync_frequency = sync_frequency
    if auto_sync is not None:
        integration.auto_sync = auto_sync
    if integration.auto_sync and (auto_sync or sync_frequency is not None):
        due = timezone.now() + timedelta(minutes=integration.sync_frequency)
        integration.next_sync_at = min(filter(None, [integration.next_sync_at, due]))


def _save(integration: CrmIntegration) -> None:
    try:
        with transaction.atomic():
            integration.save()
    except IntegrityError as error:
        if "one_crm_connection_per_name" not in str(error):
            raise
        raise ConnectionExists(field="name", value=integration.name, constraint="unique") from None


def _take_key(integration: CrmIntegration, api_key: str) -> None:
    credential = integration.provider.credential_from_key(
        api_key.strip(), options=integration.options, endpoint_url=integration.endpoint_url
    )
    connect(integration, credential)


class _Read(NamedTuple):
    """What a check has read of one kind."""

    kind: Kind
    fields: Sequence[RemoteField]
    records: Sequence[RemoteRecord]


def _look(remote: Remote, integration: CrmIntegration) -> Iterator[_Read]:
    """Look at every kind; one that is not synced may be closed to the connection."""
    synced = kinds_of(integration)
    for kind in (each.kind for each in record_kinds() if each.kind in remote.provider.types):
        try:
            yield _look_at(remote, integration, kind)
        except PluginError as error:
            if kind in synced or not error.permanent:
                raise


def _look_at(remote: Remote, integration: CrmIntegration, kind: Kind) -> _Read:
    """Read the CRM's fields of a kind and a few records: the mapped fields and the vendor's usual ones."""
    provider = remote.provider
    fields = provider.fields(remote, kind)
    mapped = {value["field"] if isinstance(value, dict) else value for value in mapping_of(integration, kind).values()}
    wanted = mapped | set(provider.types[kind].mapping.values())
    names = sorted({field.name for field in fields} & wanted)
    page = provider.changes(remote, kind, since=None, position="", names=names)
    return _Read(kind, fields, page.records[:SAMPLES])


def _store_check(integration: CrmIntegration, account: Account, read: Sequence[_Read]) -> None:
    for each in read:
        store_fields(integration, each.kind, each.fields)
    CrmIntegration.objects.filter(pk=integration.pk).update(
        status=CrmIntegration.Status.CONNECTED,
        status_message="",
        account_id=account.id[:255],
        account_name=account.name[:255],
        warnings=list(account.warnings),
        samples={
            each.kind.value: [
                {name: canonical(value) for name, value in sample.values.items()} for sample in each.records
            ]
            for each in read
        },
        checked_at=Now(),
    )
    record("crm_integration.checked", "crmintegration", integration.pk)
