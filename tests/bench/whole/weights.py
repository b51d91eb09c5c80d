"""What the product weighs, and how long it takes to start."""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench.whole.joined import joined
from tests.bench.whole.product import Plan, running
from tests.bench.whole.talk import Phones

ROUNDS = 5
FEW, MANY = 10, 500
"""Seats."""
CALLS = 200
COMMANDS = (("callflow --version", ("--version",)), ("callflow check", ("check",)))


@dataclass(frozen=True, slots=True)
class Weight:
    """One figure of one round."""

    what: str
    value: float
    unit: str


def starts(folder: Path) -> Iterator[Weight]:
    """From the start to `/readyz`, and the memory then, with few seats and with many."""
    memory: dict[int, float] = {}
    for seats in (FEW, MANY):
        with running(Plan(seats=seats), folder) as product:
            yield Weight(f"start to ready, {seats} seats", product.ready_after, "s")
            memory[seats] = product.memory()
            yield Weight(f"memory at rest, {seats} seats", memory[seats], "MB")
    yield Weight("memory of a seat", (memory[MANY] - memory[FEW]) / (MANY - FEW) * 1024, "kB")


async def of_calls(folder: Path) -> list[Weight]:
    """The memory of a joined call: at the second hundred, so that what the first calls load is not theirs."""
    found: dict[int, float] = {}
    for calls in (CALLS // 2, CALLS):
        phones = Phones(2 * calls, folder)
        try:
            async with joined(calls, phones, folder, seats=CALLS) as subject:
                found[calls] = subject.memory()
        finally:
            phones.close()
    each = (found[CALLS] - found[CALLS // 2]) / (CALLS - CALLS // 2) * 1024
    return [Weight("memory of a joined call", each, "kB")]


def commands(folder: Path) -> Iterator[Weight]:
    """How long the command line takes to say something."""
    configuration = folder / "small.yaml"
    configuration.write_text("callflow-config: 1\n", encoding="utf-8")
    for name, arguments in COMMANDS:
        told = (*arguments, str(configuration)) if arguments == ("check",) else arguments
        begun = time.monotonic()
        subprocess.run([sys.executable, "-m", "callflow", *told], check=True, stdout=subprocess.DEVNULL)
        yield Weight(name, time.monotonic() - begun, "s")
