from django.apps import AppConfig


class DncConfig(AppConfig):
    name = "dnc"
    verbose_name = "Do Not Call"

    def ready(self) -> None:
        from dnc import receivers  # noqa: F401 - listens to contacts' signals
        from dnc.formats import all_formats
        from dnc.sources import all_places

        # A plug-in that lacks something is refused now rather than at its first file.
        all_formats()
        all_places()
