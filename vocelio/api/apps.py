from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "vocelio.api"
    label = "api"

    def ready(self) -> None:
        from vocelio.api import checks  # noqa: F401 - registers the system check
