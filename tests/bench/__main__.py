"""`make bench`: figures and ratios, measured side by side in one run. Never a test: machines differ."""

import os
import platform
import time

from rich.console import Console
from rich.table import Table

from tests.bench import (
    bridged,
    ears,
    files,
    held_calls,
    joined_calls,
    load,
    packets,
    prompt_calls,
    relays,
    signalling,
    strangers,
)
from tests.bench.stopwatch import Figure


def idle_lateness() -> float:
    """The worst of 200 sleeps of 1 ms, in milliseconds: how noisy the machine is just now."""
    worst = 0.0
    for _ in range(200):
        due = time.perf_counter() + 0.001
        time.sleep(0.001)
        worst = max(worst, time.perf_counter() - due)
    return worst * 1000


def main() -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=120)
    busy = os.getloadavg()[0]
    console.print(
        f"{os.cpu_count()} cores, Python {platform.python_version()}, load {busy:.1f}, "
        f"worst of 200 sleeps {idle_lateness():.2f} ms late"
    )
    table = Table("what", "median", "min", "max", "unit", "ratio")
    if not relays.compiler():
        console.print("no C compiler here: the plane is not held against a plain relay in C")
    figures: list[Figure] = [
        *signalling.figures(),
        *joined_calls.figures(),
        *prompt_calls.figures(),
        *packets.figures(),
        *bridged.figures(),
        *strangers.figures(),
        *ears.figures(),
        *files.figures(),
        *load.figures(),
        *held_calls.figures(),
    ]
    for figure in figures:
        table.add_row(
            figure.what,
            f"{figure.median:.2f}",
            f"{min(figure.rounds):.2f}",
            f"{max(figure.rounds):.2f}",
            figure.unit,
            figure.ratio,
        )
    console.print(table)


main()
