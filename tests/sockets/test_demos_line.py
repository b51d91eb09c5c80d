"""The demos of lines on which nobody is made out, or only when asked: pyVoIP calls with ready µ-law."""

import pytest

from tests.support.demos import Demos, assert_on_time

pytestmark = [pytest.mark.sockets, pytest.mark.timed, pytest.mark.long, pytest.mark.acceptance]


def test_a_noisy_line_is_told_and_released(demos: Demos) -> None:
    played = demos["noisy-line"]
    assert played.status == 0
    assert played.said("noisy") == ["greeting", "too_noisy"]
    assert [fact["alive"] for fact in played.told("opinion.given")] == [False]
    assert played.ended("noisy")["rule"] == "csr-07"
    assert_on_time(played.results["noisy"])


def test_a_quiet_caller_is_asked_told_and_released(demos: Demos) -> None:
    played = demos["quiet-line"]
    assert played.status == 0
    assert played.said("quiet") == ["greeting", "speak_up", "too_quiet"]
    measured = {(m["from"], m["to"]) for m in played.results["quiet"]["measures"]}
    assert {("speak_up", "too_quiet"), ("too_quiet", "hang_up")} <= measured
    assert played.ended("quiet")["rule"] == "csr-06"
    assert_on_time(played.results["quiet"])


def test_a_quiet_caller_who_speaks_up_is_served(demos: Demos) -> None:
    played = demos["quiet-line-speaks-up"]
    assert played.status == 0
    assert played.said("quiet-then-clear") == ["greeting", "speak_up", "main_menu"]
    assert [fact["why"] for fact in played.told("line_check.stopped")] == ["speech"]
    assert played.ended("quiet-then-clear")["by"] == "caller"


def test_a_silent_line_in_the_words_of_the_gas_hotline(demos: Demos) -> None:
    played = demos["silent-gas"]
    assert played.status == 0
    assert played.said("silent")[1:] == [
        "gas_connected",
        "gas_connected_please_speak",
        "gas_cannot_hear_redial",
    ]
    assert played.ended("silent")["rule"] == "gas-05"
    assert_on_time(played.results["silent"])


def test_callers_of_a_trunk_that_lets_nothing_through_are_told_no_untruth(demos: Demos) -> None:
    played = demos["one-way-trunk"]
    assert played.status == 0
    assert played.said("one-way") == ["greeting", "greeting_again", "line_trouble"]
    assert_on_time(played.results["one-way"])


def test_a_seat_is_heard_louder_and_has_its_caller_told(demos: Demos) -> None:
    played = demos["noisy-line-by-seat"]
    assert played.status == 0
    usual, louder = (tone["level_db"] for tone in played.result["tones"])
    assert louder - usual == pytest.approx(6.0, abs=0.5)
    assert [fact["by"] for fact in played.told("line_check.begun")] == ["seat"]
    assert played.ended("by-seat")["rule"] == "csr-07"
    assert_on_time(played.result)
