"""The legs that there are: each has a slot from its opening to its end, and a port of ours."""

from collections.abc import Callable
from dataclasses import replace

from callflow.media.intake import Intake
from callflow.media.latching import source_key
from callflow.media.messages import CloseLeg, LegCommand, MoveLeg, OpenLeg, SourceTaken, Unlatched
from callflow.media.parts import Parts


class Legs:
    """Opens, moves and closes them."""

    def __init__(self, parts: Parts, intake: Intake, new_id: Callable[[], int], capacity: int) -> None:
        self.slots: dict[int, int] = {}
        self.names: dict[int, int] = {}
        """The leg that each slot is."""
        self.mux: set[int] = set()
        """The slots whose reports share the port of their audio."""
        self._parts = parts
        self._intake = intake
        self._new_id = new_id
        self._free = list(range(capacity - 1, -1, -1))

    def open(self, leg: OpenLeg, now: float) -> bool:
        """Give a new leg a slot; whether it is new, and there was one."""
        if leg.leg in self.slots or not self._free:
            return False
        parts, slot = self._parts, self._free.pop()
        self.slots[leg.leg], self.names[slot] = slot, leg.leg
        parts.hearing.open(slot, leg.law, leg.thresholds, heard=leg.heard)
        parts.quality.open(slot)
        parts.bridge.open(slot)
        self._intake.open(slot)
        parts.sender.open(slot, leg.port, (self._new_id(), self._new_id(), self._new_id()), now)
        parts.reporter.open(slot, now)
        if leg.rtcp_mux:
            self.mux.add(slot)
        self._agree(slot, leg, now)
        parts.sender.destination[slot] = _key_or_none(leg.remote)
        free = parts.latches.expect(slot, leg.port, leg.remote, leg.expects, now)
        self._tell_claims(slot, now, free=free)
        if leg.source and parts.latches.restore(slot, leg.port, leg.source, now):
            parts.sender.destination[slot] = leg.source
        return True

    def carry_out(self, command: LegCommand, now: float) -> bool:
        """Do what changes where a leg of `slots` is; whether the command was one such."""
        match command:
            case MoveLeg(leg=leg):
                self._move(self.slots[leg], command, now)
            case CloseLeg(leg=leg):
                self._close(leg, now)
            case _:
                return False
        return True

    def _move(self, slot: int, leg: MoveLeg, now: float) -> None:
        latches, sender = self._parts.latches, self._parts.sender
        if leg.port is not None:
            sender.port[slot] = leg.port
        source, free = latches.move(slot, int(sender.port[slot]), leg.remote, leg.expects, now)
        self._agree(slot, leg, now)
        sender.destination[slot] = source or _key_or_none(leg.remote)
        self._tell_claims(slot, now, free=free)

    def _tell_claims(self, slot: int, now: float, *, free: bool) -> None:
        """Tell what the leg's claim has come to: for itself, and for those that had its source."""
        for other, announced in self._parts.latches.take_yielded():
            self._parts.sender.destination[other] = announced
            self._parts.tell(other, now, Unlatched())
        if not free:
            self._parts.tell(slot, now, SourceTaken())

    def _agree(self, slot: int, leg: OpenLeg | MoveLeg, now: float) -> None:
        parts = self._parts
        parts.agreed.agree(slot, leg)
        parts.hearing.agreed(slot, leg.law)
        if leg.listens:
            parts.bridge.listens[slot] = True
        else:
            parts.bridge.hold(slot, now)
        parts.quality.agree(slot, now, sends=leg.sends)
        if leg.remote is not None:
            parts.quality.expect(slot, now)

    def _close(self, leg: int, now: float) -> None:
        parts, slot = self._parts, self.slots[leg]
        parts.untap(slot, now)
        parts.speaker.forget(slot, now)
        parts.bridge.part(slot, now)
        parts.mixer.leave(slot)
        missed, round_trip = parts.reporter.close(slot)
        quality = parts.quality.close(slot)
        parts.tell(slot, now, replace(quality, missed=missed, round_trip=round_trip))
        self.mux.discard(slot)
        del self.slots[leg], self.names[slot]
        self._intake.close(slot)
        parts.sender.close(slot)
        parts.hearing.close(slot)
        parts.overhearing.close(slot)
        parts.inband.ignore(slot)
        parts.latches.release(slot, now)
        self._free.append(slot)


def _key_or_none(remote: tuple[str, int] | None) -> int:
    return source_key(remote) if remote else 0
