"""A recording heard as a call would be: what the ears tell of it, and how loud it is, frame by frame."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.codec import Law
from callflow.events import LineHeard, LineJudged, LineState
from callflow.media.g711 import Samples, encode
from callflow.media.hearing import Hearing
from callflow.media.levels import levels
from callflow.media.overhearing import Overhearing
from callflow.media.past import Past
from callflow.media.rtp import FRAME
from callflow.media.thresholds import Thresholds

FRAME_SECONDS: Final = 0.02
_AFTERWARDS: Final = 150
"""Frames of silence after a recording's end: what is found last is told, too."""
_APART: Final = 25
"""Frames that lie between a voice and what is surely none: half a second."""
_ENOUGH: Final = 50
"""Frames from which on something is known of a line's noise."""
_AUDIBLE: Final = -70.0
"""dBFS below which a line's noise is that of the codec."""
_MARGIN: Final = 12.0
"""dB that the quietest words of a sentence lie below the rest of it."""
_FAINTER: Final = 6.0
"""A voice is faint that is so many dB fainter than the faintest of ten."""
_NOISIER: Final = 5.0
"""A line is noisy on which there is so much more noise than is usual."""
_LOUDER: Final = 1.5


@dataclass(slots=True)
class Heard:
    """What the ears made of a recording; times in seconds from its beginning."""

    told: list[tuple[float, LineHeard | LineJudged]] = field(default_factory=list)
    """What was told, and when."""
    level: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    """dBFS of each frame."""
    floor: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    """dBFS of the noise floor at each frame."""
    sounding: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    """Whether a person was heard at each frame."""

    @property
    def seconds(self) -> float:
        return len(self.level) * FRAME_SECONDS

    def states(self) -> list[tuple[float, LineState]]:
        """From when on the line was judged what."""
        return [(at, event.state) for at, event in self.told if isinstance(event, LineJudged)]

    @property
    def apart(self) -> NDArray[np.float32]:
        """Level and floor of the frames that are apart from every voice: [frame, 2]; none if they are few."""
        spread = np.convolve(self.sounding, np.ones(2 * _APART + 1))
        near = spread[_APART : _APART + len(self.sounding)] > 0
        near[:_APART] = True
        rest = np.stack([self.level, self.floor], 1)[~near]
        return rest if len(rest) >= _ENOUGH else rest[:0]

    @property
    def voice(self) -> float | None:
        """dBFS of what was said; None where nobody was heard."""
        power = 10 ** (self.level[self.sounding] / 10)
        return float(10 * np.log10(power[power >= power.max() / 100].mean())) if len(power) else None


def listen(samples: Samples, thresholds: Thresholds, law: Law = Law.PCMA) -> Heard:
    """Hear it as a line without any words of ours."""
    ears = _Ears(thresholds, law)
    quiet = np.zeros(-len(samples) % FRAME, np.int16)
    codes = encode(np.concatenate([samples, quiet]), law).reshape(-1, FRAME)
    heard = Heard(level=levels(codes, np.full(len(codes), law.row)) if len(codes) else Heard().level)
    floor, sounding = np.zeros(len(codes), np.float32), np.zeros(len(codes), np.bool_)
    for number, frame in enumerate(codes):
        heard.told += ears.hear(frame)
        floor[number], sounding[number] = ears.state()
    heard.floor, heard.sounding = floor, sounding
    idle = encode(np.zeros(FRAME, np.int16), law)
    for _ in range(_AFTERWARDS):
        heard.told += ears.hear(idle)
    return heard


class _Ears:
    """The plane's, of one line."""

    def __init__(self, thresholds: Thresholds, law: Law) -> None:
        past = Past(1)
        self._hearing = Hearing(past, Overhearing(past), thresholds)
        self._hearing.open(0, law)
        self._law = np.array([law.row])
        self._frames = 0

    def hear(self, frame: NDArray[np.uint8]) -> list[tuple[float, LineHeard | LineJudged]]:
        self._frames += 1
        now = self._frames * FRAME_SECONDS
        slots, size = np.zeros(1, np.int64), np.array([FRAME])
        self._hearing.received(slots, frame[None], size, self._law, now)
        told = self._hearing.tick(now)
        return [(now, event) for _, event in told if isinstance(event, LineHeard | LineJudged)]

    def state(self) -> tuple[float, bool]:
        return self._hearing.floor(0), self._hearing.sounds(0)


def suggested(all_heard: Sequence[Heard], usual: Thresholds) -> Thresholds:
    """Thresholds for a trunk of which these are ordinary calls, people and all.

    From the level of the voices and of the noise that is apart from them: the usual ones stand where the
    trunk is no other than most, and where nothing was heard of the one or the other.
    """
    voices = [heard.voice for heard in all_heard if heard.voice is not None]
    faintest = float(np.percentile(voices, 10)) if voices else np.inf
    noises = [noise for heard in all_heard if len(noise := heard.apart)]
    loudest = float(np.percentile([np.median(noise[:, 0]) for noise in noises], 90)) if noises else -np.inf
    heights = [noise[:, 0] - noise[:, 1] for noise in noises if np.median(noise[:, 0]) > _AUDIBLE]
    clear = float(np.median([np.percentile(height, 98) for height in heights])) if heights else 0.0
    return replace(
        usual,
        level=round(max(min(usual.level, faintest - _MARGIN), -70.0), 1),
        above_floor=round(min(max(usual.above_floor, clear + _LOUDER), 9.0), 1),
        faint=round(max(min(usual.faint, faintest - _FAINTER), -70.0), 1),
        noisy=round(min(max(usual.noisy, loudest + _NOISIER), -20.0), 1),
    )
