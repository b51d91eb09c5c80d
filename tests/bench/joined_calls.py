"""What a call costs that is passed on to a seat, signalling only, and how many a second one core sustains.

sipp is the caller and the seat. The B2BUA is `tests.bench.b2bua`, a process that has nothing else to do.
"""

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.b2bua import Account
from tests.bench.stopwatch import Figure
from tests.support.sipp import complaints, seat, sipp

RATE, SECONDS = 100, 8
RISING, STEP = (100, 200, 300, 400, 500), 5
"""Calls a second, and for how many seconds each."""
TALK = 1000
"""Milliseconds."""
ASTERISK = 5.4, 6.2
"""CPU ms a call of the same work, measured in another run."""


@dataclass(frozen=True, slots=True)
class Run:
    """Calls at one rate."""

    calls: int
    before: Account
    after: Account
    clean: bool
    """No call failed, and nobody had to say anything twice."""
    seconds: float

    @property
    def cost(self) -> float:
        """CPU ms a call."""
        return (self.after.cpu - self.before.cpu) / self.calls * 1000

    @property
    def share(self) -> float:
        """Of one core, in percent."""
        return (self.after.cpu - self.before.cpu) / self.seconds * 100


@dataclass(frozen=True, slots=True)
class _Process:
    """The B2BUA as its parent sees it."""

    process: asyncio.subprocess.Process
    port: int

    async def account(self) -> Account:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(b"\n")
        return Account(**json.loads(await self.process.stdout.readline()))


@asynccontextmanager
async def _b2bua(seat_port: int) -> AsyncIterator[_Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.b2bua", str(seat_port),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    try:
        yield _Process(process, int(await process.stdout.readline()))
    finally:
        process.stdin.close()
        await process.wait()


async def run(rate: int, seconds: int, folder: Path) -> Run:
    """All calls of one rate; the accounts are taken before the first and after the last."""
    calls = rate * seconds
    loop = asyncio.get_running_loop()
    near, far = _inside(folder, f"caller{rate}"), _inside(folder, f"seat{rate}")
    async with seat("answers.xml", far, "-d", "0", calls=calls) as there, _b2bua(there.address[1]) as ours:
        before, begun = await ours.account(), loop.time()
        target = "127.0.0.1", ours.port
        counted = ("-trace_stat", "-d", str(TALK), "-l", str(2 * calls), "-timeout", str(seconds + 20))
        status = await sipp("hangs_up.xml", target, near, *counted, calls=calls, rate=rate)
        after, took = await ours.account(), loop.time() - begun
    is_clean = (status, complaints(near), complaints(far)) == (0, "", "") and after.joined == calls
    said_twice = after.repeated + after.odd + _repeated_by_sipp(near)
    return Run(calls, before, after, is_clean and not said_twice, took)


def _inside(folder: Path, name: str) -> Path:
    inner = folder / name
    inner.mkdir()
    return inner


def _repeated_by_sipp(folder: Path) -> int:
    """How often sipp had to say something again."""
    [statistics] = folder.glob("*_.csv")
    names, *_, last = (line.split(";") for line in statistics.read_text().splitlines() if line)
    return int(last[names.index("Retransmissions(C)")])


async def rising(folder: Path) -> tuple[Run | None, int | None]:
    """The fastest rate at which all went well, and the first at which it did not."""
    best = None
    for rate in RISING:
        one = await run(rate, STEP, folder)
        if not one.clean:
            return best, rate
        best = one
    return best, None


async def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        steady = await run(RATE, SECONDS, _inside(folder, "steady"))
        best, failing = await rising(_inside(folder, "rising"))
    busy = os.getloadavg()[0]
    clean = "all well" if steady.clean else "not all well"
    against = " to ".join(f"{steady.cost / one:.2f}" for one in reversed(ASTERISK))
    figures = [
        Figure(
            f"CPU a call passed on, signalling only ({RATE}/s for {SECONDS} s, {clean}, load {busy:.1f})",
            (steady.cost,),
            "ms",
            f"{against} × Asterisk's {ASTERISK[0]} to {ASTERISK[1]}, a figure of another run",
        )
    ]
    if best is not None:
        rate = best.calls // STEP
        limit = f"at {failing} something was said twice or failed" if failing else "the limit was not reached"
        figures += [
            Figure(
                f"such calls a second on one core, nothing failed or repeated for {STEP} s ({limit})",
                (rate,),
                "/s",
            ),
            Figure("CPU of one core that it took", (best.share,), "%"),
        ]
    return figures


def figures() -> Iterator[Figure]:
    if shutil.which("sipp"):
        yield from asyncio.run(measure())
