"""What counts as a sound of the caller's: the ears against sounds whose truth is known."""

import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from callflow.codec import Law
from callflow.events import Event, Heard, LineHeard
from callflow.media import echo as echoes
from callflow.media.echo import correlation
from callflow.media.framing import Framer
from callflow.media.g711 import decode, encode
from callflow.media.hearing import Hearing
from callflow.media.levels import levels
from callflow.media.overhearing import Overhearing
from callflow.media.past import Past
from callflow.media.thresholds import Thresholds
from tests.support.rtp_packets import Samples, noise, quiet, speech, tone

pytestmark = pytest.mark.pure

FRAME = 160
SLOT = 3
WAVS = sorted((Path(__file__).parents[3] / "prompts" / "zh-CN").glob("*.wav"))
SOUND, SILENCE = Heard.SOUND, Heard.SILENCE
HUM = tone(6.0, -35.0, 100.0)
EARLY = 0.14
"""Seconds: the end of an echo that was not looked at any more may stand in a voice's window before it."""


def new_ears() -> Hearing:
    past = Past(8)
    return Hearing(past, Overhearing(past), Thresholds())


def listen(
    line: Samples,
    *,
    said: Samples | None = None,
    law: Law = Law.PCMU,
    size: int = FRAME,
    gaps: Sequence[float] = (),
    joined: bool = False,
    heard: bool = True,
) -> list[tuple[Heard, float]]:
    """What is told of a line that sounds like `line`, while `said` is played to it; times from its start.

    `gaps` are from and until when no packets come.
    """
    ears = new_ears()
    ears.open(SLOT, law, heard=heard)
    told: list[Event] = []
    slots, laws = np.array([SLOT]), np.array([law.row])
    codes, prompt = encode(line, law), encode(quiet(0.0) if said is None else said, law)
    idle = encode(np.zeros(FRAME, np.int16), law)
    for at in range(80, len(codes) + 1, 80):
        now = at / 8000
        if at % FRAME == 0:
            sent = prompt[at - FRAME : at]
            speaking = np.array([len(sent) == FRAME])
            ears.sent(slots, np.array([sent if speaking[0] else idle]), speaking, now)
        paused = any(start <= now < end for start, end in zip(gaps[::2], gaps[1::2], strict=True))
        if at % size == 0 and not paused:
            payload = np.full((1, 500), 0x2A, np.uint8)
            payload[0, :size] = codes[at - size : at]
            ears.received(slots, payload, np.array([size]), laws, now)
        told += [event for _, event in ears.tick(now, np.full(8, joined))]
    return [(event.heard, event.since) for event in told if isinstance(event, LineHeard)]


def near(told: list[tuple[Heard, float]], *truth: tuple[Heard, float]) -> bool:
    """Whether what is told is the truth, within 60 ms."""
    return [heard for heard, _ in told] == [heard for heard, _ in truth] and all(
        abs(since - true) <= 0.06 for (_, since), (_, true) in zip(told, truth, strict=True)
    )


def together(*parts: Samples) -> Samples:
    return np.concatenate(parts)


def mixed(one: Samples, other: Samples) -> Samples:
    length = max(len(one), len(other))
    wide = sum(np.pad(part.astype(np.int32), (0, length - len(part))) for part in (one, other))
    return np.clip(wide, -32768, 32767).astype(np.int16)


def word(level: float, seed: int) -> Samples:
    """200 ms of a voice, as one says 喂."""
    return speech(0.2, level, seed)


def echo(said: Samples, decibels: float, milliseconds: int) -> Samples:
    """The line gives our own words back, quieter and later, over its own hiss."""
    quieter = (decode(encode(said, Law.PCMU), Law.PCMU) * 10 ** (decibels / 20)).astype(np.int16)
    late = together(quiet(milliseconds / 1000), quieter)
    return mixed(late, noise(len(late) / 8000, -66.0, 9))


def prompts() -> list[Samples]:
    """Our own words: some of the real ones where they have been built, else something like them."""
    real = [_read(path) for path in WAVS[:: max(len(WAVS) // 4, 1)][:4]]
    return real or [speech(3.0, -20.0, seed) for seed in (1, 2, 3, 4)]


def _read(path: Path) -> Samples:
    with wave.open(str(path)) as audio:
        assert (audio.getframerate(), audio.getsampwidth(), audio.getnchannels()) == (8000, 2, 1)
        return np.frombuffer(audio.readframes(audio.getnframes()), "<i2").astype(np.int16)


@pytest.mark.parametrize("law", list(Law))
@pytest.mark.parametrize("level", [-12.0, -25.0, -42.0])
def test_a_word_of_200_ms_is_heard(level: float, law: Law) -> None:
    for seed in range(6):
        told = listen(together(quiet(1.013), word(level, seed), quiet(1.0)), law=law)
        assert near(told, (SOUND, 1.013), (SILENCE, 1.213))


@pytest.mark.parametrize("hertz", [350.0, 425.0, 450.0, 1100.0, 2100.0])
@pytest.mark.parametrize("milliseconds", [100, 200, 350, 1000])
def test_a_tone_is_no_person(hertz: float, milliseconds: int) -> None:
    for begins in (1.0, 1.007, 1.013):
        beep = tone(milliseconds / 1000, -15.0, hertz)
        assert listen(together(quiet(begins), beep, quiet(0.35), beep, quiet(1.0))) == []


@pytest.mark.parametrize("hertz", [110.0, 187.5, 237.5, 275.0, 320.0])
def test_who_hums_in_answer_is_a_person(hertz: float) -> None:
    hum = mixed(tone(0.2, -33.0, hertz), tone(0.2, -45.0, 2 * hertz))
    for begins in (1.0, 1.007, 1.013):
        told = listen(together(quiet(begins), hum, quiet(1.0)))
        assert near(told, (SOUND, begins), (SILENCE, begins + 0.2))


@pytest.mark.parametrize("law", list(Law))
@pytest.mark.parametrize("level", [-28.0, -20.0, -12.0])
def test_a_dc_offset_is_no_sound(level: float, law: Law) -> None:
    offset = np.int16(32768 * 10 ** (level / 20))
    for seed in range(4):
        assert listen(noise(8.0, -63.0, seed) + offset, law=law) == []


@pytest.mark.parametrize("level", [-8.0, -30.0, -45.0])
def test_a_burst_of_noise_is_no_person(level: float) -> None:
    for seconds in (0.2, 0.5, 3.0):
        assert listen(together(quiet(1.0), noise(seconds, level), quiet(1.0))) == []


@pytest.mark.parametrize("milliseconds", [10, 40])
def test_a_click_is_no_sound(milliseconds: int) -> None:
    click = noise(milliseconds / 1000, -10.0)
    line = together(quiet(1.0), click, quiet(0.3), click, quiet(0.3), click, quiet(1.0))
    assert listen(line) == []


@pytest.mark.parametrize("line", [quiet(3.0), noise(3.0, -60.0), noise(3.0, -40.0), HUM, tone(3.0, -52.0)])
def test_silence_hiss_and_hum_are_no_sound(line: Samples) -> None:
    assert listen(line) == []


def test_a_voice_is_heard_over_a_hum() -> None:
    voice = together(quiet(2.0), speech(0.5, -20.0, 3), quiet(2.0))
    assert near(listen(mixed(HUM[:36_000], voice)), (SOUND, 2.0), (SILENCE, 2.5))


def test_the_gaps_inside_a_sentence_are_no_silence() -> None:
    said = word(-20.0, 3)
    one = together(quiet(1.0), said, quiet(0.35), said, quiet(1.0))
    assert near(listen(one), (SOUND, 1.0), (SILENCE, 1.75))
    two = together(quiet(1.0), said, quiet(0.55), said, quiet(1.0))
    assert near(listen(two), (SOUND, 1.0), (SILENCE, 1.2), (SOUND, 1.75), (SILENCE, 1.95))


def test_no_packets_at_all_are_silence_after_400_ms() -> None:
    ears = new_ears()
    ears.open(0, Law.PCMU)
    codes = encode(together(quiet(0.32), speech(0.2, -20.0, 3)), Law.PCMU).reshape(-1, FRAME)
    for n, frame in enumerate(codes):
        ears.received(np.array([0]), frame[None], np.array([160]), np.array([0]), n * 0.02)
        ears.tick(n * 0.02)
    assert ears.tick(0.5 + 0.39) == []
    assert ears.tick(0.5 + 0.41) == [(0, LineHeard(SILENCE, 0.5))]
    assert [event for _, event in ears.tick(1.2) if isinstance(event, LineHeard)] == []
    paused = listen(together(quiet(0.3), speech(3.0, -20.0, 3)), gaps=(1.5, 2.5))
    assert near(paused, (SOUND, 0.3), (SILENCE, 1.5), (SOUND, 2.5))


@pytest.mark.parametrize("size", [80, 160, 240, 320, 480])
def test_packets_of_other_lengths_are_heard_too(size: int) -> None:
    line = together(quiet(2.0), speech(1.0, -20.0, 3), quiet(2.0))
    assert near(listen(line, size=size), (SOUND, 2.0), (SILENCE, 3.0))


@pytest.mark.parametrize("size", [80, 240, 320])
def test_an_echo_in_packets_of_other_lengths_is_known_and_a_voice_in_it_heard(size: int) -> None:
    for seed, prompt in enumerate(prompts(), 20):
        said = together(quiet(1.0), prompt, quiet(1.0))
        back = echo(said, -10.0, 120)
        assert listen(back, said=said, size=size) == []
        voice = together(quiet(2.0), speech(0.8, -18.0, seed), quiet(1.0))
        told = listen(mixed(back, voice), said=said, size=size)
        assert told[0][0] is SOUND
        assert 2.0 - EARLY <= told[0][1] <= 2.5


def test_packets_that_change_their_length_lose_nothing() -> None:
    framer = Framer(4)
    stream = np.random.default_rng(5).integers(0, 256, 8000, np.uint8)
    at, cut = 0, []
    for size in [160, 80, 240, 320, 33, 160, 400, 160, 160, 447]:
        payload = np.zeros((1, 500), np.uint8)
        payload[0, :size] = stream[at : at + size]
        at += size
        cut += [frames[0] for _, frames in framer.cut(np.array([2]), payload, np.array([size]))]
    assert np.concatenate(cut).tolist() == stream[: at // FRAME * FRAME].tolist()


@pytest.mark.parametrize("milliseconds", [40, 95, 170, 300])
@pytest.mark.parametrize("decibels", [-6.0, -20.0])
def test_our_own_words_coming_back_are_no_sound(decibels: float, milliseconds: int) -> None:
    for prompt in prompts():
        said = together(quiet(1.0), prompt, quiet(1.0))
        assert listen(echo(said, decibels, milliseconds), said=said) == []


def test_an_echo_is_looked_for_everywhere_but_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it is known how far behind it is, and what is looked at is one place."""
    searches: list[float] = []

    def counted(heard: NDArray[np.float32], said: NDArray[np.float32]) -> tuple[float, int]:
        likeness, place = correlation(heard, said)
        searches.append(likeness)
        return likeness, place

    monkeypatch.setattr(echoes, "correlation", counted)
    said = together(quiet(1.0), speech(4.0, -20.0, 8))
    assert listen(echo(said, -6.0, 120), said=said) == []
    assert len(searches) == 1


def test_an_echo_that_comes_later_than_before_is_known_again() -> None:
    said = together(quiet(1.0), speech(2.0, -20.0, 5), quiet(0.3), speech(2.0, -20.0, 6), quiet(1.0))
    moved = echo(said, -10.0, 60)
    # Buffers grow while nobody speaks.
    moved[25_000:] = echo(said, -10.0, 310)[25_000 : len(moved)]
    assert listen(moved, said=said) == []


def test_a_voice_is_heard_where_an_echo_was_found_before() -> None:
    said = together(quiet(1.0), speech(4.0, -20.0, 7))
    line = echo(said, -6.0, 120)
    line[24_000:] = together(speech(1.0, -18.0, 70), quiet(2.0))[: len(line) - 24_000]
    told = listen(line, said=said)
    assert told[0][0] is SOUND
    assert 3.0 - EARLY <= told[0][1] <= 3.2


@pytest.mark.parametrize("milliseconds", [40, 300])
@pytest.mark.parametrize("decibels", [-6.0, -20.0])
def test_a_voice_is_heard_through_our_own_words(decibels: float, milliseconds: int) -> None:
    for seed, prompt in enumerate(prompts(), 20):
        said = together(quiet(1.0), prompt, quiet(1.0))
        voice = together(quiet(2.0), speech(0.8, -18.0, seed), quiet(1.0))
        told = listen(mixed(echo(said, decibels, milliseconds), voice), said=said)
        assert told[0][0] is SOUND
        assert 2.0 - EARLY <= told[0][1] <= 2.5


def test_a_voice_in_answer_to_our_words_is_heard_at_once() -> None:
    for prompt in prompts():
        said = together(quiet(1.0), prompt)
        end = len(said) / 8000 + 0.1
        line = together(quiet(end), speech(0.6, -20.0, 30), quiet(1.0))
        told = listen(line, said=said)
        assert near(told[:1], (SOUND, end))


@pytest.mark.parametrize("level", [-26.0, -23.0])
def test_a_short_word_as_loud_as_the_echo_is_heard(level: float) -> None:
    for seed in range(40, 44):
        said = together(quiet(1.0), speech(3.0, -20.0, seed), quiet(1.0))
        word = together(quiet(2.0), speech(0.3, level, seed + 100), quiet(1.0))
        assert SOUND in dict(listen(mixed(echo(said, -6.0, 120), word), said=said))


def test_likeness_knows_a_delayed_copy_whatever_its_level() -> None:
    def alike(heard: NDArray[np.floating], said: NDArray[np.floating]) -> float:
        return correlation(heard.astype(np.float32), said.astype(np.float32))[0]

    said = speech(0.64, -20.0) / 32768
    other = noise(0.16, -20.0) / 32768
    late = said[1777 : 1777 + 1280]
    assert alike(0.1 * late, said) == pytest.approx(1.0, abs=1e-4)
    assert alike(-3.0 * late, said) == pytest.approx(1.0, abs=1e-4)
    assert alike(other, said) < 0.3
    assert 0.6 < alike(late / np.std(late) + other / np.std(other), said) < 0.8
    assert alike(other, 0 * said) == alike(0 * other, said) == 0.0


def test_a_new_leg_is_not_compared_with_what_was_said_to_the_one_before() -> None:
    ears = new_ears()
    ears.open(0, Law.PCMU)
    slots, laws, yes = np.array([0]), np.array([0]), np.array([True])
    words = encode(speech(0.64, -15.0), Law.PCMU).reshape(32, FRAME)
    for n, frame in enumerate(words):
        ears.sent(slots, frame[None], yes, n * 0.02)
    ears.open(0, Law.PCMU)
    idle = encode(quiet(0.02), Law.PCMU)[None]
    ears.sent(slots, idle, yes, 0.7)
    told = []
    for n in range(34):
        # They begin while the noise floor is still being learned: at the onset all of the window is words.
        frame = idle if n < 7 else words[n - 4][None]
        ears.received(slots, frame, np.array([FRAME]), laws, 0.7 + 0.015 * n)
        told += ears.tick(0.7 + 0.015 * n)
    assert [event.heard for _, event in told if isinstance(event, LineHeard)] == [SOUND]


def test_the_level_of_a_frame() -> None:
    sine = tone(0.02, -20.0)
    frames = np.stack([encode(sine, Law.PCMU), encode(sine, Law.PCMA), np.full(160, 0xFF, np.uint8)])
    near = pytest.approx(-20.0, abs=0.5)
    assert levels(frames, np.array([0, 1, 0])).tolist() == [near, near, pytest.approx(-100.0)]
    assert levels(frames[[0, 2]], np.array([0, 0])).tolist() == [near, pytest.approx(-100.0)]


def test_a_line_that_is_joined_is_heard_a_little_later_and_one_that_nobody_asks_about_not_at_all() -> None:
    line = np.concatenate([quiet(1.0), speech(2.0, -20.0), quiet(1.0)])
    alone, joined = listen(line), listen(line, joined=True)
    assert alone[0][0] is joined[0][0] is SOUND
    assert 0 <= joined[0][1] - alone[0][1] <= 0.32
    assert listen(line, heard=False) == []
