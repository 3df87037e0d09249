from django.apps import AppConfig


class CrmSyncConfig(AppConfig):
    name = "crm_sync"
    verbose_name = "CRM"

    def ready(self) -> None:
        from crm_sync import receivers  # noqa: F401 - connects the signals
