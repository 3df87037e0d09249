"""What pages tell after an action, in the viewer's language."""

from typing import Any

from django.contrib.messages.storage.fallback import FallbackStorage
from django.utils.safestring import SafeData

from vocelio.languages.translate import translated


class TranslatedStorage(FallbackStorage):
    """Translates as a message is added, wherever it was written."""

    def add(self, level: int, message: Any, extra_tags: str | None = "") -> None:
        text: Any = message if isinstance(message, SafeData) else translated(message)
        super().add(level, text, extra_tags)
