from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class DbConfig(AppConfig):
    name = "vocelio.db"
    label = "db"
    verbose_name = "Database"

    def ready(self) -> None:
        from vocelio.db import checks  # noqa: F401 - registers the system checks
        from vocelio.db.roles import grant_application_role

        def after_migrate(**kwargs: Any) -> None:
            grant_application_role()

        post_migrate.connect(after_migrate, sender=self, weak=False)
