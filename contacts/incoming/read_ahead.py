"""Do the reading of a file while the database does its work."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def read_ahead(items: Iterable[T]) -> Iterator[T]:
    """Yield the items, each next one made in a thread of its own while the caller works with this one."""
    iterator = iter(items)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="read-ahead") as reader:
        ahead = reader.submit(next, iterator, None)
        while (item := ahead.result()) is not None:
            ahead = reader.submit(next, iterator, None)
            yield item
