"""The demos of one caller, as a newcomer runs them: pyVoIP calls, and times what it hears at its socket.

They are played side by side: each takes half a minute of true time, and nothing may make it shorter.
"""

import wave
from typing import Any

import pytest

from tests.support.demos import Demos, assert_on_time

pytestmark = [pytest.mark.sockets, pytest.mark.timed, pytest.mark.acceptance]


def pauses(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(m["rule"], m["from"], m["to"]) for m in result["measures"]]


def test_a_silent_line_is_released_with_manners(demos: Demos) -> None:
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
    assert played.ended("silent")["reason"] == "silent_line"


def test_the_caller_heard_every_word(demos: Demos) -> None:
    recording = demos["silent-line"].results["silent"]["recording"]
    with wave.open(recording) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (8000, 1, 2)
        assert sound.getnframes() / 8000 > 30


def test_a_caller_who_speaks_is_not_hung_up_on(demos: Demos) -> None:
    played = demos["speaks-up"]
    assert played.status == 0
    assert played.said("speaker") == ["greeting", "greeting_again", "main_menu"]
    assert played.ended("speaker")["by"] == "caller"
    assert_on_time(played.results["speaker"])


def test_a_phone_that_echoes_is_a_silent_line(demos: Demos) -> None:
    played = demos["speaks-up"]
    assert played.said("echo") == ["greeting", "greeting_again", "no_sound"]
    assert played.ended("echo")["reason"] == "silent_line"
    assert_on_time(played.results["echo"])


def test_a_caller_who_stays_is_told_and_released(demos: Demos) -> None:
    played = demos["no-hang-up"]
    assert played.status == 0
    assert pauses(played.results["stayer"])[1:] == [
        ("csr-36", "press_1_for_help", "hanging_up"),
        ("csr-36", "hanging_up", "hang_up"),
    ]
    assert_on_time(played.results["stayer"])


def test_a_planted_delay_is_found_out(demos: Demos) -> None:
    played = demos["late"]
    assert played.status == 1
    measured = played.results["silent"]["measures"][1]
    assert measured["good"] is False
    assert measured["caller"] == pytest.approx(5.3, abs=0.1)
