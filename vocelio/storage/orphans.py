"""Files that no row refers to: of transactions that were rolled back, of uploads nobody took, of deleted rows.

An app says in `apps.ready()` what lies in its folder:

    register_files("exports", named_by(ContactExport))
"""

import logging
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice
from typing import Any

from django.core.files.storage import default_storage
from django.db.models import Model
from django.utils import timezone

from vocelio.organizations.scope import organization_scope
from vocelio.storage.uploads import FOLDER

logger = logging.getLogger(__name__)

# A file is stored before its row is committed; no transaction takes as long.
GRACE = timedelta(days=1)
BATCH = 500

# Which of these names rows of the open organization refer to.
References = Callable[[list[str]], set[str]]
# Nothing refers to an upload: whoever takes one deletes it.
_references: dict[str, References] = {FOLDER: lambda names: set()}


def register_files(folder: str, references: References) -> None:
    """Have files of `<folder>/<organization>/` deleted once they are a day old and nothing refers to them."""
    _references[folder] = references


def named_by(*models: type[Model]) -> References:
    """Return the references of models that name their file in the column `file`."""

    def references(names: list[str]) -> set[str]:
        rows: list[Any] = [model._default_manager.filter(file__in=names) for model in models]
        return {name for each in rows for name in each.values_list("file", flat=True)}

    return references


def sweep_files(organization_id: uuid.UUID) -> int:
    """Delete an organization's files that nothing refers to; return how many.

    The storage is asked outside any scope, since it may be far away.
    """
    deleted = 0
    for folder, references in _references.items():
        old = _old_files(f"{folder}/{organization_id}")
        while names := list(islice(old, BATCH)):
            with organization_scope(organization_id):
                orphans = set(names) - references(names)
            for name in orphans:
                default_storage.delete(name)
            deleted += len(orphans)
    if deleted:
        logger.info("Deleted files that nothing referred to", extra={"files": deleted})
    return deleted


def _old_files(folder: str) -> Iterator[str]:
    now = timezone.now()
    try:
        _, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in names:
        path = f"{folder}/{name}"
        try:
            is_old = default_storage.get_modified_time(path) < now - GRACE
        except FileNotFoundError:
            continue
        if is_old:
            yield path
