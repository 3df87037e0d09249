"""Reports by name; each answers a Question with a Report that is drawn, saved as CSV or printed as PDF alike."""

from collections.abc import Callable

from sales.services.reports.people import activity_volume, owner_performance, win_loss
from sales.services.reports.pipelines import conversion, forecast, pipeline_value, trend, velocity
from sales.services.reports.questions import Question
from vocelio.reports.shapes import Report

REPORTS: dict[str, Callable[[Question], Report]] = {
    "pipeline": pipeline_value,
    "forecast": forecast,
    "trend": trend,
    "conversion": conversion,
    "velocity": velocity,
    "win-loss": win_loss,
    "owners": owner_performance,
    "activities": activity_volume,
}

__all__ = ["REPORTS", "Question"]
