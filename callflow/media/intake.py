"""What comes from the legs: whose it is, who is to hear it, and what is told of it."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from callflow.events import DigitPressed
from callflow.media import rtp
from callflow.media.bridge import Relayed, translation
from callflow.media.dtmf import KeyReader
from callflow.media.latching import Sources, source_key
from callflow.media.messages import Latched, PacketsResumed
from callflow.media.parts import NO_EVENTS, Parts
from callflow.media.reporter import rtcp_rows
from callflow.media.sender import Passing

_COMFORT_NOISE: Final = 13


class Intake:
    """Sorts what comes, and hands it to the ears, the accounts and the partners."""

    def __init__(self, parts: Parts) -> None:
        self.relayed: list[Relayed] = []
        """Packets that are to leave with the next tick."""
        self._keys: dict[int, KeyReader] = {}
        self._agreed, self._sender, self._speaker = parts.agreed, parts.sender, parts.speaker
        self._bridge, self._mixer, self._taps = parts.bridge, parts.mixer, parts.taps
        self._hearing, self._quality, self._reporter = parts.hearing, parts.quality, parts.reporter
        self._inband = parts.inband
        self._latches, self._tell, self._counts = parts.latches, parts.tell, parts.counts

    def open(self, slot: int) -> None:
        self._keys[slot] = KeyReader()

    def close(self, slot: int) -> None:
        del self._keys[slot]

    def receive(
        self,
        port: int | NDArray[np.int64],
        block: rtp.Block,
        lengths: NDArray[np.int64],
        sources: Sources,
        now: float,
    ) -> None:
        """Packets have come: `lengths` bytes in the rows of `block`, from `sources`, to `port`.

        `port` may have one element a packet: all ports in one block cost less than each in its own.
        """
        self._counts["received"] += len(block)
        headers = rtp.read(block, lengths)
        reports = rtcp_rows(block) & (lengths >= rtp.HEADER - 4)
        good = headers.good & ~reports
        slots = self._latches.slots(
            port, sources, good, now, self._latched(now), headers.ssrc, headers.sequence
        )
        mine = slots >= 0
        self._counts["dropped_unknown_source"] += int(np.count_nonzero(~mine))
        for row in (mine & reports).nonzero()[0]:
            self._take_report(int(slots[row]), block[row, : lengths[row]].tobytes(), now)
        self._counts["dropped_not_rtp"] += int(np.count_nonzero(mine & ~good & ~reports))
        payloads = rtp.payloads(block, headers)
        # A slot may have several packets in the block: one of each at a time, in their order.
        rows = (mine & good).nonzero()[0]
        while len(rows):
            chosen, rows = _one_of_each(slots, rows)
            self._take(chosen, slots[chosen], headers, payloads, now)

    def receive_rtcp(self, port: int, datagram: bytes, source: tuple[str, int], now: float) -> None:
        """A datagram came to the odd neighbour of `port`: its sender's audio comes from one port lower."""
        slot = self._latches.owner(port, source_key((source[0], source[1] - 1)))
        if slot is None:
            self._counts["dropped_rtcp"] += 1
        else:
            self._take_report(slot, datagram, now)

    def _take_report(self, slot: int, datagram: bytes, now: float) -> None:
        taken = self._reporter.receive(slot, datagram, now)
        self._counts["received_rtcp" if taken else "dropped_rtcp"] += 1

    def _latched(self, now: float) -> Callable[[int, int], None]:
        def latched(slot: int, source: int) -> None:
            self._sender.destination[slot] = source
            self._tell(slot, now, Latched())

        return latched

    def _take(
        self,
        rows: NDArray[np.intp],
        slots: NDArray[np.int64],
        headers: rtp.Headers,
        payloads: rtp.Block,
        now: float,
    ) -> None:
        """One packet of each of `slots`."""
        kind = headers.payload_type[rows]
        for slot in self._quality.resumed(slots):
            self._tell(slot, now, PacketsResumed())
        twice = self._quality.note(
            slots, headers.sequence[rows], headers.timestamp[rows], headers.ssrc[rows], now
        )
        self._hearing.lost(self._quality.lost)
        audio = kind == self._agreed.payload_type[slots]
        to = self._bridge.listeners(slots, self._speaker.busy)
        if not audio.all():
            self._take_others(rows[~audio], slots[~audio], to[~audio], headers, payloads, now)
            rows, slots, to, twice = rows[audio], slots[audio], to[audio], twice[audio]
        if not len(rows):
            return
        sizes = headers.size[rows]
        heard = to >= 0
        if twice.any():
            heard &= ~twice
        if heard.all():
            self._relay_audio(rows, slots, to, headers, payloads, now)
        elif heard.any():
            self._relay_audio(rows[heard], slots[heard], to[heard], headers, payloads, now)
        if self._taps.any:
            own = ~twice
            self._taps.note(
                slots[own], payloads[rows[own]], sizes[own], self._agreed.law[slots[own]], now, said=True
            )
        sounds = payloads if len(rows) == len(payloads) else payloads[rows]
        if self._mixer.any:
            said = np.flatnonzero(self._bridge.gate[slots] & ~twice)
            speakers = slots[said]
            self._mixer.hear(
                speakers, sounds[said], sizes[said], self._agreed.law[speakers], self._bridge.gain[speakers]
            )
        if self._inband.any:
            for slot, key in self._inband.received(slots, sounds, sizes, self._agreed.law[slots]):
                self._tell(slot, now, DigitPressed(key))
        self._hearing.received(slots, sounds, sizes, self._agreed.law[slots], now)

    def _relay_audio(
        self,
        rows: NDArray[np.intp],
        slots: NDArray[np.int64],
        to: NDArray[np.int64],
        headers: rtp.Headers,
        payloads: rtp.Block,
        now: float,
    ) -> None:
        passing = _passing(rows, to, headers, headers.size[rows])
        table = translation(self._bridge.gain[slots], self._agreed.law[slots], self._agreed.law[to])
        relayed = self._bridge.relay(rows, passing, self._agreed.payload_type[to], payloads, table, now)
        self._count_relayed(relayed, len(rows))

    def _take_others(
        self,
        rows: NDArray[np.intp],
        slots: NDArray[np.int64],
        to: NDArray[np.int64],
        headers: rtp.Headers,
        payloads: rtp.Block,
        now: float,
    ) -> None:
        """Packets that are no audio: keys, comfort noise, and what nobody agreed upon."""
        for row, slot, listener in zip(rows, slots.tolist(), to.tolist(), strict=True):
            payload_type = headers.payload_type[row]
            passes = False
            if payload_type == self._agreed.event_type[slot]:
                passes = self._press(slot, listener, row, headers, payloads, now)
            elif payload_type == _COMFORT_NOISE:
                # Its own silence: the partner gets ours instead, and no drop-out is told of.
                self._counts["comfort_noise"] += 1
                self._quality.pause(slot)
                self._hearing.comfort(slot, now)
            else:
                self._counts["dropped_payload_type"] += 1
            if listener >= 0 and not passes:
                self._sender.cut(np.array([listener]))

    def _press(
        self,
        slot: int,
        listener: int,
        row: np.intp,
        headers: rtp.Headers,
        payloads: rtp.Block,
        now: float,
    ) -> bool:
        """A packet of a key: tell of it if it is the press's first, relay it; whether it was relayed."""
        size, timestamp = int(headers.size[row]), int(headers.timestamp[row])
        digit = self._keys[slot].receive(payloads[row, :size].tobytes(), timestamp, now)
        if digit is not None:
            self._tell(slot, now, DigitPressed(digit))
        takes_keys = listener >= 0 and self._agreed.event_type[listener] != NO_EVENTS
        if not (takes_keys and self._bridge.keys_pass[slot]):
            return False
        if size < 4 or (digit is None and not self._sender.relays(listener, timestamp)):
            # The middle of a press whose beginning was not for the partner.
            return False
        one, to = np.array([row]), np.array([listener])
        passing = _passing(one, to, headers, np.zeros(1, np.int64))
        relayed = self._bridge.relay(one, passing, self._agreed.event_type[to], payloads, None, now)
        self._count_relayed(relayed, 1)
        return True

    def _count_relayed(self, relayed: Relayed, packets: int) -> None:
        self._counts["relayed"] += len(relayed.slots)
        self._counts["dropped_late"] += packets - len(relayed.slots)
        self.relayed.append(relayed)


def _one_of_each(
    slots: NDArray[np.int64], rows: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first packet of each slot, and the rest."""
    chosen = slots[rows]
    if len(chosen) == len(set(chosen.tolist())):
        return rows, rows[:0]
    _, first = np.unique(chosen, return_index=True)
    return rows[first], np.delete(rows, first)


def _passing(
    rows: NDArray[np.intp], to: NDArray[np.int64], headers: rtp.Headers, samples: NDArray[np.int64]
) -> Passing:
    return Passing(to, headers.sequence[rows], headers.timestamp[rows], headers.ssrc[rows], samples)
