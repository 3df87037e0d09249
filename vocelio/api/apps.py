from django.apps import AppConfig
from django.conf import settings


class ApiConfig(AppConfig):
    name = "vocelio.api"
    label = "api"

    def ready(self) -> None:
        from vocelio.api import checks  # noqa: F401 - registers the system check
        from vocelio.audit.context import current_actor
        from vocelio.organizations.scope import transaction_settings

        # A request's statement ends by itself; its client has long gone. Jobs take as long as they take.
        transaction_settings["statement_timeout"] = lambda: (
            settings.REQUEST_STATEMENT_TIMEOUT if current_actor().request_id else "0"
        )
