from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class BackofficeConfig(AppConfig):
    name = "vocelio.backoffice"
    label = "backoffice"

    def ready(self) -> None:
        import_module("vocelio.backoffice.receivers")


class BackofficeAdminConfig(AdminConfig):
    """Installs the back office as the default admin site."""

    default_site = "vocelio.backoffice.site.BackOffice"
