"""What the plane consists of: the rooms that know something of every leg, each by its slot."""

from collections import Counter
from typing import Final

import numpy as np

from callflow.codec import Law
from callflow.media.bridge import Bridge
from callflow.media.hearing import Hearing
from callflow.media.inband import InBand
from callflow.media.latching import Latches
from callflow.media.mixer import Mixer
from callflow.media.overhearing import Overhearing
from callflow.media.past import Past
from callflow.media.quality import Quality
from callflow.media.reporter import Reporter
from callflow.media.sender import Sender
from callflow.media.speaker import Speaker, Tell
from callflow.media.tap import Taps
from callflow.media.thresholds import Thresholds

NO_EVENTS: Final = 255


class Agreed:
    """What SDP has agreed upon with each leg."""

    def __init__(self, capacity: int) -> None:
        self.law = np.zeros(capacity, np.int64)
        self.payload_type = np.zeros(capacity, np.uint8)
        self.event_type = np.full(capacity, NO_EVENTS, np.uint8)

    def agree(self, slot: int, law: Law, event_type: int | None) -> None:
        self.law[slot] = law.row
        self.payload_type[slot] = law.payload_type
        self.event_type[slot] = NO_EVENTS if event_type is None else event_type


class Parts:
    """All of them, for `capacity` slots."""

    def __init__(self, capacity: int, thresholds: Thresholds, tell: Tell) -> None:
        self.tell = tell
        self.agreed = Agreed(capacity)
        self.sender = Sender(capacity)
        self.speaker = Speaker(capacity, tell)
        self.bridge = Bridge(capacity, self.sender)
        self.mixer = Mixer(capacity)
        self.taps = Taps(capacity)
        past = Past(capacity)
        self.overhearing = Overhearing(past)
        self.hearing = Hearing(past, self.overhearing, thresholds)
        self.inband = InBand(capacity)
        self.quality = Quality(capacity)
        self.reporter = Reporter(capacity, self.sender, self.quality)
        self.latches = Latches(capacity)
        self.counts: Counter[str] = self.latches.counts
        """Packets by what became of them, and late frames."""

    def untap(self, slot: int, now: float) -> None:
        """Take the slot's tap off, and hand out what it still holds."""
        for one, recorded in self.taps.close(slot, int(self.agreed.law[slot])):
            self.tell(one, now, recorded)
