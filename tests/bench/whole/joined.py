"""Joined calls: the CPU of a second of a call, through the product and through what relays audio otherwise.

All have the same phones. They take turns, A B C D A B C D, so that what else the machine does meets all
alike; only one of them has audio at any time.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from callflow.net.mmsg import bound_sockets
from tests.bench import relays
from tests.bench.whole import asterisk, rtpengine
from tests.bench.whole.driver import Driver, driving
from tests.bench.whole.product import PRODUCT, Plan, Product, running
from tests.bench.whole.talk import Heard, Phones

LEVELS = (50, 100, 200, 300, 500)
"""Joined calls."""
ROUNDS, WINDOW, WARM_UP = 5, 3.0, 1.0
"""Rounds of each, seconds of each, and seconds before each that do not count."""
GREETING = 9.0
"""Seconds from a seat's answer until both surely hear each other."""
RATE = 25
"""Calls begun in a second."""
TICK = 0.01
_LEGS_A_PORT = 50


@dataclass(frozen=True, slots=True)
class Subject:
    """What is measured."""

    name: str
    targets: list[int]
    """The port that each phone sends to."""
    cpu: Callable[[], float]
    """Seconds so far, of all its processes."""
    memory: Callable[[], float] = lambda: 0.0
    """MB, of all its processes; of the product alone."""


@dataclass(frozen=True, slots=True)
class Window:
    """One turn of one subject."""

    subject: str
    calls: int
    cost: float
    """CPU ms of a second of a call."""
    lost: float
    """Of a thousand packets."""
    median: float
    """Milliseconds from phone to phone."""
    p99: float


async def measure(calls: int, folder: Path, *, beside: bool) -> list[Window]:
    """All turns at so many joined calls; `beside`: Asterisk's too. Raises `RuntimeError`, `TimeoutError`."""
    phones = Phones(2 * calls, folder)
    try:
        async with subjects(calls, phones, folder, beside=beside) as all_of_them:
            return [await _turn(one, calls, phones) for _ in range(ROUNDS) for one in all_of_them]
    finally:
        phones.close()


async def _turn(subject: Subject, calls: int, phones: Phones) -> Window:
    loop = asyncio.get_running_loop()
    with phones.talking(subject.targets) as talk:
        await asyncio.sleep(WARM_UP)
        before, cpu, begun = talk.heard(), subject.cpu(), loop.time()
        await asyncio.sleep(WINDOW)
        after, spent, lasted = talk.heard(), subject.cpu() - cpu, loop.time() - begun
    return _window(subject.name, calls, spent / lasted, before, after)


def _window(subject: str, calls: int, load: float, before: Heard, after: Heard) -> Window:
    sent, came = after.sent - before.sent, after.came - before.came
    lost = max(0.0, 1 - came / sent) * 1000
    return Window(subject, calls, load / calls * 1000, lost, after.median / 1000, after.p99 / 1000)


@asynccontextmanager
async def subjects(calls: int, phones: Phones, folder: Path, *, beside: bool) -> AsyncIterator[list[Subject]]:
    """The product with its calls joined, a relay in C in two forms, rtpengine where it is here, Asterisk."""
    async with AsyncExitStack() as stack:
        found = [await stack.enter_async_context(joined(calls, phones, folder))]
        for name, tick in (("C, a wake-up a packet", 0.0), ("C, a tick of 10 ms", TICK)):
            found.append(stack.enter_context(_in_c(name, tick, phones)))
        if rtpengine.is_here():
            engine = stack.enter_context(rtpengine.relaying(phones.addresses))
            found.append(Subject("rtpengine, user space", engine.targets, engine.cpu))
        if beside:
            found.append(await stack.enter_async_context(_through_asterisk(calls, phones)))
        yield found


@asynccontextmanager
async def joined(calls: int, phones: Phones, folder: Path, seats: int = 0) -> AsyncIterator[Subject]:
    """The product, with that many callers who speak with a seat each, of as many seats or more."""
    async with standing(calls, phones, folder, seats) as (product, driver):
        yield Subject(PRODUCT, driver.all_targets(calls), product.cpu, product.memory)


@asynccontextmanager
async def standing(
    calls: int, phones: Phones, folder: Path, seats: int = 0
) -> AsyncIterator[tuple[Product, Driver]]:
    """The product and its phones, all calls joined."""
    plan = Plan(seats=seats or calls, calls=calls + 50)
    with running(plan, folder) as product:
        async with driving(product.sip, phones.addresses) as driver:
            await driver.register(plan.accounts())
            await _all_begun(driver, calls)
            await asyncio.sleep(GREETING)
            _all_joined(product, calls)
            yield product, driver


@asynccontextmanager
async def _through_asterisk(calls: int, phones: Phones) -> AsyncIterator[Subject]:
    with asterisk.running(asterisk.JOINED) as peer:
        async with driving(peer.sip, phones.addresses) as driver:
            await _all_begun(driver, calls)
            yield Subject(asterisk.NAME, driver.all_targets(calls), peer.cpu)


async def _all_begun(driver: Driver, calls: int) -> None:
    """All calls, answered by a seat each. Raises `TimeoutError`."""
    for number in range(calls):
        driver.call(number)
        await asyncio.sleep(1 / RATE)
    await driver.until(lambda: driver.taken >= calls and driver.answered >= calls)


def _all_joined(product: Product, calls: int) -> None:
    standing = product.metric("callflow_calls_active")
    if standing != calls:
        raise RuntimeError(f"{standing:.0f} of {calls} calls stand")


@contextmanager
def _in_c(name: str, tick: float, phones: Phones) -> Iterator[Subject]:
    bound: list[socket.socket] = bound_sockets(
        "127.0.0.1", [0] * max(1, len(phones.addresses) // _LEGS_A_PORT)
    )
    try:
        with relays.in_c(bound, phones.addresses, tick) as relay:
            ports = [int(one.getsockname()[1]) for one in bound]
            targets = [ports[leg % len(ports)] for leg in range(len(phones.addresses))]
            yield Subject(name, targets, lambda: _cpu(relay))
    finally:
        for one in bound:
            one.close()


def _cpu(relay: relays.Relay) -> float:
    account = relay.account()
    return (account.user + account.kernel) / 1e6
