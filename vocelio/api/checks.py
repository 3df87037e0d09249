"""A system check: every action of every view declares the permission it needs."""

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.urls import URLPattern, URLResolver, get_resolver

from vocelio.access.permissions import PUBLIC
from vocelio.access.roles import ADMIN, SELF


def api_views(patterns: list[Any] | None = None) -> Iterator[tuple[type[Any], dict[str, str]]]:
    """Yield each routed view class with its {method: action}."""
    callback: Any
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            yield from api_views(pattern.url_patterns)
        elif isinstance(pattern, URLPattern):
            callback = pattern.callback
            if hasattr(callback, "actions"):
                yield callback.cls, callback.actions


@register
def every_action_declares_its_permission(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    known = ADMIN | {PUBLIC, SELF}
    return [
        Error(f"{view.__name__}.permissions says nothing known for {action!r}", obj=view, id="vocelio.E020")
        for view, actions in api_views()
        for action in set(actions.values())
        if getattr(view, "permissions", {}).get(action) not in known
    ]
