from django.apps import AppConfig


class CrmSyncConfig(AppConfig):
    name = "crm_sync"
    verbose_name = "CRM"

    def ready(self) -> None:
        from crm_sync import receivers  # noqa: F401 - connects the signals
        from vocelio.health.figures import platform_figures, today
        from vocelio.health.metrics import register_gauge
        from vocelio.organizations.retention import Kept, register

        register(
            Kept("crm_webhooks", "Webhooks of CRMs", shortest=1, longest=30),
            Kept("crm_items", "What a CRM sync did with each record", shortest=7, longest=730),
        )
        register_gauge(
            "vocelio_crm_syncs_completed",
            "CRM syncs completed since midnight UTC.",
            lambda: platform_figures("crm_sync_logs", "status", since=today()).get("completed", (0, 0, None))[0],
        )
