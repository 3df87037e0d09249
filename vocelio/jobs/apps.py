from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "vocelio.jobs"
    label = "jobs"

    def ready(self) -> None:
        from vocelio.jobs import checks  # noqa: F401 - registers the system check
