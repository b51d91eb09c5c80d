"""Every fact of one call, in order."""

from collections.abc import Callable, Iterator

from callflow.facts import Detail, Fact

Sink = Callable[[Fact], None]
"""Where facts go as they happen: the metrics, the log, a file, a table on a screen."""


class Ledger:
    """Grows only. Each fact is told to the sink at once."""

    def __init__(self, call: str, sink: Sink | None = None) -> None:
        self.call = call
        self._facts: list[Fact] = []
        self._sink = sink

    def __iter__(self) -> Iterator[Fact]:
        return iter(self._facts)

    @property
    def facts(self) -> tuple[Fact, ...]:
        return tuple(self._facts)

    def write(self, at: float, fact: str, rule: str | None = None, **details: Detail) -> None:
        """Add a fact about the caller's leg."""
        self.write_of("caller", at, fact, rule, **details)

    def write_of(self, leg: str, at: float, fact: str, rule: str | None = None, **details: Detail) -> None:
        """Add a fact about a leg."""
        written = Fact(at, self.call, leg, fact, rule, details)
        self._facts.append(written)
        if self._sink:
            self._sink(written)
