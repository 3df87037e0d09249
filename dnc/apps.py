from django.apps import AppConfig


class DncConfig(AppConfig):
    name = "dnc"
    verbose_name = "Do Not Call"

    def ready(self) -> None:
        from dnc import receivers  # noqa: F401 - listens to contacts' signals
        from dnc.formats import all_formats
        from dnc.models import ListUpload
        from dnc.sources import all_places
        from vocelio.storage.orphans import named_by, register_files

        # A plug-in that lacks something is refused now rather than at its first file.
        all_formats()
        all_places()
        register_files("dnc", named_by(ListUpload))
