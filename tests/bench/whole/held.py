"""Joined calls of which a part is held: what that costs, and how regularly who waits is spoken to.

Callers hear the words at sockets of their own: what is told here is when the sound came, not what the product
says about it. The house's own 30 s count from the beginning of a word to the beginning of the next.
"""

import asyncio
import itertools
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.bench.stopwatch import percentile
from tests.bench.whole.driver import Driver
from tests.bench.whole.joined import standing
from tests.bench.whole.product import Product
from tests.bench.whole.talk import Phones, Talk

CALLS, HELD = 150, 50
EVERY = 30.0
"""Seconds; that of `csr-standard`."""
TALKING, HOLDING = 10.0, 95.0
"""Seconds that are measured: long enough for three words to each who waits."""
_RATE = 10
"""Holds begun in a second."""
_AGREED_WITHIN = 30
_THANKS = 5.0
"""Seconds: longer than the words of thanks, with which the hold begins."""


@dataclass(frozen=True, slots=True)
class Held:
    """What one run has shown."""

    calls: int
    held: int
    talking: float
    """CPU ms of a second of a call while all talk."""
    holding: float
    """The same while some are held."""
    words: int
    """Words that came `EVERY` after the one before."""
    due: int
    """As many there should have been."""
    every: float
    """Seconds prescribed."""
    median: float
    """Seconds from one word to the next at the callers' sockets."""
    p99: float
    longest: float


async def measure(folder: Path) -> Held:
    """One run. Raises `RuntimeError`, `TimeoutError`."""
    phones = Phones(2 * CALLS, folder)
    try:
        async with standing(CALLS, phones, folder) as (product, driver):
            with phones.talking(driver.all_targets(CALLS)) as talk:
                talking = await _cost(product, TALKING)
                await _hold(product, driver, talk)
                talk.words()
                holding = await _cost(product, HOLDING)
                return _told(talking, holding, talk.words())
    finally:
        phones.close()


async def _cost(product: Product, seconds: float) -> float:
    loop = asyncio.get_running_loop()
    cpu, begun = product.cpu(), loop.time()
    await asyncio.sleep(seconds)
    return (product.cpu() - cpu) / (loop.time() - begun) / CALLS * 1000


async def _hold(product: Product, driver: Driver, talk: Talk) -> None:
    """`HELD` seats press Hold, and their callers agree by key. Raises `RuntimeError` where one does not."""
    for number in range(HELD):
        driver.hold(number)
        await asyncio.sleep(1 / _RATE)
    for _ in range(_AGREED_WITHIN):
        for number in range(HELD):
            talk.press(2 * number)
        await asyncio.sleep(1.0)
        agreed = product.metric('callflow_consents_total{answer="given"')
        if agreed >= HELD:
            await asyncio.sleep(_THANKS)
            return
    raise RuntimeError(f"{agreed:.0f} of {HELD} callers wait")


def _told(talking: float, holding: float, words: Iterable[tuple[int, float]]) -> Held:
    heard: dict[int, list[float]] = {}
    for leg, at in words:
        heard.setdefault(leg, []).append(at)
    apart = [
        after - before
        for leg in range(0, 2 * HELD, 2)
        for before, after in itertools.pairwise(heard.get(leg, []))
    ]
    if not apart:
        raise RuntimeError("no caller who waits has heard a word")
    figures = statistics.median(apart), percentile(apart, 0.99), max(apart)
    return Held(CALLS, HELD, talking, holding, len(apart), (_EACH - 1) * HELD, EVERY, *figures)


_EACH = int(HOLDING // EVERY)
"""Words that each who waits hears in that time."""
