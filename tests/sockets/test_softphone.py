"""The softphone against an answerer that knows what it truly sent and got."""

import asyncio
import json
import os
import sys
import time
import wave
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from callflow.adapters import ear
from callflow.adapters.softphone import (
    CallFailed,
    CallOver,
    CallReport,
    Line,
    NoKeys,
    NotRegistered,
    Softphone,
)
from tests.support import bare_answerer
from tests.support.bare_answerer import BareAnswerer, Sound, answerer, header, silence

pytestmark = [pytest.mark.sockets, pytest.mark.timed]

TWO_BURSTS = (silence(0.1), Sound(0.5), silence(1.0), Sound(0.5), silence(0.1))
EVENT = 101


@pytest.fixture(autouse=True)
async def bounded() -> AsyncIterator[None]:
    async with asyncio.timeout(8):
        yield


def line(bare: BareAnswerer, password: str = bare_answerer.PASSWORD) -> Line:
    return Line(bare_answerer.HOST, bare.port, bare_answerer.USER, password)


async def test_what_the_caller_hears_is_measured_within_thirty_milliseconds(tmp_path: Path) -> None:
    heard = tmp_path / "heard.wav"
    async with answerer(*TWO_BURSTS) as bare, Softphone.open(line(bare), record=heard) as phone:
        await phone.call(bare_answerer.NUMBER)
        report = await phone.report()
    assert np.abs(np.subtract(report.sounds, bare.sent_sounds)).max() < 0.03
    true_gap = bare.sent_sounds[1][0] - bare.sent_sounds[0][1]
    assert report.silences == [pytest.approx(true_gap, abs=0.03)]
    assert report.silences == [pytest.approx(1.0, abs=0.05)]
    assert report.invited_at < report.answered_at == pytest.approx(bare.answered_at, abs=0.03)
    assert report.bye_at == pytest.approx(bare.bye_sent_at, abs=0.03)
    assert report.hung_up_at is None
    nothing_is_missing(report, bare)
    assert report.recording == heard
    two_tones_are_recorded(heard)


def nothing_is_missing(report: CallReport, bare: BareAnswerer) -> None:
    assert report.reception.packets == len(bare.sent) == 110
    assert (report.reception.lost, report.reception.duplicates, report.reception.reordered) == (0, 0, 0)
    assert (report.reception.discontinuities, report.reception.streams) == (0, 1)


def two_tones_are_recorded(path: Path) -> None:
    with wave.open(str(path)) as file:
        assert file.getparams()[:4] == (1, 2, 8000, 110 * 160)
        heard = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    tone = 5657  # the effective value of a sine of 8000
    assert np.sqrt(np.mean(heard[800:4800].astype(float) ** 2)) == pytest.approx(tone, rel=0.02)
    assert not heard[4800:12800].any()


async def test_keys_are_telephone_events_in_the_audio_s_own_stream() -> None:
    async with answerer(silence(30)) as bare, Softphone.open(line(bare)) as phone:
        await phone.call(bare_answerer.NUMBER)
        await phone.press("1#")
        digits = [fact.details["digit"] for fact in phone.history if fact.what == "digit_sent"]
        await phone.hang_up()
        await phone.ended()
        await asyncio.sleep(0)
    assert digits == ["1", "#"]
    assert len({packet.ssrc for packet in bare.received}) == 1
    assert all(b.sequence - a.sequence == 1 for a, b in pairwise(bare.received))
    presses = [packet for packet in bare.received if packet.kind == EVENT]
    for key, press in zip((1, 11), (presses[:8], presses[8:]), strict=True):
        assert [packet.marker for packet in press] == [True] + 7 * [False]
        assert len({packet.timestamp for packet in press}) == 1
        durations = [160, 320, 480, 640, 800, 800, 800, 800]
        ends = 5 * [0x0A] + 3 * [0x8A]
        assert [packet.payload for packet in press] == [
            bytes((key, end, *duration.to_bytes(2))) for end, duration in zip(ends, durations, strict=True)
        ]
    before = next(a for a, b in pairwise(bare.received) if b.kind == EVENT)
    assert presses[0].timestamp == before.timestamp + 160


async def test_where_keys_were_not_negotiated_pressing_one_is_refused() -> None:
    async with answerer(silence(30)) as bare, Softphone.open(line(bare)) as phone:
        bare.takes_keys = False
        await phone.call(bare_answerer.NUMBER)
        with pytest.raises(NoKeys):
            await phone.press("1")


async def test_speech_goes_out_as_it_was_given_and_keys_do_not_swallow_it() -> None:
    said = ear.ulaw(np.random.default_rng(1).integers(-9000, 9000, 50 * 160))
    async with answerer(silence(30)) as bare, Softphone.open(line(bare)) as phone:
        await phone.call(bare_answerer.NUMBER)
        await asyncio.gather(phone.speak(said), phone.press("5"))
        await asyncio.sleep(0.03)
    assert said in b"".join(packet.payload for packet in bare.received if packet.audible)
    spacing = (bare.received[-1].arrived - bare.received[0].arrived) / (len(bare.received) - 1)
    assert spacing == pytest.approx(0.02, abs=0.0002)


async def test_an_echo_comes_back_fainter_and_eighty_milliseconds_late() -> None:
    burst = (silence(0.3), Sound(0.6), silence(0.4))
    async with answerer(*burst) as bare, Softphone.open(line(bare), echo_db=-20) as phone:
        await phone.call(bare_answerer.NUMBER)
        await phone.ended()
    (sent_from, sent), (heard_from, heard) = laid_out(bare.sent), laid_out(bare.received)
    delay = heard_from + onset(heard, 200) / 8000 - sent_from - onset(sent, 2000) / 8000
    assert delay == pytest.approx(0.08, abs=0.015)
    level = 20 * np.log10(loudness(heard[onset(heard, 200) :]) / loudness(sent[onset(sent, 2000) :]))
    assert level == pytest.approx(-20, abs=1.5)


def laid_out(packets: list[ear.Packet]) -> tuple[float, ear.Samples]:
    """When the stream's first sample would have come without any delay on the way, and its audio."""
    first = packets[0]
    begins = min(packet.arrived - (packet.timestamp - first.timestamp) / 8000 for packet in packets)
    return begins, ear.as_heard(packets)


def onset(samples: ear.Samples, level: int) -> int:
    return int(np.argmax(np.abs(samples) > level))


def loudness(samples: ear.Samples) -> float:
    return float(np.sqrt(np.mean(samples[:4000].astype(float) ** 2)))


async def test_the_caller_may_hang_up_first() -> None:
    async with answerer(Sound(30)) as bare, Softphone.open(line(bare)) as phone:
        await phone.call(bare_answerer.NUMBER)
        await asyncio.sleep(0.2)
        await phone.hang_up()
        ended = await phone.ended()
        report = await phone.report()
        with pytest.raises(CallOver):
            await phone.press("1")
    assert ended.by == "caller"
    assert ended.at == report.hung_up_at == pytest.approx(bare.bye_came_at, abs=0.05)
    assert report.bye_at is None
    assert len(report.sounds) == 1


async def test_a_refused_call_is_acknowledged_and_tells_its_status() -> None:
    async with answerer(refuse="486 Busy Here") as bare, Softphone.open(line(bare)) as phone:
        with pytest.raises(CallFailed, match="486 Busy Here"):
            await phone.call(bare_answerer.NUMBER)
        acks = [header(message, "CSeq") for message in bare.of("ACK")]
    assert acks == ["1 ACK", "2 ACK"]  # of the challenge and of the refusal


async def test_a_ringing_call_is_taken_back() -> None:
    async with answerer(ring_for_ever=True) as bare, Softphone.open(line(bare)) as phone:
        calling = asyncio.create_task(phone.call(bare_answerer.NUMBER))
        async for fact in phone.facts:
            if fact.what == "ringing":
                break
        await phone.hang_up()
        with pytest.raises(CallFailed, match="487"):
            await calling
        assert header(bare.of("CANCEL")[0], "CSeq") == "2 CANCEL"


async def test_a_call_answered_while_it_is_taken_back_is_ended() -> None:
    async with answerer(ring_for_ever=True) as bare, Softphone.open(line(bare)) as phone:
        calling = asyncio.create_task(phone.call(bare_answerer.NUMBER))
        async for fact in phone.facts:
            if fact.what == "ringing":
                break
        bare.crosses_cancel = True
        await phone.hang_up()
        await calling
        assert (await phone.ended()).by == "caller"


async def test_a_wrong_password_is_told() -> None:
    async with answerer() as bare:
        with pytest.raises(NotRegistered):
            async with Softphone.open(line(bare, "wrong")):
                pass
    assert "wrong" not in "".join(bare.requests)


async def test_the_process_ends_with_the_block_and_hangs_up() -> None:
    async with answerer(silence(30)) as bare:
        async with Softphone.open(line(bare)) as phone:
            await phone.call(bare_answerer.NUMBER)
            left = time.monotonic()
        assert time.monotonic() - left < 2
        assert bare.bye_came_at > left
        goodbye = bare.of("REGISTER")[-1]
        assert header(goodbye, "Expires") == "0"
        assert header(goodbye, "Authorization")
    with pytest.raises(ProcessLookupError):
        os.kill(phone.pid, 0)
    with pytest.raises(CallOver):
        await phone.speak(b"\xff")
    told = [fact.what async for fact in phone.facts]
    assert told[0] == "registered"
    assert told[-1] == "hung_up"


async def test_on_the_command_line_a_call_is_shown_and_keys_are_pressed(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text(bare_answerer.PASSWORD + "\n")
    async with answerer(Sound(0.2), silence(30)) as bare:
        process = await phone_command(bare, "--password-file", str(secret), bare_answerer.NUMBER)
        assert process.stdin
        assert process.stdout
        facts = []
        async for told in process.stdout:
            facts.append(json.loads(told))
            if facts[-1].get("fact") == "answered":
                process.stdin.write(b"7")
            elif facts[-1].get("fact") == "digit_sent":
                process.stdin.write(b"h")
        assert await process.wait() == 0
    happened = [fact.get("fact") for fact in facts if "sound" not in fact.get("fact", "")]
    assert happened == ["registered", "ringing", "answered", "digit_sent", "hung_up", None]
    assert facts[-1]["report"]["reception"]["lost"] == 0


async def test_on_the_command_line_a_failed_call_is_status_one_and_a_wrong_use_two(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text(bare_answerer.PASSWORD)
    async with answerer(refuse="404 Not Found") as bare:
        refused = await phone_command(bare, "--password-file", str(secret), bare_answerer.NUMBER)
        told, _ = await refused.communicate()
        wrong = await phone_command(bare, "no number")
        await wrong.communicate()
    assert json.loads(told.splitlines()[-1]) == {"error": "404 Not Found"}
    assert (refused.returncode, wrong.returncode) == (1, 2)


async def phone_command(bare: BareAnswerer, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from callflow.cli.phone import phone; phone()"),
        *("--server", f"{bare_answerer.HOST}:{bare.port}", "--user", bare_answerer.USER, "--json"),
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
