"""Addresses as numbers, and tables that look up many of them at once."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Sources = NDArray[np.uint64]
"""IPv4 address in the upper, port in the lower 16 bits of 48."""

SOURCE: Final = 2**48 - 1
"""The bits of a place that are the source."""
_PORT: Final = 48
_HOST: Final = 16
_LAST: Final = 2**64 - 1
_ENTRIES: Final = 4096
"""Entries of a `Cache`; a power of two."""
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)
_SHIFT: Final = np.uint64(64 - _ENTRIES.bit_length() + 1)


def source_key(address: tuple[str, int]) -> int:
    """The key of an address as it stands in `Sources`."""
    a, b, c, d = (int(part) for part in address[0].split("."))
    return (a << 24 | b << 16 | c << 8 | d) << 16 | address[1]


def place_of(port: int, source: int) -> int:
    """A source at one of our ports: the index of the port above the 48 bits of the source."""
    return port << _PORT | source


def port_of(place: int) -> int:
    return place >> _PORT


def host_place(port: int, host: int) -> int:
    """All sources of one host at one of our ports: a place without its last 16 bits."""
    return port << _PORT - _HOST | host


def host_of(source: int) -> int:
    return source >> _HOST


class KeyTable:
    """Slots by keys of 64 bits. A change costs some microseconds; a look-up is made for many keys at once."""

    def __init__(self) -> None:
        # The last entry is larger than any key, so that a search always ends at an entry.
        self._keys = np.array([_LAST], np.uint64)
        self._values = np.array([-1], np.int64)

    def __setitem__(self, key: int, value: int) -> None:
        at = self._at(key)
        if self._keys[at] == key:
            self._values[at] = value
            return
        self._keys = np.insert(self._keys, at, np.uint64(key))
        self._values = np.insert(self._values, at, value)

    def discard(self, key: int) -> None:
        at = self._at(key)
        if self._keys[at] == key and key != _LAST:
            self._keys, self._values = np.delete(self._keys, at), np.delete(self._values, at)

    def get(self, key: int) -> int | None:
        at = self._at(key)
        return int(self._values[at]) if self._keys[at] == key else None

    def find(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """The value of each key, -1 where it has none."""
        at = np.searchsorted(self._keys, keys)
        return np.where(self._keys[at] == keys, self._values[at], -1)

    def _at(self, key: int) -> int:
        return int(np.searchsorted(self._keys, np.uint64(key)))


class Cache:
    """Keys that hold until a time. There is room for 4,096: a key may push out another."""

    def __init__(self) -> None:
        self._keys = np.zeros(_ENTRIES, np.uint64)
        self._until = np.full(_ENTRIES, -np.inf)

    def add(self, key: int, until: float) -> None:
        at = _mixed(np.array([key], np.uint64))
        self._keys[at], self._until[at] = key, until

    def holds(self, keys: NDArray[np.uint64], now: float) -> NDArray[np.bool_]:
        """Which of the keys hold at `now`."""
        at = _mixed(keys)
        held: NDArray[np.bool_] = (self._keys[at] == keys) & (self._until[at] > now)
        return held

    def clear(self) -> None:
        self._until.fill(-np.inf)


def _mixed(keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    return (keys * _MIX >> _SHIFT).astype(np.int64)
