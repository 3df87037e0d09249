"""Plug-ins: a file dropped in a plug-in package is found by the class it defines."""

import importlib
import pkgutil
from abc import ABC
from functools import cache
from typing import ClassVar, TypeVar


class Plugin(ABC):  # noqa: B024 - the kinds have them
    """What every kind of plug-in has. A class without a slug of its own is no plug-in but a kind, or part of one.

    What a kind's plug-ins must bring is an abstract method of the kind.
    """

    slug: ClassVar[str] = ""


Kind = TypeVar("Kind", bound=Plugin)


@cache
def find_plugins(package: str, kind: type[Kind]) -> dict[str, Kind]:
    """Return one instance of every `kind` that the modules of `package` define, by its `slug`, in order of slugs.

    >>> find_plugins("dnc.formats", Format)["ftc"]

    Two plug-ins of one slug are a mistake of the programmer's and raise ValueError; one that lacks a method of its kind
    raises TypeError.
    """
    found: dict[str, Kind] = {}
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        for plugin in vars(importlib.import_module(f"{package}.{module.name}")).values():
            if not (isinstance(plugin, type) and issubclass(plugin, kind) and plugin.slug):
                continue
            if type(found.setdefault(plugin.slug, plugin())) is not plugin:
                raise ValueError(f"{package} has two plug-ins named {plugin.slug!r}")
    return dict(sorted(found.items()))


class PluginError(Exception):
    """What a plug-in could not do. Temporary ones are tried again, after `retry_after` seconds where the vendor says so."""

    def __init__(self, message: str, *, permanent: bool, code: str = "", retry_after: float | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.code = code
        self.retry_after = retry_after
