from django.apps import AppConfig


class DncConfig(AppConfig):
    name = "dnc"
    verbose_name = "Do Not Call"

    def ready(self) -> None:
        from dnc import receivers  # noqa: F401 - listens to contacts' signals
        from dnc.formats import all_formats
        from dnc.models import ListUpload
        from dnc.sources import all_places
        from vocelio.health.figures import platform_figures, today
        from vocelio.health.metrics import Values, register_gauge
        from vocelio.storage.orphans import named_by, register_files

        # A plug-in that lacks something is refused now rather than at its first file.
        all_formats()
        all_places()
        register_files("dnc", named_by(ListUpload))

        def compliance_rate() -> Values:
            """Return the share of today's scrubbed contacts that may be called; nothing without a scrub."""
            clean, total = (
                sum(
                    figure[1]
                    for figure in platform_figures("dnc_scrubs", "status", summed=column, since=today()).values()
                )
                for column in ("clean_contacts", "total_contacts")
            )
            return {(): clean * 100 / total} if total else {}

        register_gauge(
            "vocelio_dnc_compliance_rate", "Percent of contacts scrubbed today that may be called.", compliance_rate
        )
