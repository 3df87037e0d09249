from django.apps import AppConfig


class AiMatchingConfig(AppConfig):
    name = "ai_matching"
    verbose_name = "Matching"

    def ready(self) -> None:
        from ai_matching import receivers  # noqa: F401 - connects the signals
        from ai_matching.embedders import all_embedders

        # A plug-in that lacks something is refused now rather than at its first text.
        all_embedders()
