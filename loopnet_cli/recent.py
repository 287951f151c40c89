"""A small memory of what was made last, so that it need not be made again."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Keeps what was asked for last.

    Parameters
    ----------
    most : int
        How many things are kept; the one that was not asked for the longest goes first.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[K, V] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: K, make: Callable[[], V]) -> V:
        """Return what is kept under a key, or make it and keep it."""
        return self.keep(key, self._kept[key] if key in self._kept else make())

    def find(self, keys: Iterable[K]) -> dict[K, V]:
        """Return what is kept under keys; those that are not kept are left out."""
        return {key: self.keep(key, self._kept[key]) for key in keys if key in self._kept}

    def keep(self, key: K, value: V) -> V:
        """Keep something, as what was asked for last."""
        self._kept.pop(key, None)
        self._kept[key] = value
        while len(self._kept) > self._most:
            del self._kept[next(iter(self._kept))]
        return value
