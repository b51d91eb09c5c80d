"""What was measured, as `bench.json`, as tables and as pictures of growth."""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

from tests.bench.whole.calls import Round
from tests.bench.whole.held import Held
from tests.bench.whole.joined import Window
from tests.bench.whole.product import PRODUCT
from tests.bench.whole.weights import Weight

ItemT = TypeVar("ItemT")
KeyT = TypeVar("KeyT", bound=Hashable)


@dataclass
class Results:
    """All of one run."""

    machine: dict[str, str | int | float] = field(default_factory=dict)
    windows: list[Window] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    weights: list[Weight] = field(default_factory=list)

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> "Results":
        """Raises `OSError`, `ValueError`."""
        data = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            data["machine"],
            [Window(**each) for each in data["windows"]],
            [Round(**each) for each in data["rounds"]],
            [Held(**each) for each in data.get("held", ())],
            [Weight(**each) for each in data["weights"]],
        )


def machine(commit: str) -> dict[str, str | int | float]:
    """Where and when, and how busy it was."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    return {
        "cores": os.cpu_count() or 0,
        "processor": model,
        "kernel": platform.release().partition("-")[0],
        "python": platform.python_version(),
        "commit": commit,
        "load": os.getloadavg()[0],
        "date": time.strftime("%Y-%m-%d"),
    }


def grouped(items: Iterable[ItemT], key: Callable[[ItemT], KeyT]) -> dict[KeyT, list[ItemT]]:
    found: dict[KeyT, list[ItemT]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return found


def tables(results: Results) -> str:
    """Medians, with the least and the most of the rounds, as Markdown."""
    told = ", ".join(f"{name} {value}" for name, value in results.machine.items())
    parts = [f"Measured on: {told}."]
    parts += [_joined(results.windows)] if results.windows else []
    parts += [_rounds(results.rounds)] if results.rounds else []
    parts += [_held(results.held)] if results.held else []
    parts += [_weights(results.weights)] if results.weights else []
    return "\n\n".join(parts) + "\n"


def spread(values: Sequence[float]) -> str:
    """`2.05 (1.98–2.40)`."""
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def _joined(windows: Sequence[Window]) -> str:
    lines = [
        "| joined calls | through | CPU ms of a second of a call | ratio: callflow is "
        "| lost of 1,000 | delay p50 / p99, ms |",
        "|---|---|---|---|---|---|",
    ]
    for calls, at_level in grouped(windows, lambda each: each.calls).items():
        subjects = grouped(at_level, lambda each: each.subject)
        ours = statistics.median(each.cost for each in subjects[PRODUCT])
        for name, turns in subjects.items():
            costs = [each.cost for each in turns]
            ratio = "" if name == PRODUCT else f"{ours / statistics.median(costs):.2f} ×"
            lost = statistics.median(each.lost for each in turns)
            delay = " / ".join(
                f"{statistics.median(value):.1f}"
                for value in ([each.median for each in turns], [each.p99 for each in turns])
            )
            lines.append(f"| {calls} | {name} | {spread(costs)} | {ratio} | {lost:.2f} | {delay} |")
    return "\n".join(lines)


def _rounds(rounds: Sequence[Round]) -> str:
    lines = [
        "| calls | a second | through | CPU ms a call | ratio: callflow is | well ended, of all |",
        "|---|---|---|---|---|---|",
    ]
    for (what, rate), same in grouped(rounds, lambda each: (each.what, each.rate)).items():
        subjects = grouped(same, lambda each: each.subject)
        ours = statistics.median(each.cost for each in subjects[PRODUCT])
        for name, turns in subjects.items():
            costs = [each.cost for each in turns]
            ratio = "" if name == PRODUCT else f"{ours / statistics.median(costs):.2f} ×"
            good, calls = sum(each.good for each in turns), sum(each.calls for each in turns)
            lines.append(f"| {what} | {rate} | {name} | {spread(costs)} | {ratio} | {good} of {calls} |")
    return "\n".join(lines)


def _held(held: Sequence[Held]) -> str:
    lines = [
        "| joined calls | of them held | CPU ms of a second of a call: all talk / some are held "
        "| words to who waits, of as many as were due | from one to the next, prescribed "
        "| p50 | p99 | the longest, s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.calls} | {one.held} | {one.talking:.2f} / {one.holding:.2f} | {one.words} of {one.due} "
        f"| {one.every:.0f} | {one.median:.3f} | {one.p99:.3f} | {one.longest:.3f} |"
        for one in held
    ]
    return "\n".join(lines)


def _weights(weights: Sequence[Weight]) -> str:
    lines = ["| what | value | |", "|---|---|---|"]
    for (what, unit), same in grouped(weights, lambda each: (each.what, each.unit)).items():
        lines.append(f"| {what} | {spread([each.value for each in same])} | {unit} |")
    return "\n".join(lines)


def draw(results: Results, folder: Path) -> list[Path]:
    """How the cost grows with the calls, as PNG. Raises `ImportError` where there is no matplotlib."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    drawn: list[Path] = []
    for name, title, value in (
        ("joined-cost", "CPU ms of a second of a joined call", lambda each: each.cost),
        ("joined-load", "CPU of one core, in percent", lambda each: each.cost * each.calls / 10),
        ("joined-delay", "delay from phone to phone, p99, ms", lambda each: each.p99),
    ):
        figure, axes = plt.subplots(figsize=(7, 4))
        for subject, turns in grouped(results.windows, lambda each: each.subject).items():
            levels = grouped(turns, lambda each: each.calls)
            medians = [statistics.median(map(value, same)) for same in levels.values()]
            axes.plot([*levels], medians, marker="o", label=subject)
        axes.set(xlabel="joined calls", ylabel=title, ylim=(0, None))
        axes.grid(visible=True, alpha=0.3)
        axes.legend()
        path = folder / f"{name}.png"
        figure.savefig(path, dpi=110, bbox_inches="tight")
        plt.close(figure)
        drawn.append(path)
    return drawn
