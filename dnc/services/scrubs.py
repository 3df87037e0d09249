"""Scrub contact lists: hold everybody on them against the lists and rules, keep each result, make the clean list."""

import csv
import hashlib
import io
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db import connection
from django.utils import timezone

from contacts.models import ContactList
from contacts.services.announcements import announce_bulk
from contacts.services.lists import ListExists, create_list
from dnc.models import Certificate, DncList, Scrub, ScrubOutcome, ScrubResult
from dnc.models.scrubs import result_id
from dnc.services.certificates import issue_certificate
from dnc.services.decision import MODES, Context
from dnc.services.hits import hits_statement
from vocelio.audit.services import record
from vocelio.db.copy import copy_to_temporary_table
from vocelio.db.ids import uuid7_series
from vocelio.errors import Conflict, Invalid
from vocelio.jobs.models import JobStatus
from vocelio.jobs.services import Run, Step, cancel_job, enqueue_job, running
from vocelio.organizations.scope import current_organization_id, organization_scope
from vocelio.realtime.publish import publish

# A chunk is one transaction: long enough for set operations to pay, short enough to be watched and cancelled.
CHUNK_CONTACTS = 100_000
# Measured by benchmarks/dnc.py on two cores, rounded down; until an organization has runs of its own.
CONTACTS_PER_SECOND = 20_000
MATCHED = frozenset("DP")


class ScrubFollowed(Conflict):
    code = "SCRUB_FOLLOWED"
    message = "A later run has taken this one's place."


def start_scrub(
    *,
    contact_list_ids: Sequence[uuid.UUID],
    dnc_list_ids: Sequence[uuid.UUID] = (),
    campaign_id: uuid.UUID | None = None,
    mode: str = "manual",
    create_clean_list: bool = True,
    clean_list_name: str = "",
    watch: bool = True,
) -> Scrub:
    """Promise to scrub; raise Invalid naming every unknown list.

    The company's own lists are always consulted, whichever are chosen; without a choice all active lists are. A clean
    list is made, and kept clean while `watch` holds.
    """
    contact_list_ids, dnc_list_ids = list(dict.fromkeys(contact_list_ids)), list(dict.fromkeys(dnc_list_ids))
    errors: list[dict[str, Any]] = []
    for field, model, wanted in (
        ("contactListIds", ContactList, contact_list_ids),
        ("dncListIds", DncList, dnc_list_ids),
    ):
        there = set(model.objects.filter(pk__in=wanted).values_list("pk", flat=True))
        errors += [
            {"field": field, "value": str(list_id), "constraint": "does_not_exist", "message": "There is no such list."}
            for list_id in wanted
            if list_id not in there
        ]
    if not contact_list_ids:
        errors.append(
            {"field": "contactListIds", "value": [], "constraint": "required", "message": "Name the lists to scrub."}
        )
    if errors:
        raise Invalid("Some lists do not exist.", errors=errors)
    clean_list = None
    if create_clean_list:
        clean_list = _clean_list(clean_list_name or f"Clean {timezone.now():%Y-%m-%d %H:%M:%S}")
        if clean_list.pk in contact_list_ids:
            raise Invalid.field(
                "options.cleanListName", "The clean list cannot be one of those scrubbed.", constraint="exclusive"
            )
    if not dnc_list_ids:
        dnc_list_ids = list(DncList.objects.get_queryset().active().values_list("pk", flat=True))
    scrub = Scrub(
        campaign_id=campaign_id,
        contact_list_ids=contact_list_ids,
        dnc_list_ids=dnc_list_ids,
        mode=mode,
        clean_list=clean_list,
        clean_list_name=clean_list.name if clean_list else "",
        is_watched=watch and clean_list is not None,
        total=count_contacts(contact_list_ids),
    )
    scrub.save()
    record("scrub.started", scrub.resource, scrub.id, lists=len(contact_list_ids), contacts=scrub.total)
    enqueue_job(scrub)
    return scrub


def count_contacts(contact_list_ids: Sequence[uuid.UUID]) -> int:
    """Return how many different contacts outside the trash are on the lists."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM contacts AS contact WHERE organization_id = %(org)s AND deleted_at IS NULL"
            " AND id IN (SELECT contact_id FROM contact_list_memberships WHERE organization_id = %(org)s"
            " AND list_id = ANY(%(lists)s))",
            {"org": current_organization_id(), "lists": list(contact_list_ids)},
        )
        return int(cursor.fetchone()[0])


def estimate_completion(scrub: Scrub) -> datetime:
    """Return when it will be done, from the speed of the organization's own last runs."""
    left = (scrub.total or 0) - scrub.processed
    last = Scrub.objects.filter(status=JobStatus.COMPLETED, total_contacts__gte=1000).order_by("-created_at").first()
    speed: float = CONTACTS_PER_SECOND
    if last is not None and last.started_at and last.completed_at:
        seconds = max(0.1, (last.completed_at - last.started_at).total_seconds())
        speed = max(100.0, last.total_contacts / seconds)
    return timezone.now() + timedelta(seconds=1 + left / speed)


def cancel_scrub(scrub: Scrub) -> Scrub:
    """Stop it after the chunk in hand. It leaves no certificate, and its clean list holds what was judged so far."""
    return cancel_job(scrub)


def stop_watching(scrub: Scrub) -> Scrub:
    """Leave the clean list as it is from now on."""
    if scrub.followed_by is not None:
        raise ScrubFollowed(followedBy=str(scrub.followed_by))
    scrub.is_watched = False
    scrub.save(update_fields=["is_watched"])
    record("scrub.unwatched", scrub.resource, scrub.id)
    return scrub


def run_scrub(scrub: Scrub) -> None:
    """Judge everybody on the lists, chunk by chunk; a killed worker goes on after the last chunk that committed."""
    with running(scrub) as run:
        bounds = run.job.checkpoint.get("bounds")
        if bounds is None:
            bounds = _plan(run)
        for index in range(run.job.checkpoint.get("done", 0), len(bounds) - 1):
            with run.step() as step:
                _judge_chunk(step, bounds[index], bounds[index + 1])
                step.advance(0, checkpoint={**run.job.checkpoint, "done": index + 1})
        _conclude(run)


def _plan(run: Run[Scrub]) -> list[str]:
    """Cut the contacts of all lists into chunks by id, fix the moment of judgement, and keep both."""
    with run.step() as step, connection.cursor() as cursor:
        cursor.execute(
            "SELECT contact_id FROM (SELECT contact_id, row_number() OVER (ORDER BY contact_id) AS place FROM"
            " (SELECT DISTINCT contact_id FROM contact_list_memberships WHERE organization_id = %s"
            " AND list_id = ANY(%s)) AS member) AS placed WHERE place %% %s = 0 ORDER BY contact_id",
            [current_organization_id(), run.job.contact_list_ids, CHUNK_CONTACTS],
        )
        inner = [str(row[0]) for row in cursor.fetchall()]
        bounds = [str(uuid.UUID(int=0)), *inner, str(uuid.UUID(int=(1 << 128) - 1))]
        step.set(judged_at=timezone.now())
        step.advance(checkpoint={"bounds": bounds, "done": 0, "outcomes": 0, "digest": "", "areas": []})
    return bounds


def _judge_chunk(step: Step[Scrub], low: str, high: str) -> None:
    """Judge the contacts whose ids lie behind `low` up to `high`, in one set operation and one pass of decisions."""
    job = step.job
    organization_id = current_organization_id()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE dnc_asked ON COMMIT DROP AS"
            " SELECT id AS contact_id, substr(phone, 2)::bigint AS number FROM contacts"
            " WHERE organization_id = %(org)s AND deleted_at IS NULL AND id > %(low)s AND id <= %(high)s"
            " AND id IN (SELECT contact_id FROM contact_list_memberships WHERE organization_id = %(org)s"
            " AND list_id = ANY(%(lists)s) AND contact_id > %(low)s AND contact_id <= %(high)s)",
            {"org": organization_id, "low": low, "high": high, "lists": job.contact_list_ids},
        )
        cursor.execute("DELETE FROM dnc_asked WHERE number IS NULL")
        without_phone = cursor.rowcount
        cursor.execute("ANALYZE dnc_asked")
        context = Context.read(at=job.judged_at or timezone.now(), chosen=job.dnc_list_ids)
        statement, parameters = hits_statement(
            asked="dnc_asked",
            organization_id=organization_id,
            list_ids=[each.pk for each in context.entry_lists],
            registry_ids=context.registry_ids,
            at=timezone.now(),
        )
        cursor.execute(
            "CREATE TEMPORARY TABLE dnc_found ON COMMIT DROP AS"
            " SELECT contact_id, asked.number, left(asked.number::text, 4) AS area, coalesce(hits, '') AS hits"
            " FROM dnc_asked AS asked LEFT JOIN ({hits}) AS hit ON hit.number = asked.number".replace(
                "{hits}", statement
            ),
            parameters,
        )
        cursor.execute("SELECT area, hits, count(*) FROM dnc_found GROUP BY 1, 2 ORDER BY 1, 2")
        groups = cursor.fetchall()
        counts = _store_outcomes(step, context, groups)
        cursor.execute(
            "CREATE TEMPORARY TABLE dnc_judged ON COMMIT DROP AS"
            " SELECT contact_id, found.number, outcome, code, is_clean FROM dnc_found AS found"
            " JOIN dnc_outcomes AS decided ON decided.area = found.area AND decided.hits = found.hits"
        )
        # How long a new list is nobody has counted yet: with this, no plan made for a short one is slow for a long one.
        cursor.execute("CREATE INDEX ON dnc_judged (contact_id) WHERE is_clean")
        cursor.execute("ANALYZE dnc_judged (contact_id, is_clean)")
        cursor.execute(
            "INSERT INTO dnc_scrub_results (organization_id, id, contact_id, number, outcome, code, is_clean)"
            " SELECT %s, (%s || '8' || lpad(to_hex(number), 15, '0'))::uuid, contact_id, number, outcome, code, is_clean"
            " FROM dnc_judged ORDER BY number"
            # A number that went from one contact to another while the run went on is judged for both.
            " ON CONFLICT (organization_id, id) DO UPDATE SET contact_id = excluded.contact_id,"
            " outcome = excluded.outcome, code = excluded.code, is_clean = excluded.is_clean",
            [organization_id, job.pk.hex[:16]],
        )
        total = cursor.rowcount
        if job.clean_list_id:
            _fill_clean_list(step, low, high)
        cursor.execute("DROP TABLE dnc_asked, dnc_found, dnc_outcomes, dnc_judged")
    step.advance(total + without_phone, checkpoint=None, total_contacts=total, without_phone=without_phone, **counts)
    step.set(lists_checked=[each.key for each in context.consulted])


def _store_outcomes(step: Step[Scrub], context: Context, groups: list[tuple[str, str, int]]) -> dict[str, int]:
    """Decide once for each group of numbers, keep each different verdict once a run, and return the chunk's counts."""
    job = step.job
    known = {
        orjson.dumps(outcome.verdict, option=orjson.OPT_SORT_KEYS): outcome.number
        for outcome in ScrubOutcome.objects.filter(scrub=job)
    }
    new, rows = [], []
    counts = Counter[str]()
    codes = Counter(job.checkpoint.get("codes", {}))
    for area, hits, number in groups:
        decision = context.decide(area, hits)
        is_clean = decision.allows(job.mode)
        # When it may be called changes by the hour; what is kept is whether.
        verdict = {
            "code": decision.code,
            "reasons": list(decision.reasons),
            "modes": {mode: decision.modes[mode]["allowed"] for mode in MODES},
            "permission": decision.body["permission"],
            "lineType": decision.body["lineType"],
            "timeZones": decision.body["timeZones"],
            "state": decision.body["state"],
        }
        key = orjson.dumps(verdict, option=orjson.OPT_SORT_KEYS)
        if key not in known:
            known[key] = len(known) + 1
            new.append((known[key], decision.code, is_clean, verdict))
        rows.append((area, hits, known[key], decision.code, is_clean))
        counts["clean_contacts" if is_clean else "matched_dnc" if decision.code in MATCHED else "blocked_contacts"] += (
            number
        )
        codes[decision.code] += number
    ScrubOutcome.objects.bulk_create(
        [
            ScrubOutcome(
                id=row_id,
                organization_id=job.organization_id,
                scrub=job,
                number=number,
                code=code,
                is_clean=is_clean,
                verdict=verdict,
            )
            for row_id, (number, code, is_clean, verdict) in zip(uuid7_series(len(new)), new, strict=True)
        ],
        batch_size=1000,
    )
    copy_to_temporary_table(
        "dnc_outcomes",
        {"area": "text", "hits": "text", "outcome": "integer", "code": "text", "is_clean": "boolean"},
        rows,
    )
    job.checkpoint = {**job.checkpoint, "codes": dict(codes)}
    areas = set(job.checkpoint.get("areas", ())) | {area for area, _, _ in groups}
    job.checkpoint["areas"] = sorted(areas)
    return dict(counts)


def _fill_clean_list(step: Step[Scrub], low: str, high: str) -> None:
    """Make the clean contacts of a chunk the only ones between its bounds that are on the clean list."""
    job = step.job
    parameters = {
        "org": job.organization_id,
        "list": job.clean_list_id,
        "user": job.created_by_id,
        "low": low,
        "high": high,
    }
    with connection.cursor() as cursor:
        # Also whoever left the scrubbed lists, or lost the number.
        cursor.execute(
            "DELETE FROM contact_list_memberships AS member WHERE organization_id = %(org)s AND list_id = %(list)s"
            " AND contact_id > %(low)s AND contact_id <= %(high)s"
            " AND NOT EXISTS (SELECT FROM dnc_judged WHERE contact_id = member.contact_id AND is_clean)",
            parameters,
        )
        blocked = cursor.rowcount
        cursor.execute(
            "INSERT INTO contact_list_memberships (organization_id, id, contact_id, list_id, added_by_id)"
            " SELECT %(org)s, uuid7(), contact_id, %(list)s, %(user)s FROM dnc_judged"
            " WHERE is_clean ORDER BY contact_id ON CONFLICT (organization_id, contact_id, list_id) DO NOTHING",
            parameters,
        )
        clean = cursor.rowcount
    if job.follows is not None:
        step.advance(newly_blocked=blocked, newly_clean=clean)


def _conclude(run: Run[Scrub]) -> None:
    """Certify the run, and tell what changed since the one it repeats."""
    with run.step() as step:
        job = step.job
        if job.clean_list_id:
            announce_bulk("scrubbed", [], [job.clean_list_id], owners={None})
        context = Context.read(
            at=job.judged_at or timezone.now(), areas=set(job.checkpoint["areas"]), chosen=job.dnc_list_ids
        )
        certificate_id = issue_certificate(
            kind=Certificate.Kind.SCRUB,
            context=context,
            areas=set(job.checkpoint["areas"]),
            codes=Counter(job.checkpoint.get("codes", {})),
            digest=results_digest(job),
            subject_id=job.pk,
            extra={
                "scrubId": str(job.pk),
                "campaignId": str(job.campaign_id) if job.campaign_id else None,
                "contactListIds": [str(list_id) for list_id in job.contact_list_ids],
                "mode": job.mode,
                "clean": job.clean_contacts,
                "follows": str(job.follows) if job.follows else None,
            },
        )
        step.set(certificate_id=certificate_id, total=job.processed)
        if job.follows is not None:
            publish(
                "scrub_progress",
                key=str(job.follows),
                type="scrub_changed",
                data={
                    "scrubJobId": str(job.follows),
                    "followedBy": str(job.pk),
                    "newlyBlocked": job.newly_blocked,
                    "newlyClean": job.newly_clean,
                },
            )
        publish(
            "scrub_progress",
            key=str(job.pk),
            type="scrub_completed",
            data={"scrubJobId": str(job.pk), "results": job.results, "certificateId": str(certificate_id)},
        )


def results_digest(scrub: Scrub) -> str:
    """Return the hash over every number and code of a run, in the order of numbers, as its certificate holds it."""
    digest = hashlib.sha256()
    for part in _result_lines(scrub):
        digest.update(part.encode())
    return digest.hexdigest()


def _result_lines(scrub: Scrub) -> Iterator[str]:
    """Yield `+12125550100:C` a line for a run's results, in the order of numbers, many at a time."""
    low, high = 0, (1 << 60) - 1
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                "SELECT string_agg('+' || number || ':' || code, E'\\n' ORDER BY id) || E'\\n', max(number) FROM (SELECT id, number, code FROM dnc_scrub_results"
                " WHERE organization_id = %s AND id BETWEEN %s AND %s ORDER BY id LIMIT 200000) AS part",
                [scrub.organization_id, result_id(scrub.pk, low), result_id(scrub.pk, high)],
            )
            part, last = cursor.fetchone()
            if last is None:
                return
            yield part
            low = last + 1


def follow_outdated() -> int:
    """Repeat each watched run whose lists have changed since; return how many were begun."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT organization_id, id FROM outdated_dnc_scrubs()")
        outdated = cursor.fetchall()
    return sum(_follow(organization_id, scrub_id) for organization_id, scrub_id in outdated)


def _follow(organization_id: uuid.UUID, scrub_id: uuid.UUID) -> bool:
    with organization_scope(organization_id):
        old: Scrub | None = (
            Scrub.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(pk=scrub_id, is_watched=True, followed_by__isnull=True)
            .first()
        )
        if old is None or old.clean_list_id is None:
            return False
        new = Scrub(
            campaign_id=old.campaign_id,
            contact_list_ids=old.contact_list_ids,
            dnc_list_ids=old.dnc_list_ids,
            mode=old.mode,
            clean_list_id=old.clean_list_id,
            clean_list_name=old.clean_list_name,
            is_watched=True,
            follows=old.pk,
            created_by_id=old.created_by_id,
            total=count_contacts(old.contact_list_ids),
        )
        new.save()
        old.followed_by = new.pk
        old.save(update_fields=["followed_by"])
        record("scrub.followed", new.resource, new.id, follows=str(old.pk))
        enqueue_job(new)
    return True


def _clean_list(name: str) -> ContactList:
    try:
        return create_list(name=name, description="Made by a scrub: who may be contacted.")
    except ListExists as error:
        raise Invalid.field(
            "options.cleanListName", "There is already a list of this name.", value=name, constraint="unique"
        ) from error


def export_results(scrub: Scrub, code: str = "") -> Iterator[bytes]:
    """Yield a run's results as CSV, each number with its code, reasons and what is allowed."""
    with organization_scope(scrub.organization_id):
        outcomes = {outcome.number: outcome.verdict for outcome in ScrubOutcome.objects.filter(scrub=scrub)}
    header = ["phone_number", "code", "clean", "reasons", *MODES, "line_type", "state", "time_zones", "contact_id"]
    yield _csv([header])
    last = result_id(scrub.pk, 0)
    while True:
        # The body is written after the request's transaction; each piece opens its own.
        with organization_scope(scrub.organization_id):
            page = ScrubResult.objects.get_queryset().of(scrub).filter(id__gt=last)
            page = page.filter(code=code) if code else page
            rows = list(page.order_by("id")[:5000])
        if not rows:
            return
        last = rows[-1].pk
        yield _csv([_exported(row, outcomes[row.outcome]) for row in rows])


def _exported(row: ScrubResult, verdict: dict[str, Any]) -> list[Any]:
    reasons = "; ".join(reason["message"] for reason in verdict["reasons"])
    allowed = [verdict["modes"][mode] for mode in MODES]
    zones = " ".join(verdict["timeZones"])
    return [
        f"+{row.number}",
        row.code,
        row.is_clean,
        reasons,
        *allowed,
        verdict["lineType"],
        verdict["state"],
        zones,
        row.contact_id,
    ]


def _csv(rows: list[list[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
