from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class NotificationsConfig(AppConfig):
    name = "vocelio.notifications"
    label = "notifications"
    verbose_name = "Notifications"

    def ready(self) -> None:
        from vocelio.organizations.retention import Kept, register

        register(Kept("notifications", "Notifications and feeds", shortest=7, longest=730))
        autodiscover_modules("notices")
