"""Sinks: whoever is told every fact as it happens, such as the metrics, the log and the journal of seats.

A sink has `start`, `fact` and `close`. `fact` is called in the middle of a call's work, so it must not wait;
where it fails, the fault is counted and told, the call goes on, and the other sinks are told all the same.
"""

from collections.abc import Callable, Iterable

from callflow.facts import Fact


class FactSink:
    """Subclass it, and register it in `Service._all_sinks`."""

    async def start(self) -> None:
        """Before the first fact. Raises `OSError` where the sink cannot work: the service does not start."""

    def fact(self, fact: Fact) -> None:
        """Something has happened in a call, with a seat or with a trunk."""
        raise NotImplementedError

    async def close(self) -> None:
        """After the last fact; what is not written yet is written now."""


class Sinks:
    """All of one service, in the order in which they are told."""

    def __init__(self, sinks: Iterable[FactSink], broke: Callable[[Exception], object]) -> None:
        """`broke` is told each fault of a sink."""
        self._sinks = tuple(sinks)
        self._broke = broke

    def fact(self, fact: Fact) -> None:
        for sink in self._sinks:
            try:
                sink.fact(fact)
            except Exception as error:
                self._broke(error)

    async def start(self) -> None:
        """Raises `OSError`."""
        for sink in self._sinks:
            await sink.start()

    async def close(self) -> None:
        """The last one first. A sink that fails keeps no other from closing."""
        for sink in reversed(self._sinks):
            try:
                await sink.close()
            except Exception as error:
                self._broke(error)
