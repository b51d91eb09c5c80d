"""Prompts one after the other."""

import pytest

from callflow.actions import Say, StopSaying
from callflow.etiquette.words import Words

pytestmark = pytest.mark.pure

FIRST, SECOND = Say("first"), Say("second")


def test_the_next_prompt_waits_for_the_end_of_the_one_before() -> None:
    words = Words()
    assert not words.is_saying("first")
    assert words.say(FIRST, SECOND) == [FIRST]
    assert words.is_saying("first")
    assert not words.is_saying("second")
    assert words.go_on() == [SECOND]
    assert words.speaking
    assert words.go_on() == []
    assert not words.speaking


def test_what_is_stopped_does_not_go_on() -> None:
    words = Words()
    words.say(FIRST, SECOND)
    assert words.stop() == [StopSaying()]
    assert words.go_on() == []
    assert words.stop() == []
