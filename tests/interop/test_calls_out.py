"""baresip as a seat's phone calls out through a foreign trunk, and hears who is there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from callflow import config
from callflow.codec import Law
from callflow.demo.stage import on_free_ports
from callflow.media.g711 import encode
from callflow.service import Service, running
from callflow.sip.address import Address
from tests.support.audio import likeness, read_wav
from tests.support.desk import Told
from tests.support.kamailio import needs
from tests.support.leftovers import assert_idle, nothing_left
from tests.support.phones import baresip
from tests.support.sipp import seat

pytestmark = [pytest.mark.interop, needs("baresip", "sipp")]

LONGEST = 60.0
NUMBER = "02112345678"
CONFIGURATION = """\
callflow-config: 1
flow: service.yaml
drain: 0.2s
media: {{process: inside}}
sip:
  accounts: {{seat1: {{password: secret}}}}
  trunks: {{provider: {{at: "{host}:{port}", keepalive: false}}}}
seats:
  calls_out: {{trunks: [provider], caller_id: "02187654321", allow: ["0[1-9]*"]}}
  at: {{"8001": {{phone: seat1}}}}
  queues: {{service: {{}}}}
"""


@asynccontextmanager
async def serving(folder: Path, trunk: Address) -> AsyncIterator[tuple[Service, Told]]:
    file = folder / "callflow.yaml"
    file.write_text(CONFIGURATION.format(host=trunk[0], port=trunk[1]))
    setup = config.read(file)
    setup = replace(on_free_ports(setup, "unused"), accounts=setup.accounts)
    facts = Told()
    async with asyncio.timeout(LONGEST), running(setup, [facts]) as service:
        yield service, facts
        await service.drain()
        assert_idle(service)


def speaks(folder: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """What the far side is going to say: a tone that rises, like nothing else in the call."""
    seconds = np.arange(8000 * 2) / 8000
    spoken = 8000 * np.sin(2 * np.pi * (400 + 300 * seconds) * seconds)
    (folder / "spoken.al").write_bytes(encode(spoken.astype(np.int16), Law.PCMA).tobytes())
    return spoken


async def test_a_seat_calls_out_hears_who_is_there_and_writes_it_up(tmp_path: Path) -> None:
    phones = tmp_path / "phone"
    phones.mkdir()
    spoken = speaks(tmp_path)
    async with (
        nothing_left(),
        seat("answers_and_speaks.xml", tmp_path, "-d", "4000") as far,
        serving(tmp_path, far.address) as (service, facts),
    ):
        async with baresip(phones, service.sip_address, "seat1", "secret") as phone:
            await phone.call("0044123")
            refused = await facts.first("seat.refused")
            await phone.call(NUMBER)
            joined = await facts.first("call.joined")
            ended = await facts.first("call.ended")
            turned = [fact.details["state"] for fact in facts.named("seat.state")]
        assert await far.outcome() == (0, "")
    assert refused.details["why"] == "not_allowed"
    assert facts.named("call.dialled")[0].details == {"seat": "8001", "called": NUMBER}
    assert joined.details["seat"] == "8001"
    assert dict(ended.details) == {"by": "caller", "reason": ""}
    assert turned == ["talking", "wrap_up"]
    [recording] = [path for path in phones.glob("dump-*-dec.wav") if path.stat().st_size > 8000]
    # Half a second each: a phone's jitter buffer may slip between.
    heard = read_wav(recording)
    assert min(likeness(heard, spoken[at : at + 4000]) for at in (2000, 6000, 10000)) > 0.9


async def test_whom_a_seat_has_called_is_asked_when_its_phone_holds(tmp_path: Path) -> None:
    phones = tmp_path / "phone"
    phones.mkdir()
    speaks(tmp_path)
    async with (
        nothing_left(),
        seat("answers_and_speaks.xml", tmp_path, "-d", "6000") as far,
        serving(tmp_path, far.address) as (service, facts),
    ):
        async with baresip(phones, service.sip_address, "seat1", "secret") as phone:
            await phone.call(NUMBER)
            await facts.first("call.joined")
            # baresip's hold key.
            await phone.press("x")
            asked = await facts.begun("may_i_hold")
            await facts.first("call.ended")
        # Its scenario knows no re-INVITE: nothing of the hold was signalled to the far side.
        assert await far.outcome() == (0, "")
    assert (asked.rule, asked.leg) == ("csr-23", "caller")
    assert facts.named("hold.started") == []
