from django.apps import AppConfig


class DncConfig(AppConfig):
    name = "dnc"
    verbose_name = "Do Not Call"

    def ready(self) -> None:
        from dnc import receivers  # noqa: F401 - listens to contacts' signals
