from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class WebhooksConfig(AppConfig):
    name = "vocelio.webhooks"
    label = "webhooks"

    def ready(self) -> None:
        from vocelio.webhooks import receivers  # noqa: F401 - connects them

        autodiscover_modules("webhook_events")
