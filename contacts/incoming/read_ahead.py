"""Do the reading of a file while the database does its work."""

import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

SWITCH_SECONDS = 0.0005


def read_ahead(items: Iterable[T]) -> Iterator[T]:
    """Yield the items, each next one made in a thread of its own while the caller works with this one."""
    iterator = iter(items)
    with _brisk_threads(), ThreadPoolExecutor(max_workers=1, thread_name_prefix="read-ahead") as reader:
        ahead = reader.submit(next, iterator, None)
        while (item := ahead.result()) is not None:
            ahead = reader.submit(next, iterator, None)
            yield item


@contextmanager
def _brisk_threads() -> Iterator[None]:
    """Switch threads often: a caller whom the database answers would wait 5 ms for the interpreter each time."""
    seconds = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(seconds)
