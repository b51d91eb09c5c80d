"""CPU time of a piece of work, over several rounds."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

ROUNDS = 7


@dataclass(frozen=True, slots=True)
class Figure:
    what: str
    rounds: tuple[float, ...]
    unit: str
    ratio: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)


def cpu(what: str, work: Callable[[], int], unit: str = "µs", scale: float = 1e6) -> Figure:
    """CPU time, user and kernel, for each of the things that one call of `work` says it did."""
    work()
    rounds = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        done = work()
        rounds.append((time.process_time() - begun) / done * scale)
    return Figure(what, tuple(rounds), unit)


def beside(figure: Figure, other: Figure) -> Figure:
    """The figure with its ratio to another of the same run."""
    return Figure(
        figure.what, figure.rounds, figure.unit, f"{figure.median / other.median:.2f} × {other.what}"
    )


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]
