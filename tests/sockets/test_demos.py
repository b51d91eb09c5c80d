"""The demos, as a newcomer runs them: real SIP and RTP, pyVoIP as the caller, timed at its own socket.

They are played side by side: each takes half a minute of true time, and nothing may make it shorter.
"""

import asyncio
import json
import sys
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

pytestmark = [pytest.mark.sockets, pytest.mark.timed]

LONGEST = 100.0
"""Seconds after which a demo is given up."""


@dataclass(frozen=True, slots=True)
class Played:
    status: int
    facts: list[dict[str, Any]]
    results: dict[str, dict[str, Any]]
    """By the name of the scenario."""

    def said(self, scenario: str) -> list[str]:
        return [
            fact["prompt"]
            for fact in self.facts
            if fact["fact"] == "prompt.started" and fact["scenario"] == scenario
        ]

    def last(self, scenario: str) -> dict[str, Any]:
        return [fact for fact in self.facts if fact["scenario"] == scenario][-1]


async def play(module: str, name: str, output: Path) -> Played:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, "demo", name, "--json", "--output", str(output),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(LONGEST):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert not err, err.decode()
    lines = [json.loads(line) for line in out.splitlines()]
    assert process.returncode is not None
    return Played(
        process.returncode,
        [line for line in lines if "fact" in line],
        {line["scenario"]: line for line in lines if "measures" in line},
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Played]:
    """All demos, and the silent line once more with the planted delay."""
    names = ["silent-line", "speaks-up", "no-hang-up"]
    folder = tmp_path_factory.mktemp("demos")
    plays = [play("callflow", name, folder / name) for name in names]
    plays.append(play("tests.support.late_demo", "silent-line", folder / "late"))
    played = await asyncio.gather(*plays)
    return dict(zip([*names, "late"], played, strict=True))


def pauses(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(m["rule"], m["from"], m["to"]) for m in result["measures"]]


def assert_on_time(result: dict[str, Any]) -> None:
    for measured in result["measures"]:
        if measured["at_most"]:
            assert measured["caller"] <= measured["prescribed"]
        else:
            assert measured["caller"] == pytest.approx(measured["prescribed"], abs=0.1)
        assert measured["caller"] == pytest.approx(measured["ledger"], abs=0.05)
    assert result["good"] is True


async def test_a_silent_line_is_released_with_manners(demos: dict[str, Played]) -> None:
    played = demos["silent-line"]
    assert played.status == 0
    result = played.results["silent"]
    assert pauses(result) == [
        ("csr-01", "arrival", "answer"),
        ("csr-04", "greeting", "greeting_again"),
        ("csr-04", "greeting_again", "no_sound"),
        ("csr-04", "no_sound", "hang_up"),
    ]
    assert_on_time(result)
    assert played.last("silent")["reason"] == "silent_line"


async def test_the_caller_heard_every_word(demos: dict[str, Played]) -> None:
    recording = demos["silent-line"].results["silent"]["recording"]
    with wave.open(recording) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (8000, 1, 2)
        assert sound.getnframes() / 8000 > 30


async def test_a_caller_who_speaks_is_not_hung_up_on(demos: dict[str, Played]) -> None:
    played = demos["speaks-up"]
    assert played.status == 0
    assert played.said("speaker") == ["greeting", "greeting_again", "main_menu"]
    assert (played.last("speaker")["fact"], played.last("speaker")["by"]) == ("call.ended", "caller")
    assert_on_time(played.results["speaker"])


async def test_a_phone_that_echoes_is_a_silent_line(demos: dict[str, Played]) -> None:
    played = demos["speaks-up"]
    assert played.said("echo") == ["greeting", "greeting_again", "no_sound"]
    assert played.last("echo")["reason"] == "silent_line"
    assert_on_time(played.results["echo"])


async def test_a_caller_who_stays_is_told_and_released(demos: dict[str, Played]) -> None:
    played = demos["no-hang-up"]
    assert played.status == 0
    assert pauses(played.results["stayer"])[1:] == [
        ("csr-36", "press_1_for_help", "hanging_up"),
        ("csr-36", "hanging_up", "hang_up"),
    ]
    assert_on_time(played.results["stayer"])


async def test_a_planted_delay_is_found_out(demos: dict[str, Played]) -> None:
    played = demos["late"]
    assert played.status == 1
    measured = played.results["silent"]["measures"][1]
    assert measured["good"] is False
    assert measured["caller"] == pytest.approx(5.3, abs=0.1)
