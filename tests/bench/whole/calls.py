"""Calls at a steady rate, and what each costs: passed on to a seat, and with two seconds of a prompt."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.whole.driver import Driver, driving
from tests.bench.whole.product import Plan, Product, running
from tests.bench.whole.talk import Phones

ROUNDS, SECONDS = 5, 10
"""Rounds of each rate, and seconds of each."""
PASSED_ON = ((60, 5), (600, 50))
"""Seats, and calls a second: as many as the greeting and a second of talk leave seats free for."""
TALK = 9.0
"""Seconds of a call that is passed on: the greeting, and a second after it."""
PROMPTS = (40, 160)
"""Calls a second that hear a prompt."""
LISTEN = 2.0
_SETTLE = 4.0
"""Seconds after the last call's end: seats have written up, and the product is at rest."""


@dataclass(frozen=True, slots=True)
class Round:
    """One round at one rate."""

    what: str
    rate: int
    calls: int
    good: int
    """Calls that were answered, and by a seat where they are to be."""
    cost: float
    """CPU ms a call, of all processes."""


async def passed_on(seats: int, rate: int, folder: Path) -> list[Round]:
    plan = Plan(seats=seats, calls=seats + 100)
    what = f"passed on to one of {seats} seats"
    async with _at_work(plan, 2 * seats, folder) as (product, driver):
        await driver.register(plan.accounts())
        return [await _round(product, driver, what, rate, TALK, to_seats=True) for _ in range(ROUNDS)]


async def prompted(rate: int, folder: Path) -> list[Round]:
    plan = Plan(flow="hotline.yaml", calls=round(rate * LISTEN) + 200)
    what = f"{LISTEN:.0f} s of a prompt"
    async with _at_work(plan, 2 * rate, folder) as (product, driver):
        return [await _round(product, driver, what, rate, LISTEN, to_seats=False) for _ in range(ROUNDS)]


@asynccontextmanager
async def _at_work(plan: Plan, legs: int, folder: Path) -> AsyncIterator[tuple[Product, Driver]]:
    phones = Phones(legs, folder)
    try:
        with running(plan, folder) as product:
            async with driving(product.sip, phones.addresses) as driver:
                yield product, driver
    finally:
        phones.close()


async def _round(
    product: Product, driver: Driver, what: str, rate: int, lasts: float, *, to_seats: bool
) -> Round:
    loop = asyncio.get_running_loop()
    driver.on_answered = lambda session: _hang_up_after(driver, session, lasts)
    answered, taken, cpu, begun = driver.answered, driver.taken, product.cpu(), loop.time()
    calls = rate * SECONDS
    for number in range(calls):
        driver.call(number)
        await asyncio.sleep(max(0.0, begun + (number + 1) / rate - loop.time()))
    await asyncio.sleep(lasts + _SETTLE)
    spent = product.cpu() - cpu
    answered, taken = driver.answered - answered, driver.taken - taken
    return Round(what, rate, calls, min(answered, taken) if to_seats else answered, spent / calls * 1000)


def _hang_up_after(driver: Driver, session: str, seconds: float) -> None:
    asyncio.get_running_loop().call_later(seconds, driver.hang_up, session)
