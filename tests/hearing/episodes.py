"""Line checks as csr-04 has them: greeting, 5 s, greeting_again, 5 s, no_sound, 5 s; and what the line does.

What we say and what comes back are rendered beforehand, by frames of 20 ms: nobody's answer changes them,
because a sound ends the check.
"""

import functools
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow import config
from callflow.codec import RATE, Law
from callflow.media.g711 import IDLE, LINEAR, encode_row
from callflow.media.rtp import FRAME
from tests.hearing import noises
from tests.hearing.voices import Voices, Wave, voices

SEQUENCE: Final = ("greeting", "greeting_again", "no_sound")
LEAD: Final = 0.6
"""Seconds from the first packet to our first word."""
PAUSE: Final = 5.0
AUDIO, NOTHING, COMFORT = 1, 0, 2
"""What a phone may send in 20 ms: a packet of audio, nothing, or comfort noise (RFC 3389)."""
_CODES: Final = np.uint8


@dataclass(frozen=True, slots=True)
class Episode:
    """One line check: what kind of line it is, and all that decides how it sounds."""

    seed: int
    kind: str
    """`word`, `talk`, `faint`, or the name of a dead line."""
    law: Law
    held_out: bool
    level: float = -100.0
    """dBFS of the active speech, or of the dead line's sound."""
    noise: str = ""
    snr: float = 99.0
    loss: float = 0.0
    """Share of the packets that never come, in bursts."""

    @property
    def lives(self) -> bool:
        return self.kind in ("word", "talk")

    @property
    def condition(self) -> str:
        if not self.lives:
            return self.kind
        if not self.noise:
            return f"{self.kind}, clean"
        return f"{self.kind} in {self.noise} at {self.snr:.0f} dB"


@dataclass(slots=True)
class Rendered:
    """An episode as frames."""

    said: NDArray[np.uint8]
    """[frame, 160] codes that we send."""
    speaking: NDArray[np.bool_]
    line: NDArray[np.uint8]
    """[frame, 160] codes that come."""
    sends: NDArray[np.uint8]
    """[frame] `AUDIO`, `NOTHING` or `COMFORT`."""
    pauses: list[tuple[int, int]] = field(default_factory=list)
    """First and last frame of each."""
    spoken: list[tuple[int, int]] = field(default_factory=list)
    """Of the pauses in which the caller speaks."""
    word: tuple[int, int] = (0, 0)
    """First and last frame of the only word, where there is but one."""

    @property
    def came(self) -> bool:
        """Whether at least half of the only word arrived: nobody hears what was lost on the way."""
        first, last = self.word
        return first == last or bool((self.sends[first:last] == AUDIO).mean() >= 0.5)


@functools.cache
def our_words() -> dict[str, Wave]:
    """The recordings of the sequence, as a call would hear them."""
    setup = config.default()
    words: dict[str, Wave] = {}
    for name in SEQUENCE:
        pcm = setup.prompts.pcm(name, setup.config.fields)
        words[name] = np.asarray(pcm, np.float32) / np.float32(32768)
    return words


@functools.cache
def _timeline() -> tuple[Wave, tuple[tuple[int, int], ...]]:
    """Our side in samples, and the pauses in it."""
    parts: list[Wave] = [np.zeros(int(LEAD * RATE), np.float32)]
    pauses: list[tuple[int, int]] = []
    for words in our_words().values():
        parts.append(np.pad(words, (0, -len(words) % FRAME)))
        begin = sum(map(len, parts))
        parts.append(np.zeros(int(PAUSE * RATE), np.float32))
        pauses.append((begin, begin + int(PAUSE * RATE)))
    return np.concatenate(parts), tuple(pauses)


def coded(wave: Wave, law: Law) -> NDArray[np.uint8]:
    samples = np.clip(np.rint(wave * 32768), -32768, 32767).astype(np.int16)
    return encode_row(samples, law.row)


def decibels(level: float) -> np.float32:
    return np.float32(10 ** (level / 20))


def render(episode: Episode, *, installed: bool = True) -> Rendered:
    random = np.random.default_rng(episode.seed)
    ours, pauses = _timeline()
    said = coded(ours, episode.law)
    speaking = np.abs(ours).reshape(-1, FRAME).max(1) > 0
    # A prompt is spoken of as such from its first frame to its last, its own pauses too.
    begun = [int(LEAD * RATE), *(end for _, end in pauses)]
    for first, (end, _) in zip(begun, pauses, strict=False):
        speaking[first // FRAME : end // FRAME] = True
    people = voices(held_out=episode.held_out, installed=installed)
    if episode.lives:
        line, spoken, word = _living(episode, random, len(ours), pauses, people, installed=installed)
        codes, sends = coded(line, episode.law), np.full(len(ours) // FRAME, AUDIO, np.uint8)
    else:
        spoken, word = [], (0, 0)
        codes, sends = _dead(episode, random, said, len(ours))
    sends = _lossy(sends, episode.loss, random)
    frames = [(start // FRAME, end // FRAME) for start, end in pauses]
    return Rendered(
        said.reshape(-1, FRAME),
        speaking,
        codes.reshape(-1, FRAME),
        sends,
        frames,
        [frames[n] for n in spoken],
        word,
    )


def _living(
    episode: Episode,
    random: np.random.Generator,
    count: int,
    pauses: tuple[tuple[int, int], ...],
    people: Voices,
    *,
    installed: bool,
) -> tuple[Wave, list[int], tuple[int, int]]:
    word_at = (0, 0)
    line = random.standard_normal(count).astype(np.float32) * decibels(-68.0)
    loud = decibels(episode.level)
    if episode.kind == "word":
        spoken = [int(random.integers(3))]
        start, end = pauses[spoken[0]]
        word = people.words[int(random.integers(len(people.words)))]
        at = int(random.integers(start + 800, end - len(word) - 800))
        line[at : at + len(word)] += word * loud
        word_at = at // FRAME, (at + len(word)) // FRAME + 1
    else:
        spoken = [0, 1, 2]
        for start, end in pauses:
            at = start + int(random.integers(800, 4000))
            while at < end - 4000:
                phrase = people.phrases[int(random.integers(len(people.phrases)))][: end - at - 400]
                line[at : at + len(phrase)] += phrase * loud
                at += len(phrase) + int(random.integers(800, 4800))
    if episode.noise:
        line += _stretch(noises.noise(episode.noise, installed=installed), count, random) * decibels(
            episode.level - episode.snr
        )
    return line, spoken, word_at


def _stretch(wave: Wave, count: int, random: np.random.Generator) -> Wave:
    at = int(random.integers(len(wave) - count))
    return wave[at : at + count]


def _lossy(sends: NDArray[np.uint8], loss: float, random: np.random.Generator) -> NDArray[np.uint8]:
    """Bursts of three packets on average (Gilbert)."""
    if not loss:
        return sends
    lost, state = np.zeros(len(sends), np.bool_), False
    for frame, dice in enumerate(random.random(len(sends))):
        state = dice > 1 / 3 if state else dice < loss / 3
        lost[frame] = state
    return np.where(lost, np.uint8(NOTHING), sends)


# --- lines without a person ---


def _dead(
    episode: Episode, random: np.random.Generator, said: NDArray[np.uint8], count: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    law, level = episode.law, decibels(episode.level)
    sends = np.full(count // FRAME, AUDIO, np.uint8)
    match episode.kind:
        case "idle codes":
            return np.full(count, IDLE[law.row], np.uint8), sends
        case "other idle codes":
            return np.full(count, IDLE[law.row] ^ 0x80, np.uint8), sends
        case "no packets":
            sends[int(random.integers(0, 60)) :] = NOTHING
        case "comfort noise (RFC 3389)":
            sends[:] = NOTHING
            sends[:: int(random.integers(5, 50))] = COMFORT
        case _:
            pass
    hiss = random.standard_normal(count).astype(np.float32) * decibels(float(random.uniform(-72, -62)))
    return coded(hiss + _dead_sound(episode, random, said, count) * level, law), sends


def _dead_sound(
    episode: Episode, random: np.random.Generator, said: NDArray[np.uint8], count: int
) -> Wave | np.float32:
    """Of RMS 1 where it sounds."""
    match episode.kind:
        case "hum":
            return _stretch(noises.noise("hum60" if episode.held_out else "hum"), count, random)
        case "hiss":
            return _stretch(noises.noise("pink" if episode.held_out else "white"), count, random)
        case "breath":
            return _breath(random, count)
        case "busy tone":
            on, hertz = (0.5, 425.0) if episode.held_out else (0.35, 450.0)
            return _cadence(random, count, on, on, hertz)
        case "ringback":
            return _cadence(random, count, 1.0, 4.0, 450.0)
        case "fax calling tone":
            return _cadence(random, count, 0.5, 3.0, 1100.0)
        case "dial tone":
            return _cadence(random, count, 60.0, 0.0, 450.0)
        case "crackle":
            return _stretch(noises.noise("scratches" if episode.held_out else "crackle"), count, random)
        case "DC offset":
            return np.ones(count, np.float32)
        case "echo":
            return _echo(random, said, episode.law)
        case _:
            return np.float32(0)


def _breath(random: np.random.Generator, count: int) -> Wave:
    """In and out about every 4 s, as air without a voice."""
    time = np.arange(count) / RATE
    rate = random.uniform(0.2, 0.35)
    swell = np.maximum(np.sin(2 * np.pi * rate * time + random.uniform(0, 6)), 0) ** 0.7
    breath: Wave = _stretch(noises.noise("fan_air"), count, random) * swell.astype(np.float32)
    return breath


def _cadence(random: np.random.Generator, count: int, on: float, off: float, hertz: float) -> Wave:
    time = np.arange(count) / RATE + random.uniform(0, on + off)
    tone: Wave = np.where(time % (on + off) < on, np.sqrt(2) * np.sin(2 * np.pi * hertz * time), 0)
    return tone.astype(np.float32)


def _echo(random: np.random.Generator, said: NDArray[np.uint8], law: Law) -> Wave:
    """Our own words as a phone's hybrid gives them back: late, a little filtered; as loud as said."""
    delay = int(random.integers(int(0.02 * RATE), int(0.4 * RATE)))
    heard = LINEAR[law.row][said].astype(np.float32) / np.float32(32768)
    path = np.zeros(40, np.float32)
    path[0] = 1.0
    path[1:] = random.standard_normal(39).astype(np.float32) * np.exp(-np.arange(1, 40) / 6) * 0.25
    filtered = np.convolve(heard, path)[: len(heard)].astype(np.float32)
    late: Wave = np.concatenate([np.zeros(delay, np.float32), filtered])[: len(heard)]
    return late
