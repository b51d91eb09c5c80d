"""Music where nothing else is said: it comes back after every word, and nobody is told of it."""

import pytest

from callflow.events import PromptFinished, PromptStarted, PromptStopped
from callflow.media.messages import CloseLeg, LoadPrompt, Play, PlayMusic, StopMusic, StopPlaying
from tests.pure.media.stage import ALICE, Stage

pytestmark = pytest.mark.pure

MUSIC, WORDS, QUIET = 0x31, 0x01, 0xFF
"""The first code of what the caller is sent: of the music, of a prompt, of silence."""


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    stage.obey(LoadPrompt("music", bytes([MUSIC]) * 480, bytes([2]) * 480))
    stage.open(1)
    return stage


def sent(stage: Stage, seconds: float) -> list[int]:
    """What was heard in the next seconds: each change once."""
    since = stage.now
    stage.run(seconds)
    codes = [one.payload[0] for one in stage.to(ALICE, since)]
    return [code for index, code in enumerate(codes) if not index or codes[index - 1] != code]


def test_it_plays_over_and_over(stage: Stage) -> None:
    stage.obey(PlayMusic(1, "music"))
    assert sent(stage, 2.0) == [MUSIC]
    assert stage.heard() == []
    stage.obey(StopMusic(1))
    assert sent(stage, 0.5) == [QUIET]


def test_words_interrupt_it_and_it_comes_back(stage: Stage) -> None:
    stage.obey(PlayMusic(1, "music"))
    stage.run(0.5)
    stage.obey(Play(1, "short"))
    assert sent(stage, 1.0) == [WORDS, MUSIC]
    assert [type(event) for _, _, event in stage.heard()] == [PromptStarted, PromptFinished]
    stage.obey(Play(1, "long"))
    stage.run(0.3)
    stage.obey(StopPlaying(1))
    assert sent(stage, 0.5) == [MUSIC]
    assert [type(event) for _, _, event in stage.heard()] == [PromptStarted, PromptStopped]


def test_music_that_is_wanted_in_the_middle_of_words_waits_for_their_end(stage: Stage) -> None:
    stage.obey(Play(1, "long"))
    stage.run(0.3)
    stage.obey(PlayMusic(1, "music"))
    # A frame of silence, until it is known that the words are over.
    assert sent(stage, 1.5) == [WORDS, QUIET, MUSIC]
    stage.obey(Play(1, "long"))
    stage.run(0.3)
    stage.obey(StopMusic(1))
    assert sent(stage, 1.5) == [WORDS, QUIET]


def test_the_next_leg_in_its_place_has_none(stage: Stage) -> None:
    stage.obey(PlayMusic(1, "music"))
    stage.run(0.3)
    stage.obey(CloseLeg(1))
    stage.run(0.1)
    stage.open(2)
    assert sent(stage, 0.5) == [QUIET]
    assert stage.heard() == []
