from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "vocelio.audit"
    label = "audit"

    def ready(self) -> None:
        from vocelio.audit.context import current_actor
        from vocelio.organizations.scope import transaction_settings

        # For triggers that keep a history.
        transaction_settings["app.user"] = lambda: str(current_actor().user_id or "")
        transaction_settings["app.door"] = lambda: current_actor().door
