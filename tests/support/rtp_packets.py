"""RTP packets built by hand, and blocks of them as the sockets would give them."""

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from callflow.codec import Law
from callflow.media.g711 import IDLE, encode
from callflow.media.rtp import SLOT

Address = tuple[str, int]
Samples = NDArray[np.int16]


def packet(
    payload: bytes,
    *,
    kind: int = 0,
    sequence: int = 0,
    timestamp: int = 0,
    marker: bool = False,
    ssrc: int = 7,
) -> bytes:
    head = (0x80, kind | marker << 7, sequence % 2**16, timestamp % 2**32, ssrc)
    return struct.pack("!BBHII", *head) + payload


def press(key: str, timestamp: int, duration: int = 160, *, end: bool = False, kind: int = 101) -> bytes:
    """One packet of a telephone-event."""
    return packet(event(key, duration, end=end), kind=kind, timestamp=timestamp)


def event(key: str, duration: int, *, end: bool = False) -> bytes:
    return struct.pack("!BBH", "0123456789*#ABCD".index(key), 10 | end << 7, duration)


def block_of(packets: Sequence[bytes]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Rows and lengths; what follows a packet's end is left over from others, as in real life."""
    block = np.full((len(packets), SLOT), 0xA5, np.uint8)
    for row, data in zip(block, packets, strict=True):
        row[: min(len(data), SLOT)] = np.frombuffer(data[:SLOT], np.uint8)
    return block, np.array([len(data) for data in packets], np.int64)


def frames(samples: Samples, law: Law = Law.PCMU) -> list[bytes]:
    """Audio as payloads of 20 ms; the last is filled up."""
    codes = encode(samples, law)
    filled = np.concatenate([codes, np.full(-len(codes) % 160, IDLE[law.row])])
    return [filled[at : at + 160].tobytes() for at in range(0, len(filled), 160)]


def quiet(seconds: float) -> Samples:
    return np.zeros(round(seconds * 8000), np.int16)


def tone(seconds: float, level: float, hertz: float = 440.0) -> Samples:
    """A sine of so many dBFS."""
    time = np.arange(round(seconds * 8000)) / 8000
    return _scaled(np.sin(2 * np.pi * hertz * time), level)


def noise(seconds: float, level: float, seed: int = 1) -> Samples:
    return _scaled(np.random.default_rng(seed).standard_normal(round(seconds * 8000)), level)


def speech(seconds: float, level: float, seed: int = 1) -> Samples:
    """Something like a voice: a gliding tone with overtones and breath, cut into syllables."""
    random = np.random.default_rng(seed)
    count = round(seconds * 8000)
    time = np.arange(count) / 8000
    pitch = 120 + 40 * random.random() + 25 * np.sin(2 * np.pi * (0.6 + 0.5 * random.random()) * time + seed)
    phase = 2 * np.pi * np.cumsum(pitch) / 8000
    formants = random.uniform(0.2, 1.0, 20)
    voice = sum(gain * np.sin(n * phase + n) / n**0.7 for n, gain in enumerate(formants, 1))
    voice = voice + 0.2 * random.standard_normal(count)
    syllables = 0.15 + np.square(np.sin(np.pi * (2.5 + random.random()) * time + 0.8))
    return _scaled(np.asarray(voice * syllables), level)


def _scaled(wave: NDArray[np.float64], level: float) -> Samples:
    rms = np.sqrt(np.mean(np.square(wave)))
    samples: Samples = np.clip(wave / rms * 32768 * 10 ** (level / 20), -32768, 32767).astype(np.int16)
    return samples
