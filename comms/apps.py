from django.apps import AppConfig


class CommsConfig(AppConfig):
    name = "comms"
    verbose_name = "Messages"

    def ready(self) -> None:
        from comms import receivers  # noqa: F401 - listens to contacts' signals
        from comms.services.communications import attached
        from comms.services.subjects import Subject, register
        from comms.services.timeline import erase_messages, messages_of
        from contacts import erasure, timeline
        from recruitment.models import Application
        from sales.models import Deal
        from vocelio.organizations import retention
        from vocelio.storage.orphans import register_files

        retention.register(
            retention.Kept(
                "message_bodies", "What messages said; who was written to when stays", shortest=30, longest=3650
            )
        )
        register_files("communications", attached)
        from vocelio.health.figures import platform_figures
        from vocelio.health.metrics import register_gauge

        register_gauge(
            "vocelio_messages_waiting",
            "Messages queued or being sent.",
            lambda: {
                (status,): rows
                for status, (rows, _, _) in platform_figures(
                    "communications", "status", wanted=["queued", "sending"]
                ).items()
            },
            ("status",),
        )
        timeline.register("message", messages_of)
        erasure.register("messages", erase_messages)
        register(Subject("deal", Deal, "deals:read"))
        register(Subject("application", Application, "applications:read", related=("contact", "job")))
