"""callflow registered at Kamailio, as its configuration wants: called there, greeting, and gone again."""

import asyncio
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from callflow import config
from callflow.config import Setup
from callflow.demo.stage import on_free_ports
from callflow.service import Service, running
from callflow.sip.address import Address
from callflow.sip.happenings import Accepted, Declined
from tests.interop.test_exchange import call
from tests.sockets.test_service import Facts
from tests.support.audio import likeness, read_wav
from tests.support.kamailio import kamailio, needs
from tests.support.leftovers import counted, nothing_left
from tests.support.phones import baresip
from tests.support.socket_endpoint import socket_endpoint

pytestmark = [pytest.mark.interop, needs("baresip", "kamailio"), pytest.mark.acceptance]

LONGEST = 60.0
PIECE = 4000
"""Samples: half a second."""


def configured(folder: Path, exchange: Address, password: str) -> Setup:
    """What a file says that has the exchange among its trunks, and an account there."""
    file = folder / "callflow.yaml"
    file.write_text(
        "callflow-config: 1\ndrain: 0.2s\nsip:\n  trunks:\n    exchange:\n"
        f"      at: {exchange[0]}:{exchange[1]}\n      account: {{user: hotline, password: {password}}}\n"
    )
    setup = on_free_ports(config.read(file), "unused")
    media = setup.config.media.model_copy(update={"process": "inside"})
    return replace(setup, config=setup.config.model_copy(update={"media": media}))


@asynccontextmanager
async def serving(
    folder: Path, exchange: Address, password: str = "secret"
) -> AsyncIterator[tuple[Service, Facts]]:
    """The service at the exchange, from its start until it is stopped."""
    facts = Facts()
    async with asyncio.timeout(LONGEST), running(configured(folder, exchange, password), [facts]) as service:
        yield service, facts
        await service.drain()
        in_hand = service.controller.in_hand()
        # The keepalive goes on until the service is closed: it may have a transaction.
        assert (in_hand["calls"], in_hand["sessions"], in_hand["ports"]) == (0, 0, 0)


async def shows(service: Service, line: str) -> None:
    """Until the metrics have a line. Raises `TimeoutError`."""
    for _ in range(100):
        if line in service.metrics.expose().decode().splitlines():
            return
        await asyncio.sleep(0.05)
    raise TimeoutError(f"{line!r} is not among the metrics")


async def refusal(exchange: Address, user: str) -> int:
    """The status that a call to `user` by way of the exchange is refused with."""
    async with socket_endpoint() as ours:
        call(ours, exchange, user)
        return (await ours.heard(Declined)).status


async def test_registered_called_and_gone(tmp_path: Path) -> None:
    caller = tmp_path / "caller"
    caller.mkdir()
    async with nothing_left(), kamailio(tmp_path, cfg="exchange.cfg") as exchange:
        async with serving(tmp_path, exchange) as (service, facts):
            await shows(service, 'callflow_registration_state{state="registered",trunk="exchange"} 1.0')
            await shows(service, 'callflow_trunk_state{state="up",trunk="exchange"} 1.0')
            async with baresip(caller, exchange, "caller", "secret") as phone:
                await phone.call("hotline")
                arrived = await facts.first("call.arrived")
                await facts.said("greeting")
                await phone.hang_up()
                ended = await facts.first("call.ended")
            setup = configured(tmp_path, exchange, "secret")
        assert await refusal(exchange, "hotline") == 404
    assert arrived.details["caller"] == "caller"
    assert dict(ended.details) == {"by": "caller", "reason": ""}
    assert greeted(phone.heard(), setup) > 0.9


def greeted(recording: Path, setup: Setup) -> float:
    """How alike what was heard is to the greeting: piece by piece, as a phone's buffer may slip between."""
    samples = setup.prompts.pcm("greeting", setup.config.fields).astype(float)
    pieces = [samples[at : at + PIECE] for at in range(0, 6 * PIECE, PIECE)]
    heard = read_wav(recording)
    return statistics.median(likeness(heard, piece) for piece in pieces)


async def test_until_it_is_stopped_it_is_there(tmp_path: Path) -> None:
    """The 404 of a stopped service is its unregistering's, and no other reason's."""
    async with nothing_left(), kamailio(tmp_path, cfg="exchange.cfg") as exchange:
        assert await refusal(exchange, "hotline") == 404
        async with serving(tmp_path, exchange) as (service, facts), socket_endpoint() as ours:
            await shows(service, 'callflow_registration_state{state="registered",trunk="exchange"} 1.0')
            session = call(ours, exchange, "hotline")
            assert (await ours.heard(Accepted)).session == session
            ours.hang_up(session)
            await facts.first("call.ended")


async def test_with_a_wrong_password_it_is_not_registered_and_the_exchange_is_up(tmp_path: Path) -> None:
    async with (
        nothing_left(),
        kamailio(tmp_path, cfg="exchange.cfg") as exchange,
        serving(tmp_path, exchange, "wrong") as (service, _),
    ):
        await shows(service, 'callflow_registration_state{state="failed",trunk="exchange"} 1.0')
        await shows(service, 'callflow_trunk_state{state="up",trunk="exchange"} 1.0')
        assert await refusal(exchange, "hotline") == 404
        assert counted(service, "callflow_calls_total") == 0.0
