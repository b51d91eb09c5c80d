"""One call with its legs: what the call wants done is done to whom it concerns."""

from dataclasses import dataclass, field
from typing import Final

from callflow.actions import (
    Action,
    Answer,
    AskOpinion,
    Beep,
    BeginHold,
    CancelRecall,
    EndHold,
    Gate,
    HangUp,
    Keep,
    KeepWords,
    ListenClosely,
    ListenNoLonger,
    Notice,
    Progress,
    Recall,
    ReleaseSeat,
    ReplaceSeat,
    Ring,
    Say,
    SetVolume,
    StopSaying,
    TellCallerGone,
    TellSeat,
    TellSupervisor,
    WordsSpoken,
)
from callflow.call.call import Call
from callflow.call.calling import Calling
from callflow.call.dial_plan import Attendance
from callflow.call.elsewhere import Elsewhere
from callflow.call.feature_codes import FeatureCodes
from callflow.call.journal import CallEntry, FactEntry
from callflow.call.leg import Effect, Leg
from callflow.call.lines import Lines
from callflow.call.notices import fields_with, show, shown_as
from callflow.call.phonebook import Place
from callflow.call.sound import BOTH, Sound
from callflow.call.transfer_attempt import Leaving, TransferAttempt
from callflow.errors import PeerError
from callflow.events import Party
from callflow.media.messages import (
    KeepKeys,
    Part,
    PassKeys,
    Play,
    PlayTone,
)
from callflow.sip.calls import Calls
from callflow.sip.happenings import Declined
from callflow.sip.outgoing import Plan

TONE_HZ, TONE_DB = 1000.0, -15.0
"""The tone after which a message is spoken; dBFS."""
PHONES_OWN_BYE: Final = 5.0
"""Seconds that a phone has to hang up by itself when its transfer is done."""


@dataclass(slots=True)
class Room(Sound):
    """Where a caller, and whoever serves the caller, are brought together."""

    call: Call
    calling: Calling
    _calls: Calls
    _lines: Lines
    place: Place | None = None
    """Where the seat's phone is."""
    recall: Leg | None = None
    """The seat's phone, ringing anew."""
    ringing: dict[str, Leg] = field(default_factory=dict)
    """The phones that ring, by the number of the seat."""
    places: dict[str, Place] = field(default_factory=dict)
    """Where they were rung."""
    transfer: TransferAttempt = field(default_factory=TransferAttempt)
    thanked: Leg | None = None
    """The seat whose caller was just put through, and that still listens."""
    leaving: Leaving | None = None
    """The seat that has transferred the call."""
    queue: str = ""
    """Where the caller waited last."""
    ahead: int = 0
    """How many are served before; told to the call."""
    codes: FeatureCodes = field(default_factory=FeatureCodes)
    notice: Notice | None = None
    """What the seat was told last."""
    faults: int = 0
    """How often we have failed in this call."""
    is_plain: bool = False
    """Nobody is served here: colleagues speak, or it is an emergency; no seat writes such a call up."""
    name: str = field(init=False)
    """The call's."""
    _keys_kept: bool = False

    def __post_init__(self) -> None:
        self.name = self.call.ledger.call

    @property
    def legs(self) -> tuple[Leg, ...]:
        leaving = self.leaving.leg if self.leaving else None
        others = (self.seat, self.recall, self.target, leaving, *self.ringing.values())
        return (self.caller, *(leg for leg in others if leg is not None))

    # --- what the call wants ---

    def perform(self, action: Action, now: float) -> list[Effect]:
        """Turn one action of the call into SIP and commands to the plane."""
        match action:
            case Ring() | Progress() | Answer():
                return self._take_up(action, now)
            case Say() | StopSaying():
                return [*self.speak(action)]
            case ListenClosely() | AskOpinion() | ListenNoLonger() | SetVolume():
                return [*self.listen(action)]
            case Beep(seconds=seconds):
                return [PlayTone(self.caller.media, TONE_HZ, TONE_DB, seconds)]
            case HangUp(reason=reason):
                # The others are let go of with the call.
                return [*self._calls.hang_up(self.caller.session, reason, now)]
            case Gate(shut=shut):
                return self._set_gates(shut, now)
            case Recall() | CancelRecall() | ReplaceSeat() | ReleaseSeat():
                return self._change_seat(action, now)
            case TellSeat(notice=notice):
                return self._show(notice, now)
            case TellSupervisor() | KeepWords() | WordsSpoken() | TellCallerGone():
                # Whoever looks after the queue sees the first in facts and metrics; the others are done by
                # who keeps all seats' words, and tells those whose caller is gone.
                return []
            case Keep(number=number, note=note):
                return [FactEntry(self.name, number, now, note.fact, note.rule, note.details)]
            case BeginHold() | EndHold():
                return [*self.play_music(action)]
        raise ValueError(f"a call cannot {action!r}")

    def _change_seat(self, action: Action, now: float) -> list[Effect]:
        match action:
            case Recall():
                return self._recall(now)
            case CancelRecall():
                return self._drop_recall(now)
            case ReplaceSeat():
                return self._replace_seat(now)
            case _:
                return self.release_seat(now)

    def await_key(self) -> list[Effect]:
        """Listen for the caller's tones while a key is asked for, and keep keys for us from the seat."""
        kept = self.seat is not None and self.call.keeps_keys
        changed: list[Effect] = []
        if kept != self._keys_kept:
            self._keys_kept = kept
            changed.append(KeepKeys(self.caller.media) if kept else PassKeys(self.caller.media))
        target = self.target.await_key(self.call.target_awaits_key) if self.target else []
        return [*changed, *self.caller.await_key(self.call.awaits_key), *target]

    # --- seats that ring, pick up and leave ---

    def ring(self, seat: str, place: Place, now: float) -> list[Effect]:
        """Ring a seat's phone. Raises `PeerError` where there is no port for it."""
        leg, sent = self._invite(seat, place, now, about=self._known() if self.transfer.seeks else ())
        leg.takes_part(Party.TARGET if self.transfer.seeks else Party.SEAT)
        self.ringing[seat], self.places[seat] = leg, place
        return sent

    def is_unanswered(self, seat: str) -> bool:
        """Whether the phone that is rung has not even said that it has our INVITE."""
        leg = self.ringing.get(seat)
        return leg is not None and not self._calls.is_known(leg.session)

    def withdraw(self, seat: str, now: float) -> list[Effect]:
        """Ring it no longer."""
        leg = self.ringing.pop(seat, None)
        return self._end(leg, "answered elsewhere", now) if leg else []

    def declined(self, leg: Leg) -> list[Effect]:
        """A phone that rang did not take the call."""
        self.ringing.pop(leg.seat, None)
        if leg is self.recall:
            self.recall = None
        return self._lines.close(leg)

    def picked_up(self, leg: Leg, now: float) -> list[Effect]:
        """A seat has the call: the two share a room, and hear each other when the call lets them."""
        self.ringing.pop(leg.seat, None)
        self.seat, self.place = leg, self.places[leg.seat]
        return [*self._join(now), KeepKeys(leg.media)]

    def opened(self, now: float) -> list[Effect]:
        """The caller's audio has begun; a seat that picked up before that is joined only now."""
        if self.seat is None:
            return []
        kept = [KeepKeys(self.caller.media)] if self._keys_kept else []
        return [*self._join(now), *kept]

    def connected(self, seat: Leg, place: Place | None, now: float) -> list[Effect]:
        """Whom a seat has called has answered: the same as if a seat had picked up."""
        self.seat, self.place = seat, place
        return [*self._join(now), KeepKeys(seat.media)]

    def seat_left(self) -> list[Effect]:
        """The seat has hung up, or is lost."""
        seat, self.seat = self.seat, None
        self.transfer.referral = None
        self.shut = BOTH
        return self._lines.close(seat) if seat else []

    def release_seat(self, now: float) -> list[Effect]:
        """End the seat's leg; the caller stays."""
        seat, self.seat = self.seat, None
        self.transfer.referral = None
        self.shut = BOTH
        return self._end(seat, "", now) if seat else []

    # --- the target of a transfer ---

    def ring_target(self, seat: str, place: Place, now: float) -> list[Effect]:
        """Ring the phone of the seat that is to take the call. Raises `PeerError`."""
        self.target, sent = self._invite(seat, place, now, about=self._known())
        self.target.takes_part(Party.TARGET)
        self.transfer.seat = seat
        self.places[seat] = place
        return sent

    def ring_elsewhere(self, there: Elsewhere, now: float) -> list[Effect]:
        """Call a target that is none of our seats. Raises `PeerError`."""
        law = self.caller.agreed.law if self.caller.agreed else None
        host = there.hops[0].address[0]
        leg = self._lines.prepare(self.name, "", host, law, now, Party.TARGET)
        fields = (*self.calling.fields, *self._known(), *there.fields)
        hops_left = max(self.calling.hops_left - 1, 0)
        caller, description = self.calling.caller, leg.description
        plan = Plan(there.target, caller, description, there.hops, fields, (), hops_left, there.prover)
        sent = self._send(leg, plan, now)
        self.target, self.transfer.seat = leg, ""
        return sent

    def _send(self, leg: Leg, plan: Plan, now: float) -> list[Effect]:
        """Raises `PeerError` where no INVITE has left."""
        session, sent = self._calls.invite(plan, now)
        for output in sent:
            if isinstance(output, Declined):
                # It came round too often.
                self._lines.close(leg)
                raise PeerError(output.status, output.reason)
        self._lines.begun(leg, session)
        return [*sent]

    def target_found(self, leg: Leg) -> None:
        """One of the phones that rang for the transfer was answered."""
        self.ringing.pop(leg.seat, None)
        self.target, self.transfer.seat, self.transfer.seeks = leg, leg.seat, False

    def adopt_target(self, other: "Room", target: Leg) -> list[Effect]:
        """Whom the seat has spoken with in another room is the target: it hears that it is to wait."""
        other.seat = None
        target.call = self.name
        target.takes_part(Party.TARGET)
        self.target, self.transfer.seat = target, target.seat
        if other.place is not None:
            self.places[target.seat] = other.place
        return [Part(target.media), Play(target.media, self.call.please_wait)]

    def adopt_ringing(self, target: Leg, place: Place | None) -> None:
        """Whom the seat calls already is the target, whether it has picked up or not."""
        target.call = self.name
        target.takes_part(Party.TARGET)
        self.target, self.transfer.seat, self.transfer.is_adopted = target, target.seat, True
        if place is not None:
            self.places[target.seat] = place

    def target_left(self) -> list[Effect]:
        """The target did not take the call, or has hung up."""
        target, self.target = self.target, None
        self.transfer.without_target()
        return self._lines.close(target) if target else []

    def drop_target(self, why: str, now: float) -> list[Effect]:
        """The call is not for the target."""
        target, self.target = self.target, None
        self.transfer.without_target()
        return self._end(target, why, now) if target else []

    def join_target(self, now: float) -> list[Effect]:
        """The target is the caller's seat from now on."""
        before, self.seat, self.target = self.seat, self.target, None
        assert self.seat is not None
        self.seat.takes_part(Party.SEAT)
        self.place = self.places.get(self.seat.seat)
        self.transfer.without_target()
        self.codes, self.notice = FeatureCodes(), None
        if before is not None and before is self.transfer.referral:
            # A phone that is told of a completed transfer hangs up by itself.
            self.leaving = Leaving(before, now + PHONES_OWN_BYE)
            ended = []
        elif before is not None and before.is_open and not before.is_deaf:
            # It is thanked before it is let go of, by whoever does that.
            self.thanked = before
            ended = list[Effect]([Part(before.media)])
        else:
            ended = self._end(before, "transferred", now) if before else []
        return [*ended, *self._join(now), KeepKeys(self.seat.media)]

    def listening(self) -> list[Leg]:
        """The legs of seat and target that have answered and hear us; they are not the room's any more."""
        legs = [
            leg for leg in (self.seat, self.target) if leg is not None and leg.is_open and not leg.is_deaf
        ]
        self.seat = None if self.seat in legs else self.seat
        self.target = None if self.target in legs else self.target
        return legs

    def attend(self, supervisor: Leg, how: Attendance, now: float) -> list[Effect]:
        """A supervisor is in the call from now on, or is there in another way."""
        self.supervisor, self.attendance = supervisor, how
        return self._join(now) if self.seat is not None else []

    def attend_no_longer(self, now: float) -> list[Effect]:
        """The supervisor has left."""
        supervisor, self.supervisor = self.supervisor, None
        parted: list[Effect] = [Part(supervisor.media)] if supervisor else []
        return [*parted, *(self._join(now) if self.seat is not None else [])]

    def let_leave(self, now: float) -> list[Effect]:
        """The seat that has transferred the call has had its time."""
        leaving, self.leaving = self.leaving, None
        return self._end(leaving.leg, "transferred", now) if leaving else []

    @property
    def deadline(self) -> float | None:
        """When the call, or a key that was kept back, wants to be looked at."""
        leaves_at = self.leaving.until if self.leaving else None
        known = (self.call.deadline, self.codes.deadline, leaves_at)
        return min((at for at in known if at is not None), default=None)

    def let_others_go(self, now: float) -> list[Effect]:
        """The caller is alone with us: nobody serves it, rings for it, or is to."""
        others = self.legs[1:]
        self.seat = self.recall = self.target = self.leaving = self.transfer.referral = None
        self.transfer.seeks = False
        self.ringing.clear()
        ended = [effect for leg in others for effect in self._end(leg, "caller is lost", now)]
        return [*ended, *self.play_music(EndHold())]

    def entry(self) -> CallEntry:
        """The call as it is written down."""
        attends = (self.supervisor,) if self.supervisor is not None else ()
        return self.call.entry(tuple(leg.entry(self._calls) for leg in (*self.legs, *attends)))

    # --- the rooms behind ---

    def _take_up(self, action: Ring | Progress | Answer, now: float) -> list[Effect]:
        caller = self.caller
        if isinstance(action, Answer):
            return self._answer(now)
        if isinstance(action, Ring) or caller.agreed is None:
            # Early media needs the offer; without one the caller's side can only ring.
            return [*self._calls.ring(caller.session, now)]
        told = self._calls.ring(caller.session, now, 183, "Session Progress", caller.description)
        return [*told] if caller.is_open else [caller.go_by(caller.agreed), *told]

    def _answer(self, now: float) -> list[Effect]:
        caller = self.caller
        answered: list[Effect] = [*self._calls.answer(caller.session, caller.description, now)]
        # The ears are open before the caller's side can know that it may speak.
        return [caller.go_by(caller.agreed), *answered] if caller.agreed else answered

    def _set_gates(self, shut: frozenset[Party], now: float) -> list[Effect]:
        gates = self.gate(shut)
        if self.seat is None:
            return []
        # Who speaks with the caller again sees who it is.
        shown = self._show(None, now) if not shut and not self.call.asks else []
        if not shut and self.seat.joined_at is None:
            self.seat.joined_at = now
        return [*gates, *shown]

    def _show(self, notice: Notice | None, now: float) -> list[Effect]:
        """Tell the seat by its phone's display; on its page the matter stands anyhow."""
        changed, self.notice = notice != self.notice, notice
        if self.seat is None or not changed:
            return []
        return [*show(self._calls, self.seat.session, self.calling.caller, notice, now)]

    def _join(self, now: float) -> list[Effect]:
        assert self.seat is not None
        again = self.louder() if self.volume else []
        return [*self.bring_together(), *again, *self._set_gates(self.shut, now)]

    def _recall(self, now: float) -> list[Effect]:
        if self.place is None or self.recall is not None:
            return []
        try:
            self.recall, sent = self._invite(self.place.seat, self.place, now, self.notice)
        except PeerError:
            # No port: the deadline of the recall leads on.
            return []
        return sent

    def _drop_recall(self, now: float) -> list[Effect]:
        leg, self.recall = self.recall, None
        return self._end(leg, "caller is served", now) if leg else []

    def _replace_seat(self, now: float) -> list[Effect]:
        before, self.seat, self.recall = self.seat, self.recall, None
        if self.seat is None:
            self.seat = before
            return []
        ended = self._end(before, "picked up anew", now) if before else []
        return [*ended, *self._join(now), KeepKeys(self.seat.media)]

    def _invite(
        self,
        seat: str,
        place: Place,
        now: float,
        notice: Notice | None = None,
        about: tuple[tuple[str, str], ...] = (),
    ) -> tuple[Leg, list[Effect]]:
        """Ring a phone; with a notice it is shown for the caller's name. `about` is what else it is told."""
        law = self.caller.agreed.law if self.caller.agreed else None
        leg = self._lines.prepare(self.name, seat, place.hop.address[0], law, now)
        plan = Plan(
            place.target,
            shown_as(self.calling.caller, notice),
            leg.description,
            place.hops,
            (*fields_with(self.calling.fields, notice), *about),
            max_forwards=max(self.calling.hops_left - 1, 0),
        )
        return leg, self._send(leg, plan, now)

    def _known(self) -> tuple[tuple[str, str], ...]:
        """What a target's phone is told of the call: from whom it comes (RFC 3892), and what it is about."""
        told = []
        if self.seat is not None:
            told.append(("referred-by", f"<sip:{self.seat.seat}@{self._lines.host}>"))
        if self.call.about.matter:
            told.append(("subject", self.call.about.matter))
        return tuple(told)

    def _end(self, leg: Leg, reason: str, now: float) -> list[Effect]:
        return [*self._calls.hang_up(leg.session, reason, now), *self._lines.close(leg)]
