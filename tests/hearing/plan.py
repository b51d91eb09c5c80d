"""Which episodes there are: people and dead lines, each kind at every level and ratio, by a fixed seed."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from callflow.codec import Law
from tests.hearing import noises
from tests.hearing.episodes import Episode

_DEAD: Final[dict[str, tuple[float, float]]] = {
    "idle codes": (-100, -100),
    "other idle codes": (-100, -100),
    "no packets": (-100, -100),
    "comfort noise (RFC 3389)": (-100, -100),
    "hiss": (-65, -50),
    "hum": (-50, -20),
    "breath": (-62, -46),
    "busy tone": (-30, -8),
    "ringback": (-30, -8),
    "fax calling tone": (-30, -8),
    "dial tone": (-30, -8),
    "crackle": (-55, -25),
    "DC offset": (-50, -12),
    "echo": (-32, -6),
}
"""Dead lines, and between which levels in dBFS they sound; of an echo, by how many dB it is quieter."""
_RATIOS: Final = (20.0, 15.0, 10.0, 5.0, 0.0, -5.0)


def episodes(count: int, *, held_out: bool, seed: int = 1) -> Iterator[Episode]:
    """About `count`: three of five live."""
    random = np.random.default_rng(seed + 1000 * held_out)
    kinds = noises.HELD_OUT if held_out else noises.TUNED
    for number in range(count):
        law = Law.PCMA if random.random() < 0.5 else Law.PCMU
        own = int(random.integers(2**31))
        if number % 5 < 2:
            kind = (
                list(_DEAD)[number // 5 % len(_DEAD)]
                if number % 5 == 0
                else list(_DEAD)[int(random.integers(4, len(_DEAD)))]
            )
            low, high = _DEAD[kind]
            loss = 0.05 if random.random() < 0.1 else 0.0
            yield Episode(own, kind, law, held_out, float(random.uniform(low, high)), loss=loss)
        else:
            kind = "word" if number % 5 < 4 else "talk"
            yield _living(own, kind, law, held_out, kinds, random)


def _living(
    own: int, kind: str, law: Law, held_out: bool, kinds: tuple[str, ...], random: np.random.Generator
) -> Episode:
    loss = 0.05 if random.random() < 0.1 else 0.0
    if random.random() < 0.3:
        faint = kind == "talk" and random.random() < 0.5
        level = random.uniform(-52, -45) if faint else random.uniform(-40, -15)
        return Episode(own, kind, law, held_out, float(level), loss=loss)
    noise = kinds[int(random.integers(len(kinds)))]
    ratio = _RATIOS[int(random.integers(len(_RATIOS)))]
    # A noise louder than full scale would be none.
    level = min(float(random.uniform(-45, -15)), -12.0 + min(ratio, 0.0) * 1.5)
    return Episode(own, kind, law, held_out, level, noise, ratio, loss)
