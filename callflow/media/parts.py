"""What the plane consists of: the rooms that know something of every leg, each by its slot."""

from collections import Counter
from typing import Final

import numpy as np

from callflow.media.bridge import Bridge
from callflow.media.hearing import Hearing
from callflow.media.inband import InBand
from callflow.media.latching import Latches
from callflow.media.messages import MoveLeg, OpenLeg
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
NOTHING, AUDIO, KEY, COMFORT_NOISE = 0, 1, 3, 4
"""What a payload type means: nothing that was agreed upon; `AUDIO` and the row of its law; a key; silence."""
_COMFORT_NOISE_TYPE: Final = 13
_TYPES: Final = 128


class Agreed:
    """What SDP has agreed upon with each leg."""

    def __init__(self, capacity: int) -> None:
        self.law = np.zeros(capacity, np.int64)
        """The law that is sent; what comes may be in another."""
        self.payload_type = np.zeros(capacity, np.uint8)
        self.event_type = np.full(capacity, NO_EVENTS, np.uint8)
        self.meaning = np.zeros((capacity, _TYPES), np.uint8)
        """What each payload type means where it comes from the leg."""

    def agree(self, slot: int, leg: OpenLeg | MoveLeg) -> None:
        self.law[slot] = leg.law.row
        self.payload_type[slot] = leg.law.payload_type
        self.event_type[slot] = NO_EVENTS if leg.event_type is None else leg.event_type
        meaning = self.meaning[slot]
        meaning[:] = NOTHING
        meaning[_COMFORT_NOISE_TYPE] = COMFORT_NOISE
        for event_type in (leg.event_type, *leg.event_types):
            if event_type is not None:
                meaning[event_type] = KEY
        for law in (leg.law, *leg.laws):
            meaning[law.payload_type] = AUDIO + law.row


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
