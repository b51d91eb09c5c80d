"""Noises of telephone lines, made by rule; each kind has a relative that the detector was not tuned with."""

import functools
from collections.abc import Callable
from typing import Final

import numpy as np

from callflow.codec import RATE
from tests.hearing import surroundings
from tests.hearing.surroundings import shaped
from tests.hearing.voices import Voices, Wave, voices

SECONDS: Final = 60
"""Of each kind there are so many; an episode has a part of them."""
_COUNT: Final = SECONDS * RATE

TUNED: Final = ("white", "pink", "hum", "babble", "street", "crackle", *surroundings.TUNED)
HELD_OUT: Final = ("brown", "fan", "hum60", "crowd", "traffic", "scratches", *surroundings.HELD_OUT)


@functools.cache
def noise(kind: str, *, installed: bool = True) -> Wave:
    """A minute of it, of RMS 1."""
    random = np.random.default_rng(sum(map(ord, kind)))
    made = _KINDS[kind](random, installed)
    wave: Wave = (made / np.sqrt(np.mean(np.square(made)))).astype(np.float32)
    return wave


def _white(random: np.random.Generator, installed: bool) -> Wave:
    return random.standard_normal(_COUNT).astype(np.float32)


def _pink(random: np.random.Generator, installed: bool) -> Wave:
    return shaped(random, _COUNT, lambda hertz: 1 / np.sqrt(np.maximum(hertz, 40)))


def _brown(random: np.random.Generator, installed: bool) -> Wave:
    return shaped(random, _COUNT, lambda hertz: 1 / np.maximum(hertz, 100))


def _fan(random: np.random.Generator, installed: bool) -> Wave:
    """Air, and the blades in it: 23 times a second, over a motor's whine."""
    time = np.arange(_COUNT) / RATE
    air = shaped(random, _COUNT, lambda hertz: np.exp(-(((hertz - 500) / 700) ** 2)))
    air /= np.std(air)
    blown = air * (1 + 0.3 * np.sin(2 * np.pi * 23 * time)) + 0.15 * np.sin(2 * np.pi * 590 * time)
    return blown.astype(np.float32)


def _hum(base: float, harmonics: tuple[float, ...]) -> Callable[[np.random.Generator, bool], Wave]:
    def made(random: np.random.Generator, installed: bool) -> Wave:
        time = np.arange(_COUNT) / RATE
        phases = random.uniform(0, 2 * np.pi, len(harmonics))
        tones = [
            gain * np.sin(2 * np.pi * base * n * time + phase)
            for n, (gain, phase) in enumerate(zip(harmonics, phases, strict=True), 1)
        ]
        hiss = random.standard_normal(_COUNT) * 0.01
        wave: Wave = (np.sum(tones, axis=0) + hiss).astype(np.float32)
        return wave

    return made


def _babble(count: int, held_out: bool) -> Callable[[np.random.Generator, bool], Wave]:
    """`count` people at once, further away."""

    def made(random: np.random.Generator, installed: bool) -> Wave:
        people: Voices = voices(held_out=held_out, installed=installed)
        mixed = np.zeros(_COUNT, np.float32)
        for _ in range(count):
            said: list[Wave] = []
            while sum(map(len, said)) < _COUNT:
                said.append(people.phrases[int(random.integers(len(people.phrases)))])
                said.append(np.zeros(int(random.integers(800, 4000)), np.float32))
            mixed += np.concatenate(said)[:_COUNT] * np.float32(random.uniform(0.5, 1.0))
        return mixed

    return made


def _street(slow: float, depth: float, colour: float) -> Callable[[np.random.Generator, bool], Wave]:
    """Engines that come and go: coloured noise whose level wanders by `depth` dB, at `slow` Hz and below."""

    def made(random: np.random.Generator, installed: bool) -> Wave:
        body = shaped(random, _COUNT, lambda hertz: 1 / np.maximum(hertz, 80) ** colour)
        points = int(SECONDS * slow * 2) + 2
        wander = np.interp(
            np.linspace(0, points - 1, _COUNT), np.arange(points), random.standard_normal(points)
        )
        passing: Wave = (body * 10 ** (depth * wander / 20)).astype(np.float32)
        return passing

    return made


def _crackle(rate: float, decay: float) -> Callable[[np.random.Generator, bool], Wave]:
    """`rate` clicks a second, of any strength, each ringing off over `decay` seconds."""

    def made(random: np.random.Generator, installed: bool) -> Wave:
        clicks = np.zeros(_COUNT, np.float32)
        ring = np.exp(-np.arange(int(RATE * decay * 5)) / RATE / decay).astype(np.float32)
        for at in random.integers(0, _COUNT - len(ring), int(rate * SECONDS)):
            body = ring * random.standard_normal(len(ring)).astype(np.float32)
            clicks[at : at + len(ring)] += body * np.float32(random.lognormal(0, 0.7))
        wave: Wave = clicks + 0.01 * random.standard_normal(_COUNT).astype(np.float32)
        return wave

    return made


def _around(kind: str) -> Callable[[np.random.Generator, bool], Wave]:
    return lambda random, installed: surroundings.KINDS[kind](random, _COUNT)


_KINDS: Final[dict[str, Callable[[np.random.Generator, bool], Wave]]] = {
    "white": _white,
    "pink": _pink,
    "hum": _hum(50, (1.0, 0.5, 0.8, 0.2, 0.4, 0.1, 0.2)),
    "babble": _babble(6, held_out=False),
    "street": _street(0.7, 4.0, 0.8),
    "crackle": _crackle(6, 0.003),
    "brown": _brown,
    "fan": _fan,
    "fan_air": lambda random, installed: shaped(
        random, _COUNT, lambda hertz: np.exp(-(((hertz - 900) / 800) ** 2))
    ),
    "hum60": _hum(60, (0.6, 1.0, 0.2, 0.6, 0.1, 0.3, 0.1, 0.2)),
    "crowd": _babble(9, held_out=True),
    "traffic": _street(1.5, 3.0, 1.0),
    "scratches": _crackle(14, 0.0015),
    **{kind: _around(kind) for kind in surroundings.KINDS},
}
