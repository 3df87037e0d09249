from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class WebhooksConfig(AppConfig):
    name = "vocelio.webhooks"
    label = "webhooks"

    def ready(self) -> None:
        from vocelio.organizations.retention import Kept, register
        from vocelio.webhooks import receivers  # noqa: F401 - connects them

        register(Kept("webhook_deliveries", "Webhooks sent, with what was answered", shortest=1, longest=90))
        autodiscover_modules("webhook_events")
