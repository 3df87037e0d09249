from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class RealtimeConfig(AppConfig):
    name = "vocelio.realtime"
    label = "realtime"

    def ready(self) -> None:
        from vocelio.organizations.retention import Kept, register
        from vocelio.realtime import receivers  # noqa: F401 - connects them

        register(Kept("events", "Live events, for clients that catch up", shortest=1, longest=30))
        autodiscover_modules("topics")
