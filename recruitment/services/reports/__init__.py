"""Reports by name; each answers a Question with a Report that is drawn, saved as CSV or printed as PDF alike."""

from collections.abc import Callable

from recruitment.services.reports.figures import applications, funnel, offers, recruiters, sources, time_to_fill
from recruitment.services.reports.questions import Question
from vocelio.reports.shapes import Report

REPORTS: dict[str, Callable[[Question], Report]] = {
    "applications": applications,
    "funnel": funnel,
    "time-to-fill": time_to_fill,
    "sources": sources,
    "recruiters": recruiters,
    "offers": offers,
}

__all__ = ["REPORTS", "Question"]
