from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "vocelio.operations"
    label = "operations"

    def ready(self) -> None:
        from django.conf import settings
        from django.db.backends.signals import connection_created

        from vocelio.operations.sentry import start_sentry
        from vocelio.operations.slow_queries import watch_statements

        connection_created.connect(watch_statements)
        start_sentry()
        if settings.TRACES:
            from vocelio.operations.tracing import watch

            watch()
