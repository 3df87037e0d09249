from django.apps import AppConfig


class UsersConfig(AppConfig):
    name = "vocelio.users"
    label = "users"

    def ready(self) -> None:
        from vocelio.users import receivers  # noqa: F401 - connects them
