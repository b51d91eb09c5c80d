"""A fixed few of `make hear-eval`'s line checks, with our own prompts' voices: what must hold for each."""

import pytest

from callflow.codec import Law
from callflow.events import LineState
from tests.hearing.episodes import Episode
from tests.hearing.trial import Outcome, Trial

pytestmark = pytest.mark.pure

LAWS = tuple(Law)
WORDS = [
    Episode(seed, "word", LAWS[seed % 2], False, level, noise, snr)
    for seed, (level, noise, snr) in enumerate(
        [
            (-15.0, "", 99.0),
            (-40.0, "", 99.0),
            (-40.0, "white", 10.0),
            (-25.0, "white", 5.0),
            (-30.0, "pink", 5.0),
            (-20.0, "hum", 5.0),
            (-25.0, "babble", 5.0),
            (-25.0, "crackle", 5.0),
        ],
        100,
    )
]
DEAD = [
    Episode(seed, kind, LAWS[seed % 2], False, level)
    for seed, (kind, level) in enumerate(
        [
            ("idle codes", -100.0),
            ("other idle codes", -100.0),
            ("no packets", -100.0),
            ("comfort noise (RFC 3389)", -100.0),
            ("hiss", -50.0),
            ("hum", -25.0),
            ("breath", -48.0),
            ("busy tone", -15.0),
            ("dial tone", -15.0),
            ("crackle", -30.0),
            ("DC offset", -30.0),
            ("echo", -10.0),
            ("echo", -25.0),
        ],
        200,
    )
]
TALK = {
    LineState.SPEECH: Episode(300, "talk", Law.PCMA, False, -38.0),
    LineState.FAINT: Episode(301, "talk", Law.PCMU, False, -49.0),
    LineState.NOISY: Episode(302, "talk", Law.PCMA, False, -30.0, "white", -5.0),
}
AROUND = [
    Episode(seed, "talk", LAWS[seed % 2], False, -30.0, noise, -5.0)
    for seed, noise in enumerate(["siren", "car", "rain", "typing"], 400)
]
CALLED = {
    "no packets": LineState.NO_PACKETS,
    "busy tone": LineState.TONE,
    "dial tone": LineState.TONE,
}


@pytest.fixture(scope="module")
def outcomes() -> dict[int, Outcome]:
    """By the episodes' seeds; all are heard together."""
    trial = Trial([*WORDS, *DEAD, *TALK.values(), *AROUND], installed=False)
    return {outcome.episode.seed: outcome for outcome in trial.run()}


@pytest.mark.parametrize("episode", WORDS, ids=lambda episode: episode.condition)
def test_who_says_a_word_of_200_ms_is_never_hung_up_on(
    outcomes: dict[int, Outcome], episode: Episode
) -> None:
    outcome = outcomes[episode.seed]
    assert not outcome.ended
    assert not outcome.ended_without_detector


@pytest.mark.parametrize("episode", WORDS[:2], ids=lambda episode: episode.condition)
def test_a_clear_word_is_heard_while_it_is_said_or_just_after(
    outcomes: dict[int, Outcome], episode: Episode
) -> None:
    outcome = outcomes[episode.seed]
    first, last = outcome.rendered.spoken[0]
    assert outcome.sound_at is not None
    assert first < outcome.sound_at < last


@pytest.mark.parametrize("episode", DEAD, ids=lambda episode: f"{episode.kind} {episode.level:.0f}")
def test_a_dead_line_is_known_for_one(outcomes: dict[int, Outcome], episode: Episode) -> None:
    outcome = outcomes[episode.seed]
    assert outcome.sound_at is None
    assert outcome.ended
    in_a_pause = outcome.state_at(outcome.rendered.pauses[1][1] - 1)
    assert in_a_pause is CALLED.get(episode.kind, LineState.SILENT)


@pytest.mark.parametrize("state", [*TALK])
def test_what_kind_of_line_it_is_stands_before_the_pause_is_over(
    outcomes: dict[int, Outcome], state: LineState
) -> None:
    assert outcomes[TALK[state].seed].state_when_spoken is state


@pytest.mark.parametrize("episode", AROUND, ids=lambda episode: episode.noise)
def test_what_drowns_a_caller_makes_the_line_noisy(outcomes: dict[int, Outcome], episode: Episode) -> None:
    assert outcomes[episode.seed].state_when_spoken is LineState.NOISY


def test_our_words_come_back_are_told_as_an_echo(outcomes: dict[int, Outcome]) -> None:
    echo = outcomes[DEAD[-1].seed]
    assert LineState.ECHO in {state for _, state in echo.states}
