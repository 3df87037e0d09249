from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class RealtimeConfig(AppConfig):
    name = "vocelio.realtime"
    label = "realtime"

    def ready(self) -> None:
        from vocelio.realtime import receivers  # noqa: F401 - connects them

        autodiscover_modules("topics")
