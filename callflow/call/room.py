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
from callflow.call.calling import Calling, recording
from callflow.call.dial_plan import Attendance
from callflow.call.ears import listening
from callflow.call.feature_codes import FeatureCodes
from callflow.call.journal import CallEntry, FactEntry
from callflow.call.leg import Effect, Leg
from callflow.call.lines import Lines
from callflow.call.notices import fields_with, show, shown_as
from callflow.call.phonebook import Place
from callflow.call.spelling import Spell, Spelling
from callflow.errors import PeerError
from callflow.etiquette.briefing import OWN_WORDS
from callflow.events import Event, Party
from callflow.media.messages import (
    Command,
    Confer,
    Join,
    KeepFrom,
    KeepKeys,
    OpenGate,
    Part,
    PassKeys,
    Play,
    PlayBoth,
    PlayMusic,
    PlayTone,
    SetGain,
    ShutGate,
    StopMusic,
    StopPlaying,
)
from callflow.sip.calls import Calls
from callflow.sip.happenings import Declined
from callflow.sip.outgoing import Plan

BOTH = frozenset({Party.CALLER, Party.SEAT})
_TONE_HZ, _TONE_DB = 1000.0, -15.0
"""The tone after which a message is spoken; dBFS."""
PHONES_OWN_BYE: Final = 5.0
"""Seconds that a phone has to hang up by itself when its transfer is done."""


@dataclass(slots=True)
class Room:
    """Where a caller, and whoever serves the caller, are brought together."""

    call: Call
    caller: Leg
    calling: Calling
    _calls: Calls
    _lines: Lines
    seat: Leg | None = None
    """Whoever has picked up."""
    place: Place | None = None
    """Where the seat's phone is."""
    recall: Leg | None = None
    """The seat's phone, ringing anew."""
    ringing: dict[str, Leg] = field(default_factory=dict)
    """The phones that ring, by the number of the seat."""
    places: dict[str, Place] = field(default_factory=dict)
    """Where they were rung."""
    target: Leg | None = None
    """Whom the call is to be transferred to: rung, or listening to the brief."""
    is_adopted: bool = False
    """Whether the target was called before the caller was asked."""
    target_wanted: bool = False
    """Whether the caller has agreed to such a target."""
    target_seat: str = ""
    """The number of the latest target."""
    target_status: tuple[int, str] = (480, "Temporarily Unavailable")
    """What the latest target's phone said that did not take the call."""
    seeks: bool = False
    """Whether the phones that ring are to take the call from the seat that has it."""
    own_words: str = ""
    """What the seat has said for the target, by its name in the plane."""
    referral: Leg | None = None
    """The leg whose phone asked for the transfer by REFER, and is told what comes of it."""
    supervisor: Leg | None = None
    """Who attends the call."""
    attendance: Attendance = Attendance.LISTEN
    leaving: Leg | None = None
    """The seat that has transferred the call: its phone may hang up by itself."""
    leaves_at: float | None = None
    """When it is hung up for it (seconds)."""
    queue: str = ""
    """Where the caller waited last."""
    ahead: int = 0
    """How many are served before; told to the call."""
    codes: FeatureCodes = field(default_factory=FeatureCodes)
    notice: Notice | None = None
    """What the seat was told last."""
    is_plain: bool = False
    """Nobody is served here: colleagues speak, or it is an emergency; no seat writes such a call up."""
    _shut: frozenset[Party] = BOTH
    _keys_kept: bool = False
    _says_to_both: bool = False
    _volume: int = 0
    """By how many decibels the caller hears the seat louder than its phone sends."""
    spell: Spell | None = field(default=None, repr=False)
    """Says what nobody knows before the call; without it that is not said."""
    _spelling: Spelling = field(default_factory=Spelling, repr=False)

    @property
    def name(self) -> str:
        return self.call.ledger.call

    @property
    def legs(self) -> tuple[Leg, ...]:
        others = (self.seat, self.recall, self.target, self.leaving, *self.ringing.values())
        return (self.caller, *(leg for leg in others if leg is not None))

    # --- what the call wants ---

    def perform(self, action: Action, now: float) -> list[Effect]:
        """Turn one action of the call into SIP and commands to the plane."""
        match action:
            case Ring() | Progress() | Answer():
                return self._take_up(action, now)
            case Say() | StopSaying():
                return [*self._speak(action)]
            case ListenClosely() | AskOpinion() | ListenNoLonger() | SetVolume():
                return [*self._attend(action)]
            case Beep(seconds=seconds):
                return [PlayTone(self.caller.media, _TONE_HZ, _TONE_DB, seconds)]
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
                return [*self._hold(action)]
        raise ValueError(f"a call cannot {action!r}")

    def _hold(self, action: BeginHold | EndHold) -> list[Command]:
        if isinstance(action, EndHold):
            return [StopMusic(self.caller.media)]
        # Without music there is quiet between the words: the caller's leg always has a stream.
        return [PlayMusic(self.caller.media, action.music)] if action.music else []

    def _attend(self, action: ListenClosely | AskOpinion | ListenNoLonger | SetVolume) -> list[Command]:
        """Hear the caller better, or let it hear the seat better."""
        if not isinstance(action, SetVolume):
            return [listening(action, self.caller.media)]
        self._volume = action.decibels
        return self._louder()

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

    def go_on(self, event: Event) -> list[Effect] | None:
        """What the plane tells of the caller's leg is about one recording of several that say a prompt."""
        recording = self._spelling.go_on(event)
        if recording is None:
            return None
        return [Play(self.caller.media, recording)] if recording else []

    # --- seats that ring, pick up and leave ---

    def ring(self, seat: str, place: Place, now: float) -> list[Effect]:
        """Ring a seat's phone. Raises `PeerError` where there is no port for it."""
        leg, sent = self._invite(seat, place, now, about=self._known() if self.seeks else ())
        leg.party = Party.TARGET if self.seeks else Party.SEAT
        self.ringing[seat], self.places[seat] = leg, place
        return sent

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
        self.referral = None
        self._shut = BOTH
        return self._lines.close(seat) if seat else []

    def release_seat(self, now: float) -> list[Effect]:
        """End the seat's leg; the caller stays."""
        seat, self.seat = self.seat, None
        self.referral = None
        self._shut = BOTH
        return self._end(seat, "", now) if seat else []

    # --- the target of a transfer ---

    def ring_target(self, seat: str, place: Place, now: float) -> list[Effect]:
        """Ring the phone of the seat that is to take the call. Raises `PeerError`."""
        self.target, sent = self._invite(seat, place, now, about=self._known())
        self.target.party, self.target_seat = Party.TARGET, seat
        self.places[seat] = place
        return sent

    def target_found(self, leg: Leg) -> None:
        """One of the phones that rang for the transfer was answered."""
        self.ringing.pop(leg.seat, None)
        self.target, self.target_seat, self.seeks = leg, leg.seat, False

    def adopt_target(self, other: "Room", target: Leg) -> list[Effect]:
        """Whom the seat has spoken with in another room is the target: it hears that it is to wait."""
        other.seat = None
        target.call, target.party = self.name, Party.TARGET
        self.target, self.target_seat = target, target.seat
        if other.place is not None:
            self.places[target.seat] = other.place
        return [Part(target.media), Play(target.media, self.call.please_wait)]

    def adopt_ringing(self, target: Leg, place: Place | None) -> None:
        """Whom the seat calls already is the target, whether it has picked up or not."""
        target.call, target.party = self.name, Party.TARGET
        self.target, self.target_seat, self.is_adopted = target, target.seat, True
        if place is not None:
            self.places[target.seat] = place

    def target_left(self) -> list[Effect]:
        """The target did not take the call, or has hung up."""
        target, self.target = self.target, None
        self.is_adopted = self.target_wanted = False
        return self._lines.close(target) if target else []

    def drop_target(self, why: str, now: float) -> list[Effect]:
        """The call is not for the target."""
        target, self.target = self.target, None
        self.is_adopted = self.target_wanted = False
        return self._end(target, why, now) if target else []

    def join_target(self, now: float) -> list[Effect]:
        """The target is the caller's seat from now on."""
        before, self.seat, self.target = self.seat, self.target, None
        assert self.seat is not None
        self.seat.party, self.place = Party.SEAT, self.places.get(self.seat.seat)
        self.is_adopted = self.target_wanted = False
        self.codes, self.notice = FeatureCodes(), None
        if before is not None and before is self.referral:
            # A phone that is told of a completed transfer hangs up by itself.
            self.leaving, self.leaves_at = before, now + PHONES_OWN_BYE
            ended = []
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
        leaving, self.leaving, self.leaves_at = self.leaving, None, None
        return self._end(leaving, "transferred", now) if leaving else []

    @property
    def deadline(self) -> float | None:
        """When the call, or a key that was kept back, wants to be looked at."""
        known = (self.call.deadline, self.codes.deadline, self.leaves_at)
        return min((at for at in known if at is not None), default=None)

    def let_go(self, now: float) -> list[Effect]:
        """The call is over: no leg is left."""
        others = [effect for leg in self.legs[1:] for effect in self._calls.hang_up(leg.session, "", now)]
        return [*others, *(effect for leg in self.legs for effect in self._lines.close(leg))]

    def entry(self) -> CallEntry:
        """The call as it is written down."""
        return self.call.entry(tuple(leg.entry(self._calls) for leg in self.legs))

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

    def _speak(self, action: Say | StopSaying) -> list[Command]:
        to_both, caller = self._says_to_both, self.caller.media
        self._spelling.stop()
        if not self.caller.is_open:
            # Who is not answered and has offered no audio hears nobody.
            return []
        if isinstance(action, StopSaying):
            self._says_to_both = False
            also = [StopPlaying(self.seat.media)] if to_both and self.seat else []
            return [StopPlaying(caller), *also]
        if action.secret and self.spell and Party.CALLER in action.to:
            return [Play(caller, self._spelling.begin(self.spell(action.prompt, action.secret)))]
        name = recording(action.prompt, {**action.fields, **action.secret})
        if Party.TARGET in action.to:
            name = self.own_words if action.prompt == OWN_WORDS else name
            return [
                Play(leg.media, name) for leg in (self.caller, self.target) if leg and leg.party in action.to
            ]
        hears = self.seat is not None and Party.SEAT in action.to
        self._says_to_both = hears and Party.CALLER in action.to
        if self.seat is None or not hears:
            return [Play(caller, name)] if Party.CALLER in action.to else []
        if self._says_to_both and self.supervisor is None:
            return [PlayBoth(caller, name)]
        # Three are no pair: each of the two is told by itself.
        first = [Play(caller, name)] if self._says_to_both else []
        return [*first, Play(self.seat.media, name)]

    def _set_gates(self, shut: frozenset[Party], now: float) -> list[Effect]:
        self._shut = shut
        if self.seat is None:
            return []
        # Who speaks with the caller again sees who it is.
        shown = self._show(None, now) if not shut and not self.call.asks else []
        if not shut and self.seat.joined_at is None:
            self.seat.joined_at = now
        legs = {Party.CALLER: self.caller, Party.SEAT: self.seat}
        gates = [ShutGate(leg.media) if party in shut else OpenGate(leg.media) for party, leg in legs.items()]
        return [*gates, *shown]

    def _show(self, notice: Notice | None, now: float) -> list[Effect]:
        """Tell the seat by its phone's display; on its page the matter stands anyhow."""
        changed, self.notice = notice != self.notice, notice
        if self.seat is None or not changed:
            return []
        return [*show(self._calls, self.seat.session, self.calling.caller, notice, now)]

    def _join(self, now: float) -> list[Effect]:
        assert self.seat is not None
        again = self._louder() if self._volume else []
        return [*self._bring_together(), *again, *self._set_gates(self._shut, now)]

    def _bring_together(self) -> list[Command]:
        """Caller and seat hear each other, and whoever attends the call hears them."""
        assert self.seat is not None
        caller, seat = self.caller.media, self.seat.media
        if self.supervisor is None:
            return [Join(caller, seat)]
        third = self.supervisor.media
        unheard_by = {
            Attendance.LISTEN: (caller, seat),
            Attendance.WHISPER: (caller,),
            Attendance.BARGE: (),
        }
        return [Confer(caller, (seat, third)), KeepFrom(third, unheard_by[self.attendance])]

    def _louder(self) -> list[Command]:
        return [SetGain(self.seat.media, float(self._volume))] if self.seat else []

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
            (place.hop,),
            (*fields_with(self.calling.fields, notice), *about),
            max_forwards=max(self.calling.hops_left - 1, 0),
        )
        session, sent = self._calls.invite(plan, now)
        for output in sent:
            if isinstance(output, Declined):
                # It came round too often: no INVITE has left.
                self._lines.close(leg)
                raise PeerError(output.status, output.reason)
        self._lines.begun(leg, session)
        return leg, [*sent]

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
