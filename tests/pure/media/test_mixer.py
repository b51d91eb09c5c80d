"""Three who hear each other: each the sum of the others, never himself, and never clipped."""

import numpy as np
import pytest
from numpy.typing import NDArray

from callflow.codec import Law
from callflow.media.g711 import decode, encode
from callflow.media.messages import CloseLeg, Confer, Join, KeepFrom, Part, ShutGate
from tests.pure.media.stage import Phone, Stage
from tests.support.rtp_packets import tone

pytestmark = pytest.mark.pure

PLACES = [("192.0.2.1", 4000), ("192.0.2.2", 4000), ("192.0.2.3", 4000)]
HERTZ = [400, 700, 1100]
LAWS = [Law.PCMU, Law.PCMA, Law.PCMU]


def conference() -> tuple[Stage, list[Phone]]:
    stage = Stage()
    for leg, (place, law) in enumerate(zip(PLACES, LAWS, strict=True)):
        stage.open(leg, place, law=law)
        stage.run(0.005, 0.005)
    phones = [
        Phone(stage, place, law.payload_type, ssrc=leg)
        for leg, (place, law) in enumerate(zip(PLACES, LAWS, strict=True))
    ]
    return stage, phones


def talk(stage: Stage, phones: list[Phone], level: float, seconds: float = 1.0) -> None:
    lines = [encode(tone(seconds, level, hertz), law) for hertz, law in zip(HERTZ, LAWS, strict=True)]
    stage.sent.clear()
    for at in range(0, round(seconds * 8000), 160):
        for phone, line in zip(phones, lines, strict=True):
            phone.say(line[at : at + 160].tobytes())
        stage.run(0.02, 0.005)


def heard(stage: Stage, leg: int) -> NDArray[np.float64]:
    """The second half of what the leg heard."""
    codes = np.frombuffer(b"".join(one.payload for one in stage.to(PLACES[leg])), np.uint8)
    return decode(codes[-4000:], LAWS[leg]).astype(np.float64)


def tones_in(samples: NDArray[np.float64]) -> list[bool]:
    spectrum = np.abs(np.fft.rfft(samples)) / len(samples)
    return [bool(spectrum[hertz * len(samples) // 8000] > 200) for hertz in HERTZ]


def test_everybody_hears_the_others_and_not_himself() -> None:
    stage, phones = conference()
    stage.obey(Confer(0, (1, 2)))
    talk(stage, phones, -20.0)
    assert [tones_in(heard(stage, leg)) for leg in range(3)] == [
        [False, True, True],
        [True, False, True],
        [True, True, False],
    ]


def test_two_who_shout_together_are_limited_and_not_clipped() -> None:
    stage, phones = conference()
    stage.obey(Confer(0, (1, 2)))
    talk(stage, phones, -4.0)
    samples = heard(stage, 0)
    assert np.abs(samples).max() <= 32635
    spectrum = np.abs(np.fft.rfft(samples)) ** 2
    wanted = sum(spectrum[hertz // 2 - 2 : hertz // 2 + 3].sum() for hertz in HERTZ[1:])
    assert wanted / spectrum.sum() > 0.98


def test_who_listens_or_whispers_is_heard_by_none_or_one() -> None:
    stage, phones = conference()
    everybody = [[False, True, True], [True, False, True], [True, True, False]]
    for kept_from, hears in (
        ((0, 1), [[False, True, False], [True, False, False], [True, True, False]]),
        ((0,), [[False, True, False], [True, False, True], [True, True, False]]),
        ((), everybody),
    ):
        stage.obey(Confer(0, (1, 2)), KeepFrom(2, kept_from))
        talk(stage, phones, -20.0)
        assert [tones_in(heard(stage, leg)) for leg in range(3)] == hears
    stage.obey(KeepFrom(2, (0, 1)), Confer(0, (1, 2)))
    talk(stage, phones, -20.0)
    assert [tones_in(heard(stage, leg)) for leg in range(3)] == everybody, "who confers anew is heard by all"


def test_who_is_gated_parted_or_closed_is_not_heard() -> None:
    stage, phones = conference()
    stage.obey(Confer(0, (1, 2)), ShutGate(2))
    talk(stage, phones, -20.0)
    assert [tones_in(heard(stage, leg)) for leg in (0, 1)] == [[False, True, False], [True, False, False]]
    stage.obey(Part(1))
    talk(stage, phones, -20.0)
    assert [tones_in(heard(stage, leg)) for leg in range(3)] == [
        [False] * 3,
        [False] * 3,
        [True, False, False],
    ]
    stage.obey(Confer(0, (1, 2)), Join(0, 1))
    talk(stage, phones, -20.0)
    assert [tones_in(heard(stage, leg)) for leg in range(3)] == [
        [False, True, False],
        [True, False, False],
        [False] * 3,
    ]
    stage.obey(CloseLeg(0), Confer(1, (0,)), Confer(1, (1,)))
    assert stage.plane.counts["impossible_command"] == 2
