from django.apps import AppConfig


class LanguagesConfig(AppConfig):
    name = "vocelio.languages"
    label = "languages"

    def ready(self) -> None:
        """Wrap what models and pages call things; last, once all of them are there."""
        from vocelio.languages.labels import wrap_labels

        wrap_labels()
