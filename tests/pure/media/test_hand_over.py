"""From our words to a partner's and back, on a joined leg: one stream, and never both, nor neither, in it."""

import itertools

import pytest

from callflow.media.messages import Join, Play, PlayTone, StopPlaying
from tests.pure.media.pair import A, B, Pair, payloads, true_to_time, unbroken
from tests.pure.media.stage import BOB, Phone, Sent

pytestmark = pytest.mark.pure

WORDS, SPEECH, TONE_SECONDS = b"\1", b"\x10", 0.1


def gaps(sent: list[Sent]) -> float:
    """The longest time between two packets."""
    return max(two.at - one.at for one, two in itertools.pairwise(sent))


def turns(sent: list[Sent]) -> list[bytes]:
    """Whose words they are, one after the other; silence and the words' last frame left out."""
    known = [code for code in payloads(sent) if code in (WORDS, SPEECH)]
    return [code for code, _ in itertools.groupby(known)]


def speaking(offset: float) -> tuple[Pair, Phone, float]:
    """Alice speaks to Bob, her packets so far off from our own frames; since when we look at it."""
    stage = Pair()
    alice, _ = stage.meet()
    stage.obey(Join(A, B))
    stage.run(offset, 0.005)
    stage.talk(alice, 10)
    return stage, alice, stage.now - 0.1


@pytest.mark.parametrize("offset", [0.005, 0.01, 0.015])
@pytest.mark.parametrize("cut", [None, 0.02, 0.05, 0.21])
def test_speech_follows_words_that_end_or_are_cut(offset: float, cut: float | None) -> None:
    stage, alice, since = speaking(offset)
    stage.obey(Play(B, "long" if cut else "short"))
    frames = 2 if cut is None else round(cut / 0.02)
    for _ in range(frames):
        stage.talk(alice, 1)
    stage.obey(*[StopPlaying(B)] * bool(cut))
    stage.talk(alice, 20)
    heard = stage.to(BOB, since)
    assert turns(heard) == [SPEECH, WORDS, SPEECH]
    assert unbroken(heard)
    assert true_to_time(heard)
    assert gaps(heard) <= 0.04 + 1e-6
    assert payloads(heard)[-10:] == [SPEECH] * 10


def test_words_again_and_again_leave_no_trace_in_the_stream() -> None:
    stage, alice, since = speaking(0.01)
    for _ in range(5):
        stage.obey(Play(B, "long"))
        stage.talk(alice, 7)
        stage.obey(StopPlaying(B))
        stage.talk(alice, 7)
    heard = stage.to(BOB, since)
    assert turns(heard) == [SPEECH] + [WORDS, SPEECH] * 5
    assert unbroken(heard)
    assert true_to_time(heard)
    assert gaps(heard) <= 0.04 + 1e-6


def test_a_tone_is_heard_alone_and_then_the_partner_again() -> None:
    stage, alice, since = speaking(0.01)
    stage.obey(PlayTone(B, 1000.0, -20.0, TONE_SECONDS))
    stage.talk(alice, 15)
    heard = stage.to(BOB, since)
    others = [one for one in heard if set(one.payload) not in ({SPEECH[0]}, {0xFF})]
    assert len(others) == 5
    assert payloads(heard)[-8:] == [SPEECH] * 8
    assert unbroken(heard)
    assert true_to_time(heard)
    assert gaps(heard) <= 0.04 + 1e-6
