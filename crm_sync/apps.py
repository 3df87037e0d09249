from django.apps import AppConfig


class CrmSyncConfig(AppConfig):
    name = "crm_sync"
    verbose_name = "CRM"

    def ready(self) -> None:
        from crm_sync import receivers  # noqa: F401 - connects the signals
        from vocelio.health.figures import platform_figures, today
        from vocelio.health.metrics import register_gauge

        register_gauge(
            "vocelio_crm_syncs_completed",
            "CRM syncs completed since midnight UTC.",
            lambda: platform_figures("crm_sync_logs", "status", since=today()).get("completed", (0, 0, None))[0],
        )
