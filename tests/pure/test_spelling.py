"""One prompt of several recordings: the call hears of one beginning and one end."""

import pytest

from callflow.call.spelling import Spelling
from callflow.events import PromptFinished, PromptStarted, PromptStopped

pytestmark = pytest.mark.pure


def test_one_recording_follows_the_other_and_the_last_ends_the_prompt() -> None:
    spelling = Spelling()
    assert spelling.begin(["p?a", "p?b", "p?c"]) == "p?a"
    assert spelling.go_on(PromptStarted("p?a")) is None
    assert spelling.go_on(PromptFinished("p?a")) == "p?b"
    assert spelling.go_on(PromptStarted("p?b")) == ""
    assert spelling.go_on(PromptFinished("p?b")) == "p?c"
    assert spelling.go_on(PromptFinished("p?c")) is None


def test_the_same_digit_twice_is_played_twice() -> None:
    spelling = Spelling()
    spelling.begin(["p?1", "p?1", "p?1"])
    assert [spelling.go_on(PromptFinished("p?1")) for _ in range(3)] == ["p?1", "p?1", None]


def test_what_is_cut_short_does_not_go_on() -> None:
    spelling = Spelling()
    spelling.begin(["p?a", "p?b"])
    spelling.stop()
    assert spelling.go_on(PromptStopped("p?a")) is None
    assert spelling.go_on(PromptFinished("p?a")) is None


def test_other_prompts_are_none_of_its_business() -> None:
    spelling = Spelling()
    spelling.begin(["p?a", "p?b"])
    for event in (PromptFinished("q"), PromptStarted("q")):
        assert spelling.go_on(event) is None
