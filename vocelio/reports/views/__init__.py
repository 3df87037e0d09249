from vocelio.reports.views.drawn import DrawnReportViewSet

__all__ = ["DrawnReportViewSet"]
