"""The seat's phone says what it cannot do, and leaves nothing behind when it is gone."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from callflow import config
from callflow.adapters.seat_phone import SeatPhone, SeatPhoneFailed
from callflow.adapters.softphone import CallOver, Line
from callflow.demo.stage import on_free_ports
from callflow.service import running

pytestmark = pytest.mark.sockets

PATIENCE = 20.0


@pytest_asyncio.fixture
async def line() -> AsyncIterator[Line]:
    """A server that knows the phone's account."""
    setup = on_free_ports(config.default(), "secret")
    async with asyncio.timeout(PATIENCE), running(setup) as service:
        yield Line(*service.sip_address, "caller", "secret")


async def test_what_needs_a_call_fails_without_one(line: Line, tmp_path: Path) -> None:
    async with SeatPhone.open(line, record=tmp_path / "heard.wav") as phone:
        for act in (phone.hold, phone.resume, phone.hang_up):
            with pytest.raises(SeatPhoneFailed, match="in no call"):
                await act()
        with pytest.raises(SeatPhoneFailed, match="4000 Hz"):
            await phone.send_tone(4000, 1.0, -20)
        assert await phone.recording() is None


async def test_a_server_that_does_not_know_it_is_an_error(line: Line) -> None:
    with pytest.raises(SeatPhoneFailed, match="registration failed"):
        async with SeatPhone.open(Line(line.host, line.port, "caller", "wrong")):
            pytest.fail("it is registered")


async def test_a_phone_that_vanished_does_nothing_more(
    line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    async with SeatPhone.open(line) as phone:
        assert os.listdir(tmp_path)
        await phone.vanish()
        with pytest.raises(CallOver):
            await phone.hold()
    assert not os.listdir(tmp_path)
