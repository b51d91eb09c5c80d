"""An hour of frames: one every 20 ms, none too many, none missing, and nothing drifts."""

import numpy as np
import pytest

from callflow.media.sender import CATCH_UP, Sender

pytestmark = pytest.mark.pure

BEGUN, HOUR, FRAMES = 1000.0, 3600.0, 180_000
LONGEST = 0.09
"""Seconds between two ticks, at most: as many frames as one tick may make up for."""


def test_an_hour_on_an_irregular_clock() -> None:
    sender = Sender(2)
    sender.open(0, 0, (65_000, 2**32 - 800, 5), BEGUN)
    none = np.zeros(1, np.bool_)
    ticks = np.random.default_rng(7).uniform(0.001, LONGEST, 90_000).cumsum()
    ticks = BEGUN + np.append(ticks[ticks < HOUR - 0.02], HOUR - 0.02)
    at, sequence, timestamp, markers = [], [], [], 0
    for now in ticks.tolist():
        for _ in range(CATCH_UP):
            due = sender.due(now)
            if not len(due):
                break
            stamps = sender.own(due, none)
            at.append(now)
            sequence.append(int(stamps.sequence[0]))
            timestamp.append(int(stamps.timestamp[0]))
            markers += int(stamps.marker[0])
    late = np.array(at) - (BEGUN + 0.02 * np.arange(len(at)))
    # The last tick may come a hair before the last frame's deadline, as floats have it.
    assert FRAMES - 1 <= len(at) <= FRAMES
    assert late.min() > -1e-6
    assert late.max() <= LONGEST
    assert late[-1] <= 0.02 + 1e-6
    assert sequence == [(65_000 & 0x7FFF) + n & 0xFFFF for n in range(len(at))]
    assert timestamp == [2**32 - 800 + 160 * n & 0xFFFFFFFF for n in range(len(at))]
    assert markers == 1
    assert sender.packets[0] == len(at)
    assert sender.octets[0] == 160 * len(at)
