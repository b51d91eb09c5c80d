"""Prompts on their way out, frame by frame."""

import numpy as np
import pytest

from callflow.media.g711 import IDLE
from callflow.media.player import Player

pytestmark = pytest.mark.pure

ULAW, ALAW = 0, 1


def audio(length: int, start: int = 0) -> bytes:
    return bytes((start + n) % 251 for n in range(length))


def player(**prompts: int) -> Player:
    new = Player(4)
    for name, length in prompts.items():
        new.load(name, audio(length, 1), audio(length, 101))
    return new


def step(of: Player, *slots: int, law: int = ULAW) -> list[tuple[bytes, bool, int]]:
    """The next frame of each slot, whether it speaks, and the samples left of a last frame."""
    out = np.empty((len(slots), 160), np.uint8)
    speaking, left = of.next_frames(np.array(slots), np.full(len(slots), law), out)
    return [
        (row.tobytes(), bool(says), int(rest)) for row, says, rest in zip(out, speaking, left, strict=True)
    ]


SILENCE = (bytes([IDLE[ULAW]]) * 160, False, 0)


def test_a_prompt_is_sent_whole_and_filled_up_with_silence() -> None:
    of = player(other=170, short=400)
    of.play(2, "short")
    frames = [step(of, 2)[0] for _ in range(4)]
    assert frames[3] == SILENCE
    assert [(speaking, left) for _, speaking, left in frames[:3]] == [(True, 0), (True, 0), (True, 80)]
    assert b"".join(data for data, _, _ in frames[:3]) == audio(400, 1) + bytes([IDLE[ULAW]]) * 80


@pytest.mark.parametrize(("length", "left"), [(1, [1]), (160, [160]), (161, [0, 1]), (320, [0, 160])])
def test_the_last_frame_tells_how_much_of_it_is_prompt(length: int, left: list[int]) -> None:
    of = player(prompt=length)
    of.play(0, "prompt")
    assert [step(of, 0)[0][2] for _ in left] == left
    assert step(of, 0) == [SILENCE]


def test_each_law_has_its_own_audio_and_silence() -> None:
    of = player(prompt=200)
    of.play(0, "prompt")
    assert step(of, 0, law=ALAW)[0][0] == audio(160, 101)
    assert step(of, 0, law=ALAW)[0][0] == audio(200, 101)[160:] + bytes([IDLE[ALAW]]) * 120


def test_slots_play_independently() -> None:
    of = player(one=320, two=320)
    of.play(0, "one")
    step(of, 0)
    of.play(3, "two")
    assert of.at_start(np.array([0, 1, 3])).tolist() == [False, False, True]
    first, silent, third = step(of, 0, 1, 3)
    assert (first[0], silent, third[0]) == (audio(320, 1)[160:], SILENCE, audio(160, 1))
    assert of.at_start(np.array([0, 1, 3])).tolist() == [False, False, False]


def test_a_prompt_may_be_stopped_or_begun_again() -> None:
    of = player(prompt=480)
    assert (of.stop(0), of.playing(0)) == (None, None)
    of.play(0, "prompt")
    step(of, 0)
    of.play(0, "prompt")
    assert step(of, 0)[0][0] == audio(160, 1)
    assert of.stop(0) == "prompt"
    assert (step(of, 0), of.stop(0)) == ([SILENCE], None)


def test_a_name_that_is_loaded_again_gets_the_new_audio() -> None:
    of = player(prompt=320)
    of.play(0, "prompt")
    step(of, 0)
    of.load("prompt", audio(160, 50), audio(160, 60))
    assert step(of, 0)[0][0] == audio(320, 1)[160:]
    of.play(0, "prompt")
    assert (of.samples("prompt"), step(of, 0)) == (160, [(audio(160, 50), True, 160)])


def test_audio_that_cannot_be() -> None:
    for ulaw, alaw in ((b"", b""), (b"ab", b"a")):
        with pytest.raises(ValueError, match="'x' is empty or of two lengths"):
            player().load("x", ulaw, alaw)
    with pytest.raises(KeyError):
        player().play(0, "unknown")
