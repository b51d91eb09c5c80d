"""A service, and other things of ours, that must have nothing left in hand when their callers are gone."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from callflow.config import Setup
from callflow.demo.stage import on_free_ports
from callflow.service import Service, running

LONGEST_TIMER = 40.0
"""Seconds: no timer of SIP's transactions runs longer than 64 * T1 = 32 s."""


def open_files() -> int:
    """Descriptors of this process."""
    return len(os.listdir("/proc/self/fd"))


@asynccontextmanager
async def nothing_left() -> AsyncIterator[None]:
    """No task and no descriptor that was not there before."""
    before, files = asyncio.all_tasks(), open_files()
    yield
    # What was cancelled or closed a moment ago is gone in the loop's next round.
    await asyncio.sleep(0.05)
    assert asyncio.all_tasks() - before == set()
    assert open_files() == files


@asynccontextmanager
async def serving(setup: Setup, *, ring_for: float = 0.0) -> AsyncIterator[Service]:
    """A service with one account, `caller` with the password `secret`, and its plane in this process."""
    setup = on_free_ports(setup, "secret")
    media = setup.config.media.model_copy(update={"ports": (0,) * 16, "process": "inside"})
    manners = setup.house.answering.model_copy(update={"ring_for": ring_for})
    house = setup.house.model_copy(update={"answering": manners})
    config = setup.config.model_copy(update={"media": media})
    async with nothing_left(), running(replace(setup, config=config, house=house)) as service:
        yield service
        async with asyncio.timeout(40):
            await service.drain()
        assert_idle(service)


def assert_idle(service: Service) -> None:
    """No call, port or leg now; and no transaction once its timers have run out."""
    in_hand = service.controller.in_hand()
    assert (in_hand["calls"], in_hand["sessions"], in_hand["ports"]) == (0, 0, 0)
    assert service.media.legs == 0
    service.controller.tick(asyncio.get_running_loop().time() + LONGEST_TIMER)
    assert service.controller.in_hand() == dict.fromkeys(in_hand, 0)


def counted(service: Service, metric: str) -> float:
    """The sum of a metric over its labels."""
    samples = [sample for family in service.metrics.registry.collect() for sample in family.samples]
    return sum(sample.value for sample in samples if sample.name == metric)


def oddities(service: Service) -> dict[str, float]:
    """What peers did and should not, and our own faults, by kind."""
    samples = [sample for family in service.metrics.registry.collect() for sample in family.samples]
    told = ("callflow_sip_odd_total", "callflow_faults_total")
    return {s.labels["kind"]: s.value for s in samples if s.name in told and s.value}
