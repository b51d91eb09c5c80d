"""Faults that repeat: at most one line a second of each kind, with the number of those left out before it."""

import threading
import time
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

import structlog

EVERY: Final = 1.0
"""Seconds between two lines of one kind."""
MOST_KINDS: Final = 1_000
"""Kinds that are remembered; beyond them all others are one kind."""
_LEVELS: Final = ("warning", "error", "critical", "exception")
_NAMES: Final = ("kind", "trunk", "leg", "seat", "error", "state", "source")
"""The details that distinguish faults; not the call, as a thousand calls may have the same fault."""

Event = MutableMapping[str, Any]
Kind = tuple[Any, ...]


@dataclass(slots=True)
class _Repeated:
    told_at: float
    event: dict[str, Any]
    """The latest that was left out."""
    count: int = 0


class Repeats:
    """A processor of structlog's. Two threads may use it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kinds: dict[Kind, _Repeated] = {}
        self._lock = threading.Lock()

    def __call__(self, _logger: object, method: str, event: Event) -> Event:
        """Raises `structlog.DropEvent` for what was told less than a second ago."""
        if method not in _LEVELS or "repeated" in event:
            return event
        now = self._clock()
        with self._lock:
            kind = kind_of(event)
            if kind not in self._kinds and len(self._kinds) >= MOST_KINDS:
                kind = ()
            known = self._kinds.setdefault(kind, _Repeated(now - EVERY, {}))
            if now - known.told_at < EVERY:
                known.count += 1
                known.event = dict(event)
                raise structlog.DropEvent
            if known.count:
                event["repeated"] = known.count
            known.told_at, known.count = now, 0
        return event

    def due(self, *, now: bool = False) -> list[dict[str, Any]]:
        """The lines left out and not reported for a second (`now`: at all), each with `repeated`."""
        at = self._clock()
        with self._lock:
            over = [kind for kind, known in self._kinds.items() if now or at - known.told_at >= EVERY]
            found = [(kind, self._kinds.pop(kind)) for kind in over]
            told = [{**known.event, "repeated": known.count - 1} for _, known in found if known.count]
            for kind, known in found:
                if known.count:
                    self._kinds[kind] = _Repeated(at, {})
        return told


def kind_of(event: Mapping[str, Any]) -> Kind:
    """Two faults with this key are the same: their words, details, and where the exception came from."""
    named = tuple(str(event.get(name, "")) for name in _NAMES)
    return str(event.get("event", "")), *named, *_place(event.get("exc_info"))


def _place(error: object) -> tuple[str, int]:
    if isinstance(error, tuple) and len(error) == 3:
        error = error[1]
    if not isinstance(error, BaseException):
        return "", 0
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return type(error).__qualname__, trace.tb_lineno if trace else 0
