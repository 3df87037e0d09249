from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "vocelio.operations"
    label = "operations"

    def ready(self) -> None:
        from django.conf import settings
        from django.db.backends.signals import connection_created

        from vocelio.audit.models import AuditArchive
        from vocelio.operations.archive import FOLDER
        from vocelio.operations.sentry import start_sentry
        from vocelio.operations.slow_queries import watch_statements
        from vocelio.organizations.retention import Kept, register
        from vocelio.storage.orphans import named_by, register_files

        connection_created.connect(watch_statements)
        start_sentry()
        register(Kept("audit", "The audit log, before it may be archived", shortest=365, longest=3650))
        register_files(FOLDER, named_by(AuditArchive))
        if settings.TRACES:
            from vocelio.operations.tracing import watch

            watch()
