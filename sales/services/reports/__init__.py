"""Reports by name; each answers a Question with a Report that is drawn, saved as CSV or printed as PDF alike."""

from sales.services.reports.people import activity_volume, owner_performance, win_loss
from sales.services.reports.pipelines import conversion, forecast, pipeline_value, trend, velocity
from sales.services.reports.questions import Question, ReportKind, question

REPORTS: dict[str, ReportKind] = {
    "pipeline": pipeline_value,
    "forecast": forecast,
    "trend": trend,
    "conversion": conversion,
    "velocity": velocity,
    "win-loss": win_loss,
    "owners": owner_performance,
    "activities": activity_volume,
}

__all__ = ["REPORTS", "Question", "question"]
