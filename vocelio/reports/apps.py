from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class ReportsConfig(AppConfig):
    name = "vocelio.reports"
    label = "reports"
    verbose_name = "Reports"

    def ready(self) -> None:
        from vocelio.organizations.retention import Kept, register

        register(Kept("report_deliveries", "Mailings of reports", shortest=7, longest=730))
        autodiscover_modules("metrics")
