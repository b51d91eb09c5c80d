"""A service whose one seat sits at a foreign phone, and a caller who waits for it: `tests/interop/desk`.

async with desk() as (service, facts), caller(service) as phone:
    ...
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from callflow import config
from callflow.adapters.softphone import Line, Softphone
from callflow.demo.stage import on_free_ports
from callflow.facts import Fact
from callflow.service import Service, running
from tests.sockets.test_service import Facts
from tests.support.leftovers import assert_idle
from tests.support.phones import free_port
from tests.support.sipp import complaints, is_bound, sipp

CONFIGURATION = Path(__file__).parent.parent / "interop" / "desk" / "callflow.yaml"
PHONE = "seat1"
"""The account of the seat's phone."""
LONGEST = 60.0
"""Seconds that all of a call may take."""


class Told(Facts):
    """The facts of one call, waited for and looked at."""

    @property
    def names(self) -> list[str]:
        return [fact.fact for fact in self.all]

    def named(self, name: str) -> list[Fact]:
        return [fact for fact in self.all if fact.fact == name]

    def prompts(self) -> list[str]:
        """What was begun to be said, in order."""
        return [str(fact.details["prompt"]) for fact in self.named("prompt.started")]

    async def nth(self, number: int, name: str) -> Fact:
        """The so-manieth fact of that name, from 1."""
        return await self._first(lambda fact: fact in self.named(name)[number - 1 :])

    async def begun(self, prompt: str) -> Fact:
        """The prompt has begun to be said."""
        return await self._first(
            lambda fact: fact.fact == "prompt.started" and fact.details["prompt"] == prompt
        )


@asynccontextmanager
async def desk(flow: Path | None = None, *, colleague: bool = False) -> AsyncIterator[tuple[Service, Told]]:
    """The service, from its start until nothing is left of its calls; `flow` instead of its own.

    `colleague`: with a second seat, 8002, whose phone is not there.
    """
    setup = config.read(CONFIGURATION.with_name("two.yaml") if colleague else CONFIGURATION)
    setup = config.with_flow(setup, flow) if flow else setup
    setup = replace(on_free_ports(setup, "unused"), accounts=setup.accounts)
    facts = Told()
    async with asyncio.timeout(LONGEST), running(setup, [facts]) as service:
        yield service, facts
        await service.drain()
        assert_idle(service)


@asynccontextmanager
async def caller(service: Service) -> AsyncIterator[Softphone]:
    """Registered; `call` rings the desk."""
    async with Softphone.open(Line(*service.sip_address, "caller", "secret")) as phone:
        yield phone


def registered(service: Service, account: str) -> Callable[[], bool]:
    """Asks whether the account's phone can be rung now."""
    loop, seats = asyncio.get_running_loop(), service.controller.switchboard.seats
    return lambda: seats.is_registered(account, loop.time())


async def until_registered(service: Service) -> None:
    """Until the seat's phone can be rung."""
    await _until(registered(service, PHONE))


@asynccontextmanager
async def seat_by_sipp(
    service: Service, scenario: str, folder: Path, *options: str, calls: int = 1
) -> AsyncIterator["asyncio.Task[tuple[int, str]]"]:
    """A sipp that has registered, and takes `calls` calls; the task's result is as of `sipp.Seat.outcome`."""
    here = ("-p", str(free_port()))
    known = ("-s", PHONE, "-au", PHONE, "-ap", "secret")
    assert await sipp("registers.xml", service.sip_address, folder, *here, *known, calls=1) == 0
    taking = asyncio.create_task(_take(service, scenario, folder, *here, *options, calls=calls))
    try:
        await _until(lambda: is_bound(int(here[1])) or taking.done())
        yield taking
    finally:
        taking.cancel()
        await asyncio.wait({taking})


async def _take(service: Service, scenario: str, folder: Path, *options: str, calls: int) -> tuple[int, str]:
    status = await sipp(scenario, service.sip_address, folder, *options, calls=calls)
    return status, complaints(folder)


async def _until(come: Callable[[], bool]) -> None:
    # Neither a socket's table nor a registrar tells of itself.
    for _ in range(500):
        if come():
            return
        await asyncio.sleep(0.02)
    raise TimeoutError("the seat's phone is not there")
