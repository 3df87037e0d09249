"""How the organization matches: weights, and which model's vectors answer."""

from typing import Any

from ai_matching.embedders import Embedder, all_embedders
from ai_matching.models import AiSettings
from vocelio.audit.services import record

# The embedder that needs neither network nor key.
OFFLINE = "esco"
# What each factor counts unless the organization says otherwise.
WEIGHTS = {
    "similarity": 0.35,
    "skills": 0.35,
    "experience": 0.10,
    "location": 0.10,
    "salary": 0.05,
    "availability": 0.05,
}


def own_settings() -> AiSettings:
    """Return the open organization's settings; the defaults, not stored, until they are first changed."""
    found: AiSettings | None = AiSettings.objects.first()
    return found or AiSettings()


def update_settings(**fields: Any) -> AiSettings:
    """Change the settings given. Another model is made ready by the next run over everything; until then the old answers."""
    settings, _ = AiSettings.objects.update_or_create(defaults=fields)
    record("ai_settings.updated", "aisettings", settings.pk, fields=sorted(fields))
    result: AiSettings = settings
    return result


def weights_of(settings: AiSettings, given: dict[str, float] | None = None) -> dict[str, float]:
    """Return what each factor counts: as asked, else as the organization says, else as usual; they add up to 1."""
    merged = {**WEIGHTS, **settings.weights, **(given or {})}
    whole = sum(merged[name] for name in WEIGHTS) or 1
    return {name: round(merged[name] / whole, 4) for name in WEIGHTS}


def chosen(settings: AiSettings) -> Embedder:
    """Return the embedder that new vectors come from: the organization's, if it can be used, else the best that can."""
    ready: dict[str, Embedder] = {slug: each for slug, each in all_embedders().items() if each.is_ready}
    return ready.get(settings.provider) or ready.get("openai") or ready[OFFLINE]


def answering(settings: AiSettings) -> Embedder:
    """Return the embedder whose vectors searches compare."""
    found: Embedder | None = all_embedders().get(settings.answering)
    return found or chosen(settings)


def answer_with(embedder: Embedder) -> None:
    """Let searches compare this embedder's vectors from now on."""
    settings = own_settings()
    if settings.answering != embedder.slug:
        AiSettings.objects.update_or_create(defaults={"answering": embedder.slug})
