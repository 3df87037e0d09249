"""Compare records of both sides and store what comes of it: the heart of pulls, and of what precedes pushes.

`take_records` works in the caller's transaction on one page: one statement to find the links, one for the contacts,
one for those who look alike, then set-based writes.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from contacts.models import Contact
from contacts.services import batches
from contacts.services.announcements import announce_bulk, owners_of
from contacts.signals import opted_out
from crm_sync.models import CrmConflict, CrmIntegration, CrmLink, CrmOptOut, CrmSyncItem, CrmSyncRun
from crm_sync.providers.values import Kind, RemoteField, RemoteRecord, Value
from crm_sync.services.fields import TIGHTENING, Unusable, local_values, read_remote, restored, whole_row
from crm_sync.services.journal import Journal
from crm_sync.services.link_rows import links_of_contacts, links_of_records, store_links
from crm_sync.services.merge import FieldRule, Merge, merge
from crm_sync.services.rules import Settings, remote_fields, rules_of, settings_of
from vocelio.audit.services import record
from vocelio.db.ids import uuid7
from vocelio.organizations.models import Organization

# Two clocks are never equal: edits this close together count as simultaneous, and the CRM's wins.
SKEW = timedelta(seconds=5)


@dataclass
class Comparison:
    """Everything that stays the same while one run compares records."""

    integration: CrmIntegration
    run: CrmSyncRun
    settings: Settings
    rules: list[FieldRule]
    types: dict[str, RemoteField]
    region: str
    kind: Kind = Kind.CONTACTS
    is_dry: bool = False
    # Contacts a dry run has already paired: nothing is stored that would say so.
    paired: set[uuid.UUID] = field(default_factory=set)

    @classmethod
    def of(cls, run: CrmSyncRun) -> "Comparison":
        integration = run.integration
        return cls(
            integration=integration,
            run=run,
            settings=settings_of(integration),
            rules=rules_of(integration),
            types=remote_fields(integration, Kind.CONTACTS),
            region=Organization.objects.values_list("default_region", flat=True).get(pk=run.organization_id),
            is_dry=run.is_dry,
        )

    @property
    def mapping(self) -> dict[str, str]:
        return {rule.local: rule.remote for rule in self.rules}

    @property
    def names(self) -> list[str]:
        """Return the CRM's fields to read."""
        return sorted({rule.remote for rule in self.rules})


@dataclass
class _Row:
    """One record of a page on its way through."""

    record: RemoteRecord
    remote: dict[str, Value | Unusable]
    link: CrmLink
    is_first: bool
    contact: Contact | None = None
    merge: Merge = field(default_factory=Merge)
    problem: tuple[str, str, str] | None = None
    makes_contact: bool = False
    is_revived: bool = False
    had_conflict: bool = False
    local: dict[str, Value] = field(default_factory=dict)
    # The phone that is withheld because another contact has it.
    notes: list[str] = field(default_factory=list)


def take_records(comparison: Comparison, journal: Journal, records: Sequence[RemoteRecord]) -> None:
    """Merge a page of the CRM's records into ours; what the CRM has to be told is left due on its link."""
    # A page may hold a record twice; the later one is the newer.
    newest = {each.id: each for each in records}
    if not newest:
        return
    batches.take_turns()
    remote_values = read_remote(newest.values(), comparison.mapping, comparison.types, comparison.region)
    rows = _with_links(comparison, newest, remote_values)
    journal.skipped += len(records) - len(newest)
    rows = [row for row in rows if not _stays_gone(comparison, journal, row)]
    _find_contacts(comparison, rows)
    _merge_all(comparison, rows)
    _write(comparison, journal, rows)


def opted_out_addresses(contacts: Iterable[Contact], rules: Iterable[FieldRule]) -> dict[str, set[str]]:
    """Return, by channel, those of the contacts' addresses whose owners said no."""
    found: dict[str, set[str]] = {"call": set(), "email": set()}
    wanted = {TIGHTENING[rule.local] for rule in rules if rule.local in TIGHTENING}
    if not wanted:
        return found
    people = list(contacts)
    condition = Q(channel="call", address__in=[each.phone for each in people if each.phone]) | Q(
        channel="email", address__in=[each.email for each in people if each.email]
    )
    for channel, address in CrmOptOut.objects.filter(condition).values_list("channel", "address"):
        found[channel].add(address)
    return found


def _with_links(
    comparison: Comparison, records: Mapping[str, RemoteRecord], values: Sequence[dict[str, Value | Unusable]]
) -> list[_Row]:
    by_id = links_of_records(comparison.integration, comparison.kind.value, records, lock=True)
    rows = []
    for each, remote in zip(records.values(), values, strict=True):
        link = by_id.get(each.id)
        is_first = link is None or link.contact_id is None
        if link is None:
            link = CrmLink(
                id=uuid7(), integration=comparison.integration, kind=comparison.kind.value, remote_id=each.id
            )
        rows.append(_Row(each, remote, link, is_first, had_conflict=link.has_conflict))
    return rows


def _stays_gone(comparison: Comparison, journal: Journal, row: _Row) -> bool:
    """Say whether a tombstone keeps the record from coming back; one that the CRM has brought back is revived."""
    if row.link.state != CrmLink.State.TOMBSTONED:
        return False
    if row.link.code == "REMOTE_DELETED":
        row.is_revived = True
        return False
    journal.skipped += 1
    return True


def _find_contacts(comparison: Comparison, rows: list[_Row]) -> None:
    """Give each row its contact: the linked one, else the one with the same phone or e-mail that nobody else has."""
    phones = batches.owners_of_phones(_text(row, "phone") for row in rows if _text(row, "phone"))
    emails = batches.contacts_with_emails(_text(row, "email") for row in rows if row.is_first and _text(row, "email"))
    candidates = {contact_id for ids in emails.values() for contact_id in ids}
    candidates |= set(phones.values())
    linked = {row.link.contact_id for row in rows if row.link.contact_id}
    contacts = batches.locked_contacts(candidates | linked)
    # A link that was never sent to the CRM does not keep its contact from being paired.
    taken = {
        link.contact_id
        for link in links_of_contacts(comparison.integration, candidates)
        if link.state != CrmLink.State.TOMBSTONED and (link.remote_id or link.state == CrmLink.State.CREATING)
    }
    taken |= linked | comparison.paired
    for row in rows:
        if row.link.contact_id:
            row.contact = contacts.get(row.link.contact_id)
            continue
        phone, email = _text(row, "phone"), _text(row, "email")
        owner = phones.get(phone)
        choices = [owner] if owner else []
        namesakes = emails.get(email, [])
        choices += namesakes if len(namesakes) == 1 else []
        for contact_id in choices:
            if contact_id not in taken:
                row.contact = contacts[contact_id]
                taken.add(contact_id)
                if comparison.is_dry:
                    comparison.paired.add(contact_id)
                break
    # A number belongs to one contact; who shares it, a switchboard's say, goes without.
    in_page: dict[str, _Row] = {}
    for row in rows:
        phone = _text(row, "phone")
        if not phone:
            continue
        owner = phones.get(phone)
        is_own = row.contact is not None and (owner == row.contact.pk or row.contact.phone == phone)
        other = in_page.setdefault(phone, row)
        if (owner is not None and not is_own) or (other is not row and not is_own):
            row.remote["phone"] = Unusable("The phone number belongs to another contact.")


def _merge_all(comparison: Comparison, rows: list[_Row]) -> None:
    known = [row.contact for row in rows if row.contact is not None]
    refused = opted_out_addresses(known, comparison.rules)
    # Somebody new may be known to have said no already.
    strangers = [
        Contact(phone=_text(row, "phone") or None, email=_text(row, "email")) for row in rows if row.contact is None
    ]
    refused_strangers = opted_out_addresses(strangers, comparison.rules)
    undecided = _open_conflicts(rows)
    names = [rule.local for rule in comparison.rules]
    for row in rows:
        contact, link = row.contact, row.link
        blank = contact or Contact(phone=_text(row, "phone") or None, email=_text(row, "email"))
        row.local = local_values(contact or Contact(), names, refused if contact else {"call": set(), "email": set()})
        if contact is None:
            for name in TIGHTENING.keys() & set(names):
                row.local[name] = local_values(blank, [name], refused_strangers)[name]
        row.merge = merge(
            comparison.rules,
            row.local,
            row.remote,
            {} if row.is_first else {name: restored(value) for name, value in link.local_base.items()},
            {} if row.is_first else {name: restored(value) for name, value in link.remote_base.items()},
            local_is_newer=_is_newer(contact, row.record.changed_at),
            undecided=undecided.get(link.pk, frozenset()),
        )
        _judge(comparison, row)


def _judge(comparison: Comparison, row: _Row) -> None:
    """Decide whether the record can be stored here at all."""
    notes = [f"{name}: {reason}" for name, reason in row.merge.unusable.items()]
    row.notes = notes
    after = {**row.local, **row.merge.to_local}
    has_address = after.get("phone") or after.get("email")
    if row.contact is not None:
        has_address = has_address or ("phone" not in after and row.contact.phone)
        has_address = has_address or ("email" not in after and row.contact.email)
    if row.contact is None:
        if not comparison.settings.create_local or not comparison.settings.pulls:
            row.problem = ("NOT_WANTED", "", "")
        elif not has_address:
            reason = "; ".join(notes) or "Neither a phone number nor an e-mail address."
            row.problem = ("NO_ADDRESS", "phone", reason)
        else:
            row.makes_contact = True
    elif not has_address:
        # Emptied in the CRM: the contact keeps what it has.
        for name in ("phone", "email"):
            if name in row.merge.to_local:
                del row.merge.to_local[name]
                row.merge.local_base[name] = row.local[name]


def _write(comparison: Comparison, journal: Journal, rows: list[_Row]) -> None:
    new, changed = [], []
    for row in rows:
        if row.problem:
            continue
        plain = {name: value for name, value in row.merge.to_local.items() if name not in TIGHTENING}
        if row.makes_contact:
            contact_id = uuid7()
            row.contact = Contact(
                pk=contact_id, phone=str(plain.get("phone") or "") or None, email=str(plain.get("email") or "")
            )
            new.append((row, whole_row(contact_id, None, plain)))
        elif plain and row.contact is not None and row.contact.deleted_at is None:
            changed.append((row, whole_row(row.contact.pk, row.contact, plain)))
    journal.check_changes(sum(1 for row, _ in changed if not row.is_first))
    if comparison.is_dry:
        _plan(comparison, journal, rows)
        return
    versions = batches.add_contacts([row for _, row in new], source=comparison.integration.crm_type)
    for each, _ in new:
        if each.contact is not None and each.contact.pk not in versions:
            # Somebody took the number since the look-up, which cannot be while writers take turns, but for one contact
            # typed in by hand this very moment. The next run finds it.
            each.problem = ("PHONE_TAKEN", "phone", "The phone number belongs to another contact.")
            each.contact = None
    versions |= batches.change_contacts([row for _, row in changed])
    _tell_opt_outs(comparison, rows)
    restored_ids = _restore(rows)
    links = [_link_after(row, versions) for row in rows if row.problem is None or row.problem[0] != "NOT_WANTED"]
    _adopt(comparison, rows)
    store_links(links)
    _store_conflicts(comparison, rows)
    _note(comparison, journal, rows)
    touched = [each.contact.pk for each, _ in [*new, *changed] if each.contact is not None] + restored_ids
    if touched:
        record(
            "contact.synced",
            "contact",
            integrationId=str(comparison.integration.pk),
            runId=str(comparison.run.pk),
            created=len(new),
            updated=len(changed),
        )
        announce_bulk("synced", touched, owners={None} | owners_of(row["id"] for _, row in changed))


def _adopt(comparison: Comparison, rows: list[_Row]) -> None:
    """Drop links of contacts that were to be made in the CRM and turn out to be there already."""
    matched = [row.contact.pk for row in rows if row.contact is not None and row.is_first and not row.makes_contact]
    if matched:
        unmade = [
            link.pk
            for link in links_of_contacts(comparison.integration, matched)
            if not link.remote_id and link.state in (CrmLink.State.NEW, CrmLink.State.REJECTED)
        ]
        CrmLink.objects.filter(pk__in=unmade).delete()


def _restore(rows: list[_Row]) -> list[uuid.UUID]:
    """Bring contacts back from the trash whose records the CRM has brought back, where their phone is still free."""
    gone = [row for row in rows if row.is_revived and row.contact is not None and row.contact.deleted_at is not None]
    if not gone:
        return []
    taken = batches.owners_of_phones(row.contact.phone for row in gone if row.contact and row.contact.phone)
    free = [row.contact.pk for row in gone if row.contact and row.contact.phone not in taken]
    Contact.objects.filter(pk__in=free).update(deleted_at=None, deleted_by=None)
    return free


def _link_after(row: _Row, versions: Mapping[uuid.UUID, datetime]) -> CrmLink:
    """Return the row's link as it has to be stored."""
    link, result = row.link, row.merge
    link.remote_version = row.record.version[:255]
    link.remote_changed_at = row.record.changed_at
    link.code = link.reason = link.field = ""
    if row.problem:
        code, name, reason = row.problem
        link.state, link.code, link.field, link.reason = CrmLink.State.QUARANTINED, code, name, reason[:500]
        link.contact, link.is_due = None, False
        link.local_base, link.remote_base = {}, {}
        return link
    contact = row.contact
    assert contact is not None  # noqa: S101 - a row without a problem has one
    link.contact_id = contact.pk
    link.state = CrmLink.State.LINKED
    link.local_base, link.remote_base = dict(result.local_base), dict(result.remote_base)
    link.local_version = versions.get(contact.pk) or contact.updated_at
    link.is_due = link.is_due or bool(result.to_remote)
    link.has_conflict = bool(result.conflicts)
    if result.unusable:
        name, reason = next(iter(result.unusable.items()))
        link.field, link.reason = name, reason[:500]
    return link


def _tell_opt_outs(comparison: Comparison, rows: list[_Row]) -> None:
    """Announce the people who said no in the CRM, in this transaction."""
    for name, channel in TIGHTENING.items():
        said_no = [row for row in rows if row.problem is None and row.merge.to_local.get(name) is True]
        phones, emails = [], []
        for row in said_no:
            contact = row.contact
            if contact is None:
                continue
            phone = row.merge.to_local.get("phone", contact.phone)
            email = row.merge.to_local.get("email", contact.email)
            if channel == "call" and phone:
                phones.append(str(phone))
            if channel == "email" and email:
                emails.append(str(email))
        if phones or emails:
            opted_out.send(
                sender=None,
                organization_id=comparison.run.organization_id,
                phone_numbers=phones,
                emails=emails,
                channel=channel,
                source="crm",
                reason=f"Opted out in {comparison.integration.name}",
                user_id=None,
            )


def _store_conflicts(comparison: Comparison, rows: list[_Row]) -> None:
    """Keep the conflict inbox equal to what the merge left undecided."""
    touched = [row for row in rows if row.had_conflict or row.merge.conflicts]
    for row in touched:
        fields = row.merge.conflicts
        stale = CrmConflict.objects.open().filter(link=row.link).exclude(field__in=list(fields))
        stale.update(status=CrmConflict.Status.RESOLVED, resolution="agreed", resolved_at=timezone.now())
        for name, (mine, theirs) in fields.items():
            CrmConflict.objects.update_or_create(
                link=row.link,
                field=name,
                status=CrmConflict.Status.OPEN,
                defaults={"local_value": mine, "remote_value": theirs},
                create_defaults={
                    "integration": comparison.integration,
                    "contact": row.contact,
                    "local_value": mine,
                    "remote_value": theirs,
                },
            )


def _open_conflicts(rows: list[_Row]) -> dict[uuid.UUID, frozenset[str]]:
    ids = [row.link.pk for row in rows if row.link.has_conflict]
    found: dict[uuid.UUID, frozenset[str]] = {}
    if ids:
        for link_id, name in CrmConflict.objects.open().filter(link_id__in=ids).values_list("link_id", "field"):
            found[link_id] = found.get(link_id, frozenset()) | {name}
    return found


def _plan(comparison: Comparison, journal: Journal, rows: list[_Row]) -> None:
    """Note what a real run would do on both sides."""
    _note(comparison, journal, rows)
    for row in rows:
        if row.problem is None and row.merge.to_remote and comparison.settings.pushes:
            journal.add(
                side=CrmSyncItem.Side.REMOTE,
                action=CrmSyncItem.Action.UPDATE,
                link=None if row.is_first else row.link,
                contact_id=None if row.makes_contact or row.contact is None else row.contact.pk,
                remote_id=row.record.id,
                before={name: _plain(row.remote.get(name)) for name in row.merge.to_remote},
                after=row.merge.to_remote,
                counts=False,
            )


def _note(comparison: Comparison, journal: Journal, rows: list[_Row]) -> None:
    for row in rows:
        common: dict[str, Any] = {
            "side": CrmSyncItem.Side.LOCAL,
            "link": None if comparison.is_dry and row.is_first else row.link,
            "remote_id": row.record.id,
            "message": "; ".join(row.notes),
        }
        if row.problem:
            code, name, reason = row.problem
            if code == "NOT_WANTED":
                journal.skipped += 1
                continue
            journal.fail(code=code, fields=[name], **{**common, "action": CrmSyncItem.Action.ADD, "message": reason})
            continue
        assert row.contact is not None  # noqa: S101 - a row without a problem has one
        # A contact that a dry run would make does not exist.
        contact_id = None if comparison.is_dry and row.makes_contact else row.contact.pk
        changes = row.merge.to_local
        if row.makes_contact:
            journal.add(action=CrmSyncItem.Action.ADD, contact_id=contact_id, after=changes, **common)
        elif changes:
            before = {name: row.local[name] for name in changes}
            journal.add(action=CrmSyncItem.Action.UPDATE, contact_id=contact_id, before=before, after=changes, **common)
        elif row.is_first:
            journal.add(action=CrmSyncItem.Action.LINK, contact_id=contact_id, **common)
        else:
            journal.skipped += 1


def _is_newer(contact: Contact | None, changed_at: datetime | None) -> bool:
    if contact is None or changed_at is None:
        return False
    return contact.updated_at - changed_at > SKEW


def _text(row: _Row, name: str) -> str:
    value = row.remote.get(name)
    return value if isinstance(value, str) else ""


def _plain(value: Value | Unusable) -> Value:
    return None if isinstance(value, Unusable) else value
