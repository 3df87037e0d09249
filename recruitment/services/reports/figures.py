"""Figures of recruitment, all from the immutable changes of stage: they stay when somebody is anonymised.

What was taken back counts as if it had not been: hires, rejections and withdrawals are those entered less those left.
"""

from collections import defaultdict
from typing import Any

from django.db.models import Avg, Count, F, Max, Min, Q, Sum
from django.db.models.functions import TruncMonth

from recruitment.models import ApplicationStage, JobOpening, Offer, StageOutcome
from recruitment.services.reports.questions import Question
from vocelio.reports.periods import step_number, steps_between
from vocelio.reports.shapes import Column, Drawing, Line, Report, percent
from vocelio.users.models import User

DAY = 86_400
UNKNOWN_SOURCE = "not given"


def outcomes(events: Any, key: Any) -> dict[Any, dict[str, Any]]:
    """Return for each value of the key how many applied, moved, and became what, less what was taken back.

    One count for each pair of outcomes, added up here: half the time of a sum for each column.
    """
    found: dict[Any, dict[str, Any]] = {}
    pairs = events.annotate(key=key).values_list("key", "from_outcome", "to_outcome")
    for value, before, after, number, since in pairs.annotate(number=Count("*"), since=Sum("since_applied")):
        row = found.setdefault(value, dict.fromkeys(("applied", "moves", "hires", "since", *StageOutcome.values), 0))
        row["moves" if before else "applied"] += number
        row[after] += number
        if before:
            row[before] -= number
        if after == StageOutcome.HIRED:
            row["hires"] += number
            row["since"] += since
    for row in found.values():
        row["daysToHire"] = days(row["since"] / row["hires"]) if row["hires"] else None
        row["hireRate"] = percent(row["hired"], row["hired"] + row["rejected"])
    return found


def days(seconds: Any) -> float | None:
    return None if seconds is None else round(float(seconds) / DAY, 1)


def applications(asked: Question) -> Report:
    """Show by month how many applied, were hired, rejected, or withdrew."""
    months = list(steps_between(asked.first, asked.last, "month"))
    found = outcomes(asked.events(), step_number("moved_at", months))
    names = ("applied", "hired", "rejected", "withdrawn")
    rows = [
        {"month": f"{months[number - 1]:%Y-%m}", **{name: found[number][name] for name in names}}
        for number in sorted(found)
    ]
    return Report(
        "Applications",
        [
            Column("month", "Month", "text"),
            Column("applied", "Applied"),
            Column("hired", "Hired"),
            Column("rejected", "Rejected"),
            Column("withdrawn", "Withdrew"),
        ],
        rows,
        {name: sum(row[name] for row in rows) for name in names},
        [
            Drawing(
                "Applications by month",
                "bar",
                [row["month"] for row in rows],
                [Line(name.capitalize(), [row[name] for row in rows]) for name in ("applied", "hired", "rejected")],
            )
        ],
    )


def funnel(asked: Question) -> Report:
    """Show for each stage how many came, went on, back, were rejected or withdrew, and how long they stayed."""
    moves = list(
        asked.events()
        .values("from_stage_id", "to_stage_id")
        .annotate(number=Count("pk"), spent=Sum("seconds"), longest=Max("seconds"))
    )
    named = {row["from_stage_id"] for row in moves} | {row["to_stage_id"] for row in moves}
    stages = list(
        ApplicationStage.objects.filter(pk__in=named - {None})
        .select_related("process")
        .order_by("process__created_at", "process_id", "position", "id")
    )
    position = {stage.pk: stage.position for stage in stages}
    outcome = {stage.pk: stage.outcome for stage in stages}
    figures: dict[Any, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in moves:
        source, target, number = row["from_stage_id"], row["to_stage_id"], row["number"]
        figures[target]["entered"] += number
        if source is None:
            continue
        figures[source]["left"] += number
        figures[source]["spent"] += int(row["spent"] or 0)
        figures[source]["longest"] = max(figures[source]["longest"], int(row["longest"] or 0))
        if outcome[target] in (StageOutcome.REJECTED, StageOutcome.WITHDRAWN):
            figures[source][outcome[target]] += number
        elif position[target] > position[source]:
            figures[source]["advanced"] += number
        else:
            figures[source]["back"] += number
    rows = [
        {
            "process": stage.process.name,
            "stage": stage.name,
            "entered": (seen := figures[stage.pk])["entered"],
            "advanced": seen["advanced"],
            "back": seen["back"],
            "rejected": seen["rejected"],
            "withdrawn": seen["withdrawn"],
            "conversion": percent(seen["advanced"], seen["left"]),
            "days": days(seen["spent"] / seen["left"]) if seen["left"] else None,
            "longest": days(seen["longest"]) if seen["left"] else None,
        }
        for stage in stages
        if stage.outcome == StageOutcome.OPEN
    ]
    return Report(
        "Conversion by stage",
        [
            Column("process", "Process", "text"),
            Column("stage", "Stage", "text"),
            Column("entered", "Came"),
            Column("advanced", "Went on"),
            Column("back", "Went back"),
            Column("rejected", "Rejected"),
            Column("withdrawn", "Withdrew"),
            Column("conversion", "Went on, of those that left", "percent"),
            Column("days", "Days in stage, on average", "days"),
            Column("longest", "Longest", "days"),
        ],
        rows,
        {"moves": sum(row["number"] for row in moves)},
        [
            Drawing(
                "What became of applications by stage",
                "bar",
                [row["stage"] for row in rows],
                [
                    Line("Went on", [row["advanced"] for row in rows]),
                    Line("Rejected", [row["rejected"] for row in rows]),
                    Line("Withdrew", [row["withdrawn"] for row in rows]),
                ],
            ),
            Drawing(
                "Days in stage", "bar", [row["stage"] for row in rows], [Line("Days", [row["days"] for row in rows])]
            ),
        ],
    )


def time_to_fill(asked: Question) -> Report:
    """Show by job how long it took from opening it, and from applying, to each hire."""
    hires = list(
        asked.events()
        .filter(to_outcome=StageOutcome.HIRED)
        .values("job_id")
        .annotate(
            number=Count("pk"),
            fill=Avg("since_opened"),
            fastest=Min("since_opened"),
            slowest=Max("since_opened"),
            hire=Avg("since_applied"),
            fill_sum=Sum("since_opened"),
            hire_sum=Sum("since_applied"),
            timed=Count("since_opened"),
        )
    )
    jobs = {
        job.pk: job
        for job in JobOpening.objects.filter(pk__in=[row["job_id"] for row in hires]).select_related("client")
    }
    rows = [
        {
            "job": jobs[row["job_id"]].title,
            "client": str(jobs[row["job_id"]].client or ""),
            "hires": row["number"],
            "daysToFill": days(row["fill"]),
            "fastest": days(row["fastest"]),
            "slowest": days(row["slowest"]),
            "daysToHire": days(row["hire"]),
        }
        for row in sorted(hires, key=lambda row: -(row["fill"] or 0))
    ]
    timed, number = sum(row["timed"] for row in hires), sum(row["number"] for row in hires)
    return Report(
        "Time to fill",
        [
            Column("job", "Job", "text"),
            Column("client", "Client", "text"),
            Column("hires", "Hired"),
            Column("daysToFill", "Days from opening to hire", "days"),
            Column("fastest", "Fastest", "days"),
            Column("slowest", "Slowest", "days"),
            Column("daysToHire", "Days from applying to hire", "days"),
        ],
        rows,
        {
            "hires": number,
            "daysToFill": days(sum(row["fill_sum"] or 0 for row in hires) / timed) if timed else None,
            "daysToHire": days(sum(row["hire_sum"] or 0 for row in hires) / number) if number else None,
        },
        [
            Drawing(
                "Days to fill",
                "bar",
                [row["job"] for row in rows[:20]],
                [
                    Line("From opening", [row["daysToFill"] for row in rows[:20]]),
                    Line("From applying", [row["daysToHire"] for row in rows[:20]]),
                ],
            )
        ],
    )


def sources(asked: Question) -> Report:
    """Show where applicants came from, and what became of them."""
    found = outcomes(asked.events(), F("source"))
    names = ("applied", "hired", "rejected", "hireRate", "daysToHire")
    rows = [
        {"source": source or UNKNOWN_SOURCE, **{name: found[source][name] for name in names}}
        for source in sorted(found, key=lambda each: (-found[each]["applied"], each))
    ]
    return Report(
        "Sources",
        [
            Column("source", "Source", "text"),
            Column("applied", "Applied"),
            Column("hired", "Hired"),
            Column("rejected", "Rejected"),
            Column("hireRate", "Hired, of those decided", "percent"),
            Column("daysToHire", "Days from applying to hire", "days"),
        ],
        rows,
        {"applied": sum(row["applied"] for row in rows), "hired": sum(row["hired"] for row in rows)},
        [
            Drawing(
                "Sources",
                "bar",
                [row["source"] for row in rows[:12]],
                [
                    Line("Applied", [row["applied"] for row in rows[:12]]),
                    Line("Hired", [row["hired"] for row in rows[:12]]),
                ],
            )
        ],
    )


def recruiters(asked: Question) -> Report:
    """Show what each recruiter's applications came to."""
    found = outcomes(asked.events(), F("assigned_to_id"))
    people = {user.pk: str(user) for user in User.objects.filter(pk__in=[each for each in found if each])}
    names = ("applied", "moves", "hired", "rejected", "hireRate", "daysToHire")
    rows = [
        {"recruiter": people.get(owner, "nobody"), **{name: found[owner][name] for name in names}}
        for owner in sorted(found, key=lambda each: (-found[each]["hired"], -found[each]["applied"], str(each)))
    ]
    return Report(
        "Recruiters",
        [
            Column("recruiter", "Recruiter", "text"),
            Column("applied", "Applications"),
            Column("moves", "Moves"),
            Column("hired", "Hired"),
            Column("rejected", "Rejected"),
            Column("hireRate", "Hired, of those decided", "percent"),
            Column("daysToHire", "Days from applying to hire", "days"),
        ],
        rows,
        {"hired": sum(row["hired"] for row in rows)},
        [
            Drawing(
                "Recruiters",
                "bar",
                [row["recruiter"] for row in rows[:12]],
                [
                    Line("Hired", [row["hired"] for row in rows[:12]]),
                    Line("Applications", [row["applied"] for row in rows[:12]]),
                ],
            )
        ],
    )


def offers(asked: Question) -> Report:
    """Show by the month they were sent how many offers were accepted and declined, and how fast."""
    sent = asked.narrow(Offer.objects.filter(sent_at__gte=asked.start, sent_at__lt=asked.end), "job__client_id")
    found = (
        sent.annotate(month=TruncMonth("sent_at"))
        .values("month")
        .annotate(
            sent=Count("pk"),
            accepted=Count("pk", filter=Q(status="accepted")),
            declined=Count("pk", filter=Q(status="declined")),
            wait=Avg(F("decided_at") - F("sent_at"), filter=Q(status__in=["accepted", "declined"])),
        )
        .order_by("month")
    )
    rows = [
        {
            "month": f"{row['month']:%Y-%m}",
            "sent": row["sent"],
            "accepted": row["accepted"],
            "declined": row["declined"],
            "acceptance": percent(row["accepted"], row["accepted"] + row["declined"]),
            "days": days(row["wait"].total_seconds()) if row["wait"] is not None else None,
        }
        for row in found
    ]
    total = {name: sum(row[name] for row in rows) for name in ("sent", "accepted", "declined")}
    return Report(
        "Offers",
        [
            Column("month", "Sent in", "text"),
            Column("sent", "Sent"),
            Column("accepted", "Accepted"),
            Column("declined", "Declined"),
            Column("acceptance", "Accepted, of those answered", "percent"),
            Column("days", "Days to the answer", "days"),
        ],
        rows,
        {**total, "acceptance": percent(total["accepted"], total["accepted"] + total["declined"])},
        [
            Drawing(
                "Offers by month",
                "bar",
                [row["month"] for row in rows],
                [
                    Line("Accepted", [row["accepted"] for row in rows]),
                    Line("Declined", [row["declined"] for row in rows]),
                ],
            )
        ],
    )
