"""Noises of the rooms and streets that people call from, and of the machines in them."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.codec import RATE
from tests.hearing.voices import Wave

Random = np.random.Generator
Samples = NDArray[np.floating]


def shaped(random: Random, count: int, gain: Callable[[Samples], Samples]) -> Wave:
    """Noise whose amplitude goes by frequency (Hz)."""
    spectrum = np.fft.rfft(random.standard_normal(count))
    coloured = np.fft.irfft(spectrum * gain(np.fft.rfftfreq(count, 1 / RATE)), count)
    return coloured.astype(np.float32)


def falling(random: Random, count: int, exponent: float, least: float) -> Samples:
    """Noise whose amplitude falls with frequency to the power of `exponent`, from `least` Hz on; RMS 1."""
    coloured = shaped(random, count, lambda hertz: np.maximum(hertz, least) ** -exponent)
    return coloured / np.std(coloured)


def clicks(
    random: Random, count: int, rate: float, milliseconds: float, spread: float, ground: float
) -> Wave:
    """`rate` bursts a second that die away over `milliseconds`, on a hiss of `ground`."""
    wave = random.standard_normal(count) * ground
    length = int(RATE * milliseconds / 1000 * 6)
    decay = np.exp(-np.arange(length) / (RATE * milliseconds / 1000))
    for at in random.integers(0, count - length, int(rate * count / RATE)):
        wave[at : at + length] += random.standard_normal(length) * decay * random.lognormal(0, spread)
    return wave.astype(np.float32)


def typing(random: Random, count: int) -> Wave:
    """Somebody types, six keys a second."""
    return clicks(random, count, 6.0, 6.0, 0.5, 0.003)


def rain(random: Random, count: int) -> Wave:
    """Drops on a roof."""
    return clicks(random, count, 250.0, 1.0, 0.8, 0.02)


def pops(random: Random, count: int) -> Wave:
    """A bad contact: each pop rings at a pitch of its own."""
    wave = random.standard_normal(count) * 0.01
    length = int(RATE * 0.025)
    time = np.arange(length) / RATE
    for at in random.integers(0, count - length, 40 * count // RATE):
        ring = np.exp(-time / 0.002) * np.sin(2 * np.pi * random.uniform(300, 3000) * time)
        wave[at : at + length] += ring * random.lognormal(0, 0.7)
    return wave.astype(np.float32)


def siren(random: Random, count: int) -> Wave:
    """Up and down between 300 and 1,100 Hz every four seconds."""
    time = np.arange(count) / RATE
    phase = np.cumsum(700 + 400 * np.sin(2 * np.pi * 0.25 * time)) / RATE
    return _wave(np.sin(2 * np.pi * phase) + 0.05 * random.standard_normal(count))


def car(random: Random, count: int) -> Wave:
    """Tyres, and an engine of wandering speed."""
    phase = _wandering(random, count, 45.0, 0.1)
    orders = {1: 0.3, 2: 0.6, 4: 0.4, 6: 0.3}
    engine = sum(gain * np.sin(2 * np.pi * order * phase + order) for order, gain in orders.items())
    return _wave(falling(random, count, 1.3, 60.0) + 0.6 * engine)


def vacuum(random: Random, count: int) -> Wave:
    """A vacuum cleaner: air, and a motor with all its overtones."""
    phase = _wandering(random, count, 310.0, 0.01)
    motor = sum(np.sin(2 * np.pi * order * phase) / order for order in range(1, 8))
    return _wave(falling(random, count, 0.5, 200.0) + 0.5 * motor)


def buzz(random: Random, count: int) -> Wave:
    """A mobile phone beside the line: bursts 217 times a second, half of the time."""
    time = np.arange(count) / RATE
    bursts = ((time * 217 % 1 < 0.125) & (time * 3 % 1 < 0.5)).astype(np.float64)
    return _wave(bursts - bursts.mean() + 0.02 * random.standard_normal(count))


def wind(random: Random, count: int) -> Wave:
    """Gusts in the microphone."""
    seconds = count // RATE
    strength = np.interp(
        np.arange(count) / RATE * 2, np.arange(2 * seconds + 2), random.standard_normal(2 * seconds + 2)
    )
    return _wave(falling(random, count, 1.2, 40.0) * 10 ** (6 * strength / 20))


def hammer(random: Random, count: int) -> Wave:
    """Works in the street: noise nine times a second."""
    return _wave(random.standard_normal(count) * (np.arange(count) / RATE * 9 % 1 < 0.4))


def _wandering(random: Random, count: int, hertz: float, by: float) -> Samples:
    """The phase, in turns, of a machine whose speed wanders from second to second."""
    seconds = count // RATE + 1
    speed = 1 + by * np.interp(np.arange(count) / RATE, np.arange(seconds), random.standard_normal(seconds))
    turns: Samples = np.cumsum(hertz * speed) / RATE
    return turns


def _wave(made: Samples) -> Wave:
    return made.astype(np.float32)


TUNED: Final = ("typing", "rain", "pops", "siren", "car")
HELD_OUT: Final = ("vacuum", "buzz", "wind", "hammer")
KINDS: Final = {made.__name__: made for made in (typing, rain, pops, siren, car, vacuum, buzz, wind, hammer)}
