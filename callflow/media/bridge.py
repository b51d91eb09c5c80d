"""Who hears whom: legs joined in pairs, a gate and a gain for each direction."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callflow.media import rtp
from callflow.media.g711 import TRANSLATED, UNITY
from callflow.media.sender import Passing, Sender, Stamps

Slots = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Relayed:
    """Packets as they are to leave, one a row, ready but for their being sent."""

    slots: Slots
    """To whom."""
    packets: rtp.Block
    sizes: NDArray[np.int64]
    """Bytes of each row that are the packet."""


class Bridge:
    """The partners of all legs."""

    def __init__(self, capacity: int, sender: Sender) -> None:
        self.partner = np.full(capacity, -1, np.int64)
        self.gate = np.ones(capacity, np.bool_)
        """Whether what the slot says reaches its partner."""
        self.listens = np.ones(capacity, np.bool_)
        """Whether the slot's side wants to hear anything."""
        self.keys_pass = np.ones(capacity, np.bool_)
        self.gain = np.full(capacity, UNITY, np.int64)
        self._sender = sender

    def open(self, slot: int) -> None:
        self.partner[slot] = -1
        self.gate[slot] = self.listens[slot] = self.keys_pass[slot] = True
        self.gain[slot] = UNITY

    def join(self, slot: int, other: int, now: float) -> None:
        for one in (slot, other):
            self.part(one, now)
            self.gate[one] = True
        self.partner[slot], self.partner[other] = other, slot

    def part(self, slot: int, now: float) -> None:
        other = int(self.partner[slot])
        if other >= 0:
            self.partner[[slot, other]] = -1
            self._sender.take_over(np.array([slot, other]), now)

    def shut(self, slot: int, now: float) -> None:
        self.gate[slot] = False
        other = int(self.partner[slot])
        if other >= 0:
            self._sender.take_over(np.array([other]), now)

    def hush(self, slot: int, now: float) -> None:
        """We begin to speak to the slot: neither it nor its partner hears the other meanwhile."""
        other = int(self.partner[slot])
        self._sender.take_over(np.array([slot, other] if other >= 0 else [slot]), now)

    def hold(self, slot: int, now: float) -> None:
        """The slot's side wants to hear nothing: from now on it is sent silence."""
        self.listens[slot] = False
        self._sender.take_over(np.array([slot]), now)

    def hear_each_other(self, busy: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Of all slots, those whose partner hears them now, and nothing of ours."""
        heard: NDArray[np.bool_] = (self.partner >= 0) & self.gate & ~busy & self.listens[self.partner]
        return heard

    def listeners(self, slots: Slots, busy: NDArray[np.bool_]) -> Slots:
        """Who is to hear each slot; -1 for nobody. Nobody is heard where one of the two hears a prompt."""
        partner = self.partner[slots]
        heard = self.gate[slots] & ~busy[slots] & ~busy[partner] & self.listens[partner]
        return np.where(heard, partner, -1)

    def relay(
        self,
        rows: NDArray[np.intp],
        passing: Passing,
        payload_type: NDArray[np.uint8],
        payloads: rtp.Block,
        translation: NDArray[np.intp] | None,
        now: float,
    ) -> Relayed:
        """The packets in `rows` of `payloads`, numbered for their listeners.

        `translation` has the row of `TRANSLATED` (flattened but for the code) for each; None where all
        leave as they came.
        """
        in_time, stamps = self._sender.relay(passing, now)
        slots, sizes = passing.slots, np.where(passing.samples, passing.samples, 4)
        if not in_time.all():
            rows, slots, sizes, payload_type = (
                rows[in_time],
                slots[in_time],
                sizes[in_time],
                payload_type[in_time],
            )
            stamps = Stamps(stamps.marker[in_time], stamps.sequence[in_time], stamps.timestamp[in_time])
            translation = None if translation is None else translation[in_time]
        width = int(sizes.max(initial=0))
        packets = np.empty((len(rows), rtp.HEADER + width), np.uint8)
        audio = payloads[rows, :width]
        if translation is not None:
            audio = _TABLES[translation[:, None], audio]
        packets[:, rtp.HEADER :] = audio
        rtp.write(
            packets, payload_type, stamps.marker, stamps.sequence, stamps.timestamp, self._sender.ssrc[slots]
        )
        return Relayed(slots, packets, sizes + rtp.HEADER)


_TABLES = TRANSLATED.reshape(-1, 256)


def translation(
    gain: NDArray[np.int64], law: NDArray[np.int64], to: NDArray[np.int64]
) -> NDArray[np.intp] | None:
    """The table for each packet, of law `law`, on its way to one who speaks `to`."""
    if bool((gain == UNITY).all()) and bool((law == to).all()):
        return None
    return np.asarray((gain * 2 + law) * 2 + to, np.intp)


def in_law(audio: rtp.Block, law: NDArray[np.int64], to: NDArray[np.int64]) -> rtp.Block:
    """Audio in the laws `law`, one a row, in the laws `to`."""
    other = (law != to).nonzero()[0]
    if not len(other):
        return audio
    audio = audio.copy()
    tables = np.asarray((UNITY * 2 + law[other]) * 2 + to[other], np.intp)
    audio[other] = _TABLES[tables[:, None], audio[other]]
    return audio
