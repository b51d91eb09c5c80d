"""What comes from the legs: whose it is, who is to hear it, and what is told of it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from callflow.events import DigitPressed
from callflow.media import parts, rtp
from callflow.media.bridge import Relayed, in_law, translation
from callflow.media.dtmf import KeyReader
from callflow.media.latching import Sources, source_key
from callflow.media.messages import Latched, PacketsResumed, ReportCame, SourceTaken
from callflow.media.parts import AUDIO, NO_EVENTS, Parts
from callflow.media.reporter import rtcp_rows
from callflow.media.sender import Passing


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Some packets of a block, no two of one slot."""

    rows: NDArray[np.intp]
    slots: NDArray[np.int64]
    to: NDArray[np.int64]
    """The slot that is to hear each; -1 for none."""
    law: NDArray[np.int64]
    """The row of its law, where it is audio."""
    twice: NDArray[np.bool_]
    """Whether it has come before."""

    def where(self, chosen: NDArray[np.bool_]) -> "_Chosen":
        rows, slots, to = self.rows[chosen], self.slots[chosen], self.to[chosen]
        return _Chosen(rows, slots, to, self.law[chosen], self.twice[chosen])


class Intake:
    """Sorts what comes, and hands it to the ears, the accounts and the partners."""

    def __init__(self, rooms: Parts) -> None:
        self.relayed: list[Relayed] = []
        """Packets that are to leave with the next tick."""
        self._keys: dict[int, KeyReader] = {}
        self._presses = 0
        self._press_of: dict[int, int] = {}
        """The number of each slot's latest press: no two presses have the same."""
        self._agreed, self._sender, self._speaker = rooms.agreed, rooms.sender, rooms.speaker
        self._bridge, self._mixer, self._taps = rooms.bridge, rooms.mixer, rooms.taps
        self._hearing, self._quality, self._reporter = rooms.hearing, rooms.quality, rooms.reporter
        self._inband = rooms.inband
        self._latches, self._tell, self._counts = rooms.latches, rooms.tell, rooms.counts

    def open(self, slot: int) -> None:
        self._keys[slot] = KeyReader()

    def close(self, slot: int) -> None:
        del self._keys[slot]
        self._press_of.pop(slot, None)

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
        for slot in self._latches.take_crowded():
            self._tell(slot, now, SourceTaken())
        mine = slots >= 0
        self._counts["dropped_unknown_source"] += int(np.count_nonzero(~mine))
        for row in (mine & reports).nonzero()[0]:
            self._take_report(int(slots[row]), block[row, : lengths[row]].tobytes(), now)
        self._counts["dropped_not_rtp"] += int(np.count_nonzero(mine & ~good & ~reports))
        wanted = mine & good
        payloads = rtp.payloads(block, headers, wanted)
        # A slot may have several packets in the block: one of each at a time, in their order.
        rows = wanted.nonzero()[0]
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
        if taken and self._quality.is_silent(slot):
            self._tell(slot, now, ReportCame())

    def _latched(self, now: float) -> Callable[[int, int], None]:
        def latched(slot: int, source: int) -> None:
            self._sender.destination[slot] = source
            self._tell(slot, now, Latched(source))

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
        kind = self._agreed.meaning[slots, headers.payload_type[rows]]
        for slot in self._quality.resumed(slots):
            self._tell(slot, now, PacketsResumed())
        twice = self._quality.note(
            slots, headers.sequence[rows], headers.timestamp[rows], headers.ssrc[rows], now
        )
        self._hearing.lost(self._quality.lost)
        if len(self._quality.restarted):
            # By its old numbers the listener would take the stream for packets that are late.
            listeners = self._bridge.partner[self._quality.restarted]
            self._sender.cut(listeners[listeners >= 0])
        # The row of the law where it is audio.
        law = kind.astype(np.int64) - AUDIO
        to = self._bridge.listeners(slots, self._speaker.busy)
        chosen = _Chosen(rows, slots, to, law, twice)
        audio = law >> 1 == 0
        if not audio.all():
            self._take_others(chosen.where(~audio), headers, payloads, now)
            chosen = chosen.where(audio)
        if not len(chosen.rows):
            return
        heard = chosen.to >= 0
        if chosen.twice.any():
            heard &= ~chosen.twice
        if heard.all():
            self._relay_audio(chosen, headers, payloads, now)
        elif heard.any():
            self._relay_audio(chosen.where(heard), headers, payloads, now)
        self._listen(chosen, headers, payloads, now)

    def _relay_audio(self, chosen: _Chosen, headers: rtp.Headers, payloads: rtp.Block, now: float) -> None:
        rows, slots, to = chosen.rows, chosen.slots, chosen.to
        passing = _passing(rows, to, headers, headers.size[rows])
        table = translation(self._bridge.gain[slots], chosen.law, self._agreed.law[to])
        relayed = self._bridge.relay(rows, passing, self._agreed.payload_type[to], payloads, table, now)
        self._count_relayed(relayed, len(rows))

    def _listen(self, chosen: _Chosen, headers: rtp.Headers, payloads: rtp.Block, now: float) -> None:
        """Hand audio to all that listen to lines; they know each line by the law that was agreed."""
        rows, slots = chosen.rows, chosen.slots
        own = self._latches.streams.note(slots, headers.ssrc[rows], headers.sequence[rows])
        sizes, law = headers.size[rows], self._agreed.law[slots]
        sounds = in_law(payloads if len(rows) == len(payloads) else payloads[rows], chosen.law, law)
        if self._taps.any:
            new = ~chosen.twice
            self._taps.note(slots[new], sounds[new], sizes[new], law[new], now, said=True)
        if self._mixer.any:
            said = np.flatnonzero(self._bridge.gate[slots] & ~chosen.twice)
            gain = self._bridge.gain[slots[said]]
            self._mixer.hear(slots[said], sounds[said], sizes[said], law[said], gain)
        if self._inband.any:
            for slot, key in self._inband.received(slots[own], sounds[own], sizes[own], law[own]):
                self._tell(slot, now, DigitPressed(key))
        self._hearing.received(slots, sounds, sizes, law, now)

    def _take_others(self, chosen: _Chosen, headers: rtp.Headers, payloads: rtp.Block, now: float) -> None:
        """Packets that are no audio: keys, comfort noise, and what nobody agreed upon."""
        for row, slot, listener in zip(chosen.rows, chosen.slots.tolist(), chosen.to.tolist(), strict=True):
            passes = False
            match int(self._agreed.meaning[slot, headers.payload_type[row]]):
                case parts.KEY:
                    passes = self._press(slot, listener, row, headers, payloads, now)
                case parts.COMFORT_NOISE:
                    # Its own silence: the partner gets ours instead, and it may send nothing for long.
                    self._counts["comfort_noise"] += 1
                    self._quality.pause(slot)
                    self._hearing.comfort(slot, now)
                    stream = headers.ssrc[[row]], headers.sequence[[row]]
                    self._latches.streams.note(np.array([slot]), *stream)
                case _:
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
        if not self._latches.streams.own(np.array([slot]), headers.ssrc[[row]]).all():
            # What somebody else sends from the same address is no answer of this leg's.
            self._counts["dropped_key_of_another_stream"] += 1
            return False
        digit = self._read_key(slot, row, headers, payloads, now)
        if digit is not None:
            self._presses += 1
            self._press_of[slot] = self._presses
            self._tell(slot, now, DigitPressed(digit))
        takes_keys = listener >= 0 and self._agreed.event_type[listener] != NO_EVENTS
        if not (takes_keys and self._bridge.keys_pass[slot]):
            return False
        press = self._press_of.get(slot, 0)
        if headers.size[row] < 4 or (digit is None and not self._sender.relays(listener, press)):
            # The middle of a press whose beginning was not for the partner.
            return False
        one, to = np.array([row]), np.array([listener])
        passing = _passing(one, to, headers, np.zeros(1, np.int64), press)
        relayed = self._bridge.relay(one, passing, self._agreed.event_type[to], payloads, None, now)
        self._count_relayed(relayed, 1)
        return True

    def _read_key(
        self, slot: int, row: np.intp, headers: rtp.Headers, payloads: rtp.Block, now: float
    ) -> str | None:
        return self._keys[slot].receive(
            payloads[row, : int(headers.size[row])].tobytes(),
            int(headers.timestamp[row]),
            now,
            sequence=int(headers.sequence[row]),
            ssrc=int(headers.ssrc[row]),
            marker=bool(headers.marker[row]),
        )

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
    rows: NDArray[np.intp],
    to: NDArray[np.int64],
    headers: rtp.Headers,
    samples: NDArray[np.int64],
    press: int = 0,
) -> Passing:
    return Passing(to, headers.sequence[rows], headers.timestamp[rows], headers.ssrc[rows], samples, press)
