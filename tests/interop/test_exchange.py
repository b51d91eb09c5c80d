"""Calls of ours to a baresip through Kamailio, which wants a password and stays in the route."""

import asyncio
import secrets
from pathlib import Path

import pytest

from callflow.sip.address import Address
from callflow.sip.happenings import Accepted, Declined, Ended
from callflow.sip.prover import CallProver
from tests.support.kamailio import kamailio, needs
from tests.support.leftovers import nothing_left
from tests.support.phones import baresip, until_logged
from tests.support.socket_endpoint import SocketEndpoint, socket_endpoint

pytestmark = [pytest.mark.interop, needs("baresip", "kamailio"), pytest.mark.acceptance]

TALK = 0.5
"""Seconds."""


def call(ours: SocketEndpoint, exchange: Address, user: str, password: str = "secret") -> str:
    prover = CallProver("callflow", password, lambda: secrets.token_hex(8))
    return ours.call(exchange, f"sip:{user}@127.0.0.1:{exchange[1]}", prover)


def went_by(ours: SocketEndpoint, method: str, exchange: Address) -> bool:
    """Whether the requests of a dialog went to the exchange, and named it as their route."""
    sent = ours.requests(method)
    return all(passed.peer == exchange and "route" in dict(passed.message.headers) for passed in sent)


async def test_the_challenge_is_answered_and_we_hang_up_through_the_route(tmp_path: Path) -> None:
    async with (
        nothing_left(),
        kamailio(tmp_path, cfg="exchange.cfg") as exchange,
        baresip(tmp_path, exchange, "seat", "secret", answers=True),
        socket_endpoint() as ours,
    ):
        session = call(ours, exchange, "seat")
        assert (await ours.heard(Accepted)).session == session
        # The first INVITE bore no proof; the ACK of the 407 is a hop's own and takes no route.
        assert ours.sent("INVITE") == 2
        await until_logged(tmp_path, "Call established")
        await asyncio.sleep(TALK)
        ours.hang_up(session)
        await until_logged(tmp_path, "session closed")
        assert (ours.sent("BYE"), went_by(ours, "BYE", exchange)) == (1, True)
        assert await ours.leftovers() == ([], {})


async def test_the_seat_hangs_up_through_the_route(tmp_path: Path) -> None:
    async with (
        nothing_left(),
        kamailio(tmp_path, cfg="exchange.cfg") as exchange,
        baresip(tmp_path, exchange, "seat", "secret", answers=True) as phone,
        socket_endpoint() as ours,
    ):
        session = call(ours, exchange, "seat")
        await ours.heard(Accepted)
        await asyncio.sleep(TALK)
        await phone.hang_up()
        ended = await ours.heard(Ended)
        assert (ended.session, ended.reason) == (session, "bye")
        assert [bye.peer for bye in ours.requests("BYE", incoming=True)] == [exchange]
        assert await ours.leftovers() == ([], {})


async def test_a_wrong_password_is_tried_once(tmp_path: Path) -> None:
    async with nothing_left(), kamailio(tmp_path, cfg="exchange.cfg") as exchange, socket_endpoint() as ours:
        call(ours, exchange, "seat", "wrong")
        assert (await ours.heard(Declined)).status == 407
        assert ours.sent("INVITE") == 2
        call(ours, exchange, "nobody")
        assert (await ours.heard(Declined)).status == 404
        assert await ours.leftovers() == ([], {})
