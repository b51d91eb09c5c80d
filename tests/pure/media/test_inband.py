"""Tones in the audio: what is a key and what is not (the figures are those of ITU-T Q.24)."""

import numpy as np
import pytest
from numpy.typing import NDArray

from callflow import resources
from callflow.adapters.prompts import PromptLibrary
from callflow.codec import Law
from callflow.events import DigitPressed
from callflow.media.g711 import encode
from callflow.media.inband import InBand
from callflow.media.messages import HearTones, IgnoreTones, OpenLeg
from tests.pure.media.stage import ALICE, Phone, Stage

pytestmark = pytest.mark.pure

ROWS, COLUMNS, KEYS = (697, 770, 852, 941), (1209, 1336, 1477, 1633), ("123A", "456B", "789C", "*0#D")
EVERY = [(key, r, c) for row, r in zip(KEYS, ROWS, strict=True) for key, c in zip(row, COLUMNS, strict=True)]
Audio = NDArray[np.float64]


def tone(low: float, high: float, seconds: float, *, level: float = -10.0, twist: float = 0.0) -> Audio:
    """Two tones of `level` dBFS each; the upper one louder by `twist` dB."""
    at = np.arange(round(seconds * 8000)) / 8000
    lower = np.sin(2 * np.pi * low * at) * 10 ** (level / 20)
    return np.asarray(lower + np.sin(2 * np.pi * high * at) * 10 ** ((level + twist) / 20))


def quiet(seconds: float) -> Audio:
    return np.zeros(round(seconds * 8000))


def heard(audio: Audio, law: Law = Law.PCMU, packet: int = 160, skip: int = 0) -> str:
    """The keys that are heard in it, in packets of that length."""
    ears = InBand(2)
    ears.listen(1)
    codes = encode(np.clip(audio * 32767, -32768, 32767).astype(np.int16), law)[skip:]
    found = ""
    for start in range(0, len(codes) - packet, packet):
        sizes = np.array([packet])
        block = codes[start : start + packet][None, :]
        for slot, key in ears.received(np.array([1]), block, sizes, np.array([law.row])):
            assert slot == 1
            found += key
    return found


@pytest.mark.parametrize("law", list(Law))
@pytest.mark.parametrize(("key", "low", "high"), EVERY)
def test_every_key_is_known_in_both_laws(key: str, low: int, high: int, law: Law) -> None:
    assert heard(np.concatenate([quiet(0.1), tone(low, high, 0.08), quiet(0.1)]), law) == key


@pytest.mark.parametrize("skip", range(0, 160, 10))
def test_a_tone_of_40_ms_is_a_key_wherever_it_begins(skip: int) -> None:
    assert heard(np.concatenate([quiet(0.1), tone(770, 1336, 0.04), quiet(0.1)]), skip=skip) == "5"


@pytest.mark.parametrize("skip", range(0, 160, 10))
def test_a_tone_of_20_ms_is_none(skip: int) -> None:
    assert heard(np.concatenate([quiet(0.1), tone(770, 1336, 0.02), quiet(0.1)]), skip=skip) == ""


@pytest.mark.parametrize("packet", [80, 160, 240, 320, 77])
def test_packets_of_any_length_make_no_difference(packet: int) -> None:
    audio = np.concatenate(
        [quiet(0.1), *(np.concatenate([tone(852, 1477, 0.06), quiet(0.06)]),) * 3, quiet(0.2)]
    )
    assert heard(audio, packet=packet) == "999"


def test_a_long_press_is_one_key() -> None:
    assert heard(np.concatenate([tone(697, 1209, 3.0), quiet(0.2)])) == "1"


def test_one_key_after_the_other_without_a_pause() -> None:
    assert heard(np.concatenate([tone(697, 1209, 0.1), tone(697, 1336, 0.1), quiet(0.2)])) == "12"


@pytest.mark.parametrize("shift", [-0.015, 0.015])
def test_tones_that_are_a_little_off(shift: float) -> None:
    audio = np.concatenate([quiet(0.1), tone(852 * (1 + shift), 1336 * (1 + shift), 0.1), quiet(0.1)])
    assert heard(audio) == "8"


@pytest.mark.parametrize("off", [0.035, -0.035])
def test_tones_that_are_far_off_are_none(off: float) -> None:
    audio = np.concatenate([quiet(0.1), tone(852 * (1 + off), 1336 * (1 + off), 0.3), quiet(0.1)])
    assert heard(audio) == ""


@pytest.mark.parametrize("twist", [-7.0, -4.0, 4.0, 8.0])
def test_one_tone_may_be_louder(twist: float) -> None:
    assert heard(np.concatenate([tone(941, 1336, 0.1, level=-20.0, twist=twist), quiet(0.1)])) == "0"


@pytest.mark.parametrize(("level", "key"), [(-3.0, "#"), (-25.0, "#"), (-31.0, "#"), (-45.0, "")])
def test_how_loud_a_key_is(level: float, key: str) -> None:
    assert heard(np.concatenate([tone(941, 1477, 0.1, level=level), quiet(0.1)])) == key


def test_through_noise() -> None:
    noise = np.random.default_rng(1).normal(0, 10 ** (-30 / 20), 8000)
    noise[2000:2800] += tone(770, 1477, 0.1, level=-12.0)
    assert heard(noise) == "6"


@pytest.mark.parametrize("seed", range(5))
def test_noise_and_single_tones_are_no_keys(seed: int) -> None:
    random = np.random.default_rng(seed)
    assert heard(random.normal(0, 0.2, 80_000)) == ""
    assert heard(tone(450, 450, 2.0)) == heard(tone(697, 697, 1.0)) == heard(tone(1000, 1336, 1.0)) == ""


def test_our_own_voices_press_no_keys() -> None:
    """All that our prompts say, some minutes of Mandarin: talk-off would be a wrong consent."""
    library = PromptLibrary.load(resources.PROMPTS)
    seconds, wrong = 0.0, ""
    for key in sorted(library.keys):
        if library.fields(key):
            continue
        spoken = library.pcm(key, {}).astype(np.float64) / 32768
        seconds += len(spoken) / 8000
        wrong += heard(spoken)
    assert seconds > 20
    assert wrong == ""


def test_who_does_not_listen_hears_nothing() -> None:
    ears = InBand(2)
    codes = encode((tone(697, 1209, 0.2) * 32767).astype(np.int16), Law.PCMA)
    args = np.array([160]), np.array([Law.PCMA.row])
    assert not ears.any
    for start in range(0, 1600, 160):
        assert ears.received(np.array([0]), codes[start : start + 160][None, :], *args) == []
    ears.listen(0)
    assert ears.any
    ears.ignore(0)
    assert not ears.any


def test_the_plane_tells_of_a_key_only_while_it_is_asked_for() -> None:
    stage = Stage()
    stage.obey(OpenLeg(1, 0, Law.PCMU, None, ALICE, ("192.0.2.1",)))
    phone = Phone(stage, ALICE)
    codes = encode((tone(770, 1336, 0.1) * 32767).astype(np.int16), Law.PCMU).tobytes()

    def press() -> list[str]:
        for start in range(0, 800, 160):
            phone.say(codes[start : start + 160])
        stage.run(0.1)
        told = [event.digit for _, _, event in stage.told if isinstance(event, DigitPressed)]
        stage.told.clear()
        return told

    assert press() == []
    stage.obey(HearTones(1))
    assert press() == ["5"]
    stage.obey(IgnoreTones(1))
    assert press() == []
