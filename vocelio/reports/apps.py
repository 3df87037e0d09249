from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class ReportsConfig(AppConfig):
    name = "vocelio.reports"
    label = "reports"
    verbose_name = "Reports"

    def ready(self) -> None:
        autodiscover_modules("metrics")
