"""Calls at a steady rate, and what each costs: passed on to a seat, and with two seconds of a prompt.

Where Asterisk is to be measured, the product and it take turns.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.whole import asterisk
from tests.bench.whole.driver import Driver, driving
from tests.bench.whole.product import PRODUCT, Plan, running
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
    subject: str = PRODUCT


@dataclass(frozen=True, slots=True)
class Side:
    """What is called, and who calls."""

    name: str
    cpu: Callable[[], float]
    """Seconds so far, of all its processes."""
    driver: Driver


async def passed_on(seats: int, rate: int, folder: Path, *, beside: bool) -> list[Round]:
    """`beside`: Asterisk takes turns with the product."""
    plan = Plan(seats=seats, calls=seats + 100)
    what = f"passed on to one of {seats} seats"
    async with _at_work(plan, 2 * seats, folder, asterisk.PASSED_ON if beside else "") as sides:
        await sides[0].driver.register(plan.accounts())
        return [await _round(side, what, rate, TALK, to_seats=True) for _ in range(ROUNDS) for side in sides]


async def prompted(rate: int, folder: Path, *, beside: bool) -> list[Round]:
    """`beside`: Asterisk takes turns with the product."""
    plan = Plan(flow="hotline.yaml", calls=round(rate * LISTEN) + 200)
    what = f"{LISTEN:.0f} s of a prompt"
    async with _at_work(plan, 2 * rate, folder, asterisk.PROMPTED if beside else "") as sides:
        return [
            await _round(side, what, rate, LISTEN, to_seats=False) for _ in range(ROUNDS) for side in sides
        ]


@asynccontextmanager
async def _at_work(plan: Plan, legs: int, folder: Path, steps: str) -> AsyncIterator[list[Side]]:
    """The product by `plan`, and an Asterisk that does `steps` with each call where there are any."""
    async with AsyncExitStack() as stack:
        phones = Phones(legs, folder)
        stack.callback(phones.close)
        product = stack.enter_context(running(plan, folder))
        driver = await stack.enter_async_context(driving(product.sip, phones.addresses))
        sides = [Side(PRODUCT, product.cpu, driver)]
        if steps:
            peer = stack.enter_context(asterisk.running(steps))
            driver = await stack.enter_async_context(driving(peer.sip, phones.addresses))
            sides.append(Side(asterisk.NAME, peer.cpu, driver))
        yield sides


async def _round(side: Side, what: str, rate: int, lasts: float, *, to_seats: bool) -> Round:
    loop, driver = asyncio.get_running_loop(), side.driver
    driver.on_answered = lambda session: _hang_up_after(driver, session, lasts)
    answered, taken, cpu, begun = driver.answered, driver.taken, side.cpu(), loop.time()
    calls = rate * SECONDS
    for number in range(calls):
        driver.call(number)
        await asyncio.sleep(max(0.0, begun + (number + 1) / rate - loop.time()))
    await asyncio.sleep(lasts + _SETTLE)
    spent = side.cpu() - cpu
    answered, taken = driver.answered - answered, driver.taken - taken
    good = min(answered, taken) if to_seats else answered
    return Round(what, rate, calls, good, spent / calls * 1000, side.name)


def _hang_up_after(driver: Driver, session: str, seconds: float) -> None:
    asyncio.get_running_loop().call_later(seconds, driver.hang_up, session)
