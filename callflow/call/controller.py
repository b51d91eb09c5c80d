"""All calls: which one a message or a sound belongs to, and what each wants done. Still pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from callflow.actions import (
    Action,
    Answer,
    DropTarget,
    FindSeat,
    HandToQueue,
    JoinTarget,
    KeepWords,
    RecordMessage,
    RingTarget,
    StoreMessage,
    TellSeat,
    WordsSpoken,
)
from callflow.agenda import Agenda
from callflow.call.call import Call
from callflow.call.caller_side import CallerSide
from callflow.call.calling import calling_as
from callflow.call.calls_from_seats import CallsFromSeats
from callflow.call.desk import Desk
from callflow.call.desk_view import Asked, View
from callflow.call.destinations import Destinations
from callflow.call.dial_plan import CallsOut, DialPlan
from callflow.call.farewells import Farewells
from callflow.call.journal import CallEntry, Journalled
from callflow.call.ledger import Ledger, Sink
from callflow.call.leg import Broke, Effect, Leg
from callflow.call.lines import Lines
from callflow.call.media_side import MediaSide
from callflow.call.own_words import OwnWords
from callflow.call.phonebook import Phonebook
from callflow.call.queues import QueuePlan
from callflow.call.recorder import EMPTY, Message, Recorder, Written
from callflow.call.room import Room
from callflow.call.seat_side import SeatSide
from callflow.call.seats import SeatPlan
from callflow.call.served import served
from callflow.call.spelling import Spell
from callflow.call.switchboard import Connected, Deserted, Happened, News, Switchboard
from callflow.call.transferring import Transferring
from callflow.call.trunk_health import TrunkHealth
from callflow.errors import IllegalEvent, PeerError
from callflow.etiquette.house import CARRIED, House
from callflow.etiquette.modes import Modes
from callflow.events import (
    CallAnswered,
    CallArrived,
    Event,
    FactKept,
    Party,
    PromptFinished,
    PromptStarted,
    PromptStopped,
)
from callflow.facts import Fact
from callflow.flow.model import Flow
from callflow.media.messages import (
    LegQuality,
    MediaEvent,
    Recorded,
    Report,
)
from callflow.media.ports import PortPool
from callflow.media.thresholds import Thresholds
from callflow.sip.address import Address, Transport
from callflow.sip.endpoint import Endpoint
from callflow.sip.happenings import (
    Counted,
    Invited,
    Output,
    Referred,
    Told,
)
from callflow.sip.locate import Candidate


@dataclass(frozen=True, slots=True)
class Settings:
    """What every call of this controller has in common."""

    flow: Flow
    house: House
    media_host: str
    """The IPv4 address that callers send their audio to."""
    most_calls: int
    journals: bool = False
    """Whether each change of a call is to be written down."""
    seats: tuple[SeatPlan, ...] = ()
    queues: tuple[QueuePlan, ...] = ()
    wrap_up: float = 15.0
    """Seconds after each call in which its seat is not rung."""
    phones: tuple[str, ...] = ()
    """Free desks, by their accounts."""
    away_reasons: Mapping[str, str] = field(default_factory=dict)
    """By the digit that is dialled for them."""
    calls_out: CallsOut = field(default_factory=CallsOut)
    modes: Modes = field(default_factory=Modes)
    """Which rules are in force for some queues and trunks."""
    sayable: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """What there are recordings of to tell a target who calls and why: `surname`, `matter`."""
    hearing: Mapping[str, Thresholds] = field(default_factory=dict)
    """How the lines of trunks are heard that are other than most, by the trunks' names."""
    spell: Spell | None = None
    """Says numbers that nobody knows before the call; without it they are not read back."""


class Controller:
    """SIP messages, reports of the plane and time come in; effects go out."""

    def __init__(
        self,
        settings: Settings,
        endpoint: Endpoint,
        ports: PortPool,
        new_call: Callable[[], str],
        sink: Sink | None = None,
        now: float = 0.0,
    ) -> None:
        """`new_call` names calls; `sink` is told every fact as it happens.

        `now` is since when the seats do what they do, in seconds of the same clock as always.
        """
        self._settings = settings
        self._endpoint = endpoint
        self._ports = ports
        self._new_call = new_call
        self._sink = sink
        self._lines = Lines(endpoint.calls, ports, settings.media_host)
        self.switchboard = self._new_switchboard(now)
        self._from_seats = self._new_from_seats()
        destinations = Destinations(self.switchboard.seats, settings.queues)
        answers = settings.house.transfer.take, settings.house.transfer.decline
        self._desk = Desk(self.switchboard, destinations, settings.sayable, answers)
        self._caller_side = CallerSide(self._lines, endpoint.calls)
        self._health = TrunkHealth(self._tell)
        self._media_side = MediaSide(self._lines, self._ledger_of, self._health)
        self._seat_side = SeatSide(self._lines, endpoint.calls, self.switchboard, destinations)
        self._recorder = Recorder()
        self._transferring = Transferring(
            self._lines,
            endpoint.calls,
            self.switchboard,
            destinations,
            lambda name: self._rooms.get(name),
            endpoint.trunks,
            self._from_seats.hand_over,
        )
        self._own_words = OwnWords()
        self._farewells = Farewells(self._lines, endpoint.calls)
        self._rooms: dict[str, Room] = {}
        self._written: dict[str, CallEntry] = {}
        self._agenda: Agenda[str] = Agenda()

    def __len__(self) -> int:
        """Calls that are not over, and messages of callers that are not on disk."""
        return len(self._rooms) + len(self._from_seats) + len(self._recorder)

    @property
    def deadline(self) -> float | None:
        rooms = (
            self._endpoint,
            self.switchboard,
            self._from_seats,
            self._recorder,
            self._own_words,
            self._farewells,
        )
        known = (self._agenda.next, *(room.deadline for room in rooms))
        return min((at for at in known if at is not None), default=None)

    def in_hand(self) -> dict[str, int]:
        """What must come to nothing when all calls are over and 32 s have passed."""
        own = {"calls": len(self), "legs": len(self._lines), "ports": len(self._ports)}
        return {**self._endpoint.in_hand(), **own}

    def receive(
        self, data: bytes, source: Address, now: float, transport: Transport = Transport.UDP
    ) -> list[Effect]:
        """A SIP message has come."""
        return self._take(self._endpoint.receive(data, source, now, transport), now)

    def failed(self, destination: Address, transport: Transport, now: float) -> list[Effect]:
        """Nothing can be carried there."""
        return self._take(self._endpoint.failed(destination, transport, now), now)

    def hear(self, report: Report) -> list[Effect]:
        """The plane tells of a leg; what it tells may be older than the leg's end."""
        if isinstance(report.event, LegQuality):
            self._media_side.heard_well(report.leg, report.event, report.at)
            return []
        if isinstance(report.event, Recorded):
            self._recorder.heard(report.leg, report.event)
            self._own_words.heard(report.leg, report.event)
            return []
        leg = self._lines.heard(report.leg)
        if isinstance(report.event, MediaEvent):
            return self._media_side.told(leg, report.event, report.at)
        if leg is None:
            return []
        if leg in self._farewells:
            return self._farewells.heard(leg, report.event, report.at)
        if leg.call in self._from_seats:
            return self._spread(self._from_seats.heard(leg, report.event, report.at), report.at)
        if leg.party is Party.TARGET:
            heard = self._transferring.heard(self._rooms[leg.call], heard_as(report.event))
            return self._spread(heard, report.at)
        if leg.party is Party.SEAT:
            room = self._rooms[leg.call]
            heard = self._seat_side.heard(room, leg, heard_as(report.event), report.at)
            effects = self._spread(heard, report.at)
            self._watch(room)
            return effects
        between = self._rooms[leg.call].go_on(report.event)
        return self._happen(leg, heard_as(report.event), report.at) if between is None else between

    def tick(self, now: float) -> list[Effect]:
        """Deadlines have come."""
        effects = self._take(self._endpoint.tick(now), now)
        for name in self._agenda.take_due(now):
            room = self._rooms[name]
            effects += self._spread(self._seat_side.tick(room, now), now)
            effects += self._transferring.tick(room, now)
            self._watch(room)
            if name in self._rooms:
                effects += self._act(room, lambda call: call.tick(now), now)
        effects += self._spread([*self.switchboard.tick(now), *self._from_seats.tick(now)], now)
        effects += self._farewells.tick(now)
        for room, known, event in self._own_words.tick(now):
            effects += [*known, *self._happen(room.caller, event, now)]
        for message in self._recorder.tick(now):
            effects += self._whole(message, now)
        return effects

    def kept(self, call: str, number: int, now: float) -> list[Effect]:
        """The journal has a fact of a call on disk."""
        room = self._rooms.get(call)
        return self._happen(room.caller, FactKept(number), now) if room else []

    def written(self, written: Written, now: float) -> list[Effect]:
        """What became of a caller's message; the caller may be gone by then."""
        lost = [Counted("fault", "message_lost")] if written.why not in ("", EMPTY) else []
        told = self._recorder.written(written, now)
        if told is None or told[0] not in self._rooms:
            return [*lost]
        return [*lost, *self._happen(self._rooms[told[0]].caller, told[1], now)]

    def located(self, trunk: str, candidates: Sequence[Candidate], now: float) -> list[Effect]:
        """A trunk's addresses as DNS has them now."""
        return self._take(self._endpoint.trunks.located(trunk, candidates, now), now)

    def desk_of(self, seat: str, now: float) -> View:
        """What the seat's page shows."""
        return self._desk.view(seat, self._rooms.values(), now)

    def desk_refuses(self, seat: str, asked: Asked, now: float) -> str:
        """Why a seat cannot have what its page asks for; empty where it can."""
        return self._desk.why_not(seat, asked, self._rooms.values(), now)

    def desk_asks(self, seat: str, asked: Asked, now: float) -> list[Effect]:
        """A seat asks for something by its page."""
        return self._spread(self._desk.does(seat, asked, self._rooms.values(), now), now)

    @property
    def registered(self) -> bool:
        """Whether any trunk still thinks that we take calls."""
        return self._endpoint.trunks.registered

    def drain(self, now: float) -> list[Effect]:
        """Take no new calls, and tell those who would send us some."""
        self._endpoint.calls.draining = True
        return self._take(self._endpoint.trunks.stop(now), now)

    def part(self, reason: str, now: float) -> list[Effect]:
        """Bring every call to its end with the last words and the pause."""
        effects = self._spread(self._from_seats.part(now), now)
        for room in [*self._rooms.values()]:
            effects += self._act(room, lambda call: call.part(reason, now), now)
        return effects

    def media_gone(self, now: float) -> list[Effect]:
        """The plane is gone: nobody can be heard, and no new call is taken until it is back."""
        self._endpoint.calls.paused = True
        return []

    def media_back(self, now: float) -> list[Effect]:
        """The plane is there again, with all legs."""
        self._endpoint.calls.paused = False
        return []

    def drop_all(self, reason: str, now: float) -> list[Effect]:
        """End every call without a word, as there is nothing to say it with."""
        effects = self._spread(self._from_seats.part(now), now)
        for room in [*self._rooms.values()]:
            effects += self._act(room, lambda call: call.give_up(reason, now), now)
        return effects

    def end_earlier(self, entry: CallEntry, now: float) -> list[Effect]:
        """End a call of an earlier life of the program: a BYE for each of its dialogs that can be read."""
        outputs: list[Output] = []
        for leg in entry.legs:
            try:
                dialog = leg.dialog.dialog() if leg.dialog else None
            except (PeerError, ValueError):
                # An early dialog, or one whose line was harmed: its peer's own timers end it.
                continue
            if dialog is not None:
                outputs += self._endpoint.calls.end_earlier(dialog, "restarted", now)
        return self._take(outputs, now)

    def _new_switchboard(self, now: float) -> Switchboard:
        settings = self._settings
        return Switchboard(
            settings.seats,
            settings.queues,
            Phonebook(self._endpoint.bindings),
            self._lines,
            self._tell,
            wrap_up=settings.wrap_up,
            phones=settings.phones,
            now=now,
        )

    def _new_from_seats(self) -> CallsFromSeats:
        settings = self._settings
        return CallsFromSeats(
            DialPlan(settings.calls_out, self.switchboard.seats.__contains__, settings.away_reasons),
            settings.calls_out,
            self._endpoint,
            self._lines,
            self.switchboard,
            self._new_dialled,
            settings.media_host,
            lambda *called: self._transferring.called(*called),
            self._served_by,
        )

    def _served_by(self, seat: str) -> Room | None:
        """The call that a seat serves."""
        return next((room for room in self._rooms.values() if room.seat and room.seat.seat == seat), None)

    def _ledger_of(self, name: str) -> Ledger | None:
        room = self._rooms.get(name)
        return room.call.ledger if room else None

    def _tell(self, fact: Fact) -> None:
        if self._sink is not None:
            self._sink(fact)

    # --- what SIP tells ---

    def _take(self, outputs: list[Output], now: float) -> list[Effect]:
        effects: list[Effect] = []
        for output in outputs:
            match output:
                case Invited():
                    effects += self._invited(output, now)
                case Told():
                    leg = self._lines.get(output.session)
                    effects += self._told(leg, output, now) if leg else []
                case _:
                    effects.append(output)
        return effects

    def _told(self, leg: Leg, told: Told, now: float) -> list[Effect]:
        if isinstance(told, Referred) and (leg.party is Party.CALLER or leg.call in self._from_seats):
            # Only who serves a caller may pass the caller on.
            refused = PeerError(403, "Forbidden")
            return [*self._endpoint.calls.refuse_referral(leg.session, refused, now)]
        if leg in self._farewells:
            return self._farewells.told(leg, told, now)
        if leg.call in self._from_seats:
            return self._spread(self._from_seats.told(leg, told, now), now)
        room = self._rooms[leg.call]
        if isinstance(told, Referred):
            news = self._transferring.referred(room, leg, told, now)
        elif leg.party is Party.TARGET:
            news = self._transferring.told(room, leg, told, now)
        elif leg.party is Party.SEAT:
            news = self._seat_side.told(room, leg, told, now)
        else:
            news = self._caller_side.told(room, told, now)
        effects = self._spread(news, now)
        self._watch(room)
        return effects

    def _invited(self, invited: Invited, now: float) -> list[Effect]:
        name, full = self._new_call(), len(self) >= self._settings.most_calls
        if self._from_seats.is_one(invited):
            return self._spread(self._from_seats.invited(name, invited, now, full=full), now)
        try:
            if full:
                raise PeerError(503, "Service Unavailable")
            if invited.replaces:
                # Nobody takes a caller over without having been agreed to.
                raise PeerError(603, "Decline")
            leg = self._lines.answer(name, invited, now)
        except PeerError as error:
            refused: list[Effect] = [*self._endpoint.calls.refuse(invited.session, error, now)]
            return [*refused, Counted("rejected", str(error.status))]
        settings = self._settings
        trunk = leg.trunk = self._endpoint.trunks.at(invited.source)
        leg.thresholds = settings.hearing.get(trunk)
        modes, base = settings.modes, settings.house
        call = Call(
            settings.flow,
            modes.house(base, trunk=trunk),
            Ledger(name, self._sink),
            lambda queue: modes.house(base, trunk=trunk, queue=queue),
            keeps=settings.journals,
            at_fault=lambda: self._health.at_fault(leg),
        )
        calling = calling_as(invited, settings.media_host)
        self._rooms[name] = Room(
            call, calling, self._endpoint.calls, self._lines, caller=leg, spell=settings.spell
        )
        arrived = CallArrived(invited.caller, invited.called, trunk, withheld=invited.private)
        return self._happen(leg, arrived, now)

    # --- seats ---

    def _spread(self, news: list[News], now: float) -> list[Effect]:
        """What the switchboard has done, and what it tells the calls."""
        effects: list[Effect] = []
        for each in news:
            match each:
                case Happened(room=room, event=event) if room.name in self._rooms:
                    effects += self._happen(room.caller, event, now)
                case Happened():
                    continue
                case Deserted(room=room):
                    effects += self._act(room, lambda call: call.give_up("transferred", now), now)
                case Connected(room=room, seat=seat):
                    effects += self._connect(room, seat, now)
                case effect:
                    effects.append(effect)
        return effects

    def _connect(self, room: Room, seat: str, now: float) -> list[Effect]:
        """Whom a seat has called has answered."""
        self._rooms[room.name] = room
        return self._act(room, lambda call: call.connected(seat, now), now)

    def _new_dialled(self, name: str, queue: str, is_plain: bool) -> Call:
        settings = self._settings
        flow, ledger = served(queue, settings.flow.limits), Ledger(name, self._sink)
        if is_plain:
            return Call(flow, settings.house.without(*CARRIED), ledger)

        def in_queue(queue: str) -> House:
            return settings.modes.house(settings.house, queue=queue)

        return Call(flow, in_queue(queue), ledger, in_queue, keeps=settings.journals)

    def _watch(self, room: Room) -> None:
        if room.name in self._rooms:
            self._agenda.put(room.name, room.deadline)

    # --- what a call wants ---

    def _happen(self, leg: Leg, event: Event, now: float) -> list[Effect]:
        room = self._rooms.get(leg.call)
        return self._act(room, lambda call: call.receive(event, now), now) if room else []

    def _act(self, room: Room, work: Callable[[Call], list[Action]], now: float) -> list[Effect]:
        """Let a call do something, and do what it wants; whatever happens it keeps a deadline."""
        try:
            actions = work(room.call)
        except IllegalEvent:
            # A fault of ours; the caller must not be the one who pays for it.
            return [Counted("fault", "illegal_event"), *self._perform(room, [], now)]
        except Exception as error:
            return [Broke(error), *self._perform(room, _last_words(room.call, now), now)]
        return self._perform(room, actions, now)

    def _perform(self, room: Room, actions: list[Action], now: float) -> list[Effect]:
        effects: list[Effect] = []
        for action in actions:
            match action:
                case FindSeat() | HandToQueue() | RingTarget() | DropTarget() | JoinTarget():
                    effects += self._find(room, action, now)
                    continue
                case RecordMessage() | StoreMessage():
                    effects += self._record(room, action, now)
                    continue
                case KeepWords():
                    effects += self._own_words.begin(room)
                case WordsSpoken():
                    effects += self._own_words.finish(room, now)
                case TellSeat(notice=notice):
                    effects += self._spread(self._transferring.shown(room, notice, now), now)
            effects += self._spread(self.switchboard.performed(room, action, now), now)
            effects += room.perform(action, now)
            if isinstance(action, Answer):
                effects += self._happen(room.caller, CallAnswered(), now)
        return [*effects, *self._performed(room, now)]

    def _performed(self, room: Room, now: float) -> list[Effect]:
        """The call has got what it wanted."""
        if room.call.ended:
            return self._forget(room, now)
        self._watch(room)
        return [*room.await_key(), *self._journal(room)] if room.name in self._rooms else []

    def _find(
        self, room: Room, action: FindSeat | HandToQueue | RingTarget | DropTarget | JoinTarget, now: float
    ) -> list[Effect]:
        """Look for whoever is to speak with the caller, or for nobody any more."""
        match action:
            case FindSeat(queue=queue):
                return self._spread(self.switchboard.find(room, queue, now), now)
            case HandToQueue():
                return self._spread(self.switchboard.find(room, room.queue, now, head=True), now)
            case RingTarget():
                return self._spread(self._transferring.performed(room, action, now), now)
        # Whoever was to hear the seat's own words has heard them, or never will.
        effects = self._own_words.forget(room)
        effects += self._spread(self._transferring.performed(room, action, now), now)
        if thanked := room.thanked:
            room.thanked = None
            effects += self._farewells.begin(thanked, room.call.transfer_done, now)
        return effects

    def _record(self, room: Room, action: RecordMessage | StoreMessage, now: float) -> list[Effect]:
        call, media = room.call, room.caller.media
        if isinstance(action, StoreMessage):
            return [*self._recorder.finish(media, now)]
        return [*self._recorder.begin(media, call.ledger, room.queue, call.whom)]

    def _journal(self, room: Room) -> list[Effect]:
        if not self._settings.journals or room.call.ended:
            return []
        entry = room.entry()
        if self._written.get(room.name) == entry:
            return []
        self._written[room.name] = entry
        return [Journalled(room.name, entry)]

    def _forget(self, room: Room, now: float) -> list[Effect]:
        """The call is over: whoever rings or talks for it is let go."""
        if self._rooms.pop(room.name, None) is None:
            return []
        # Who hangs up has said all there is to say.
        spoken = self._recorder.finish(room.caller.media, now)
        freed = self._spread(self.switchboard.left(room, now), now)
        freed += self._spread(self._from_seats.ended(room, now), now)
        freed += [*self._own_words.forget(room), *self._part_from_seats(room, now)]
        self._agenda.put(room.name, None)
        self._media_side.ended(room.call.ledger)
        self._health.ended(room.caller, now)
        over = self._written.pop(room.name, None)
        ended = room.let_go(now)
        return [*spoken, *freed, *ended, *([Journalled(room.name, None)] if over else [])]

    def _part_from_seats(self, room: Room, now: float) -> list[Effect]:
        """Those who still speak with us hear that their caller is gone, where there is something to hear."""
        if not room.call.tells_caller_gone:
            return []
        told: list[Effect] = []
        for leg in room.listening():
            told += self._farewells.begin(leg, room.call.caller_gone, now)
        return told

    def _whole(self, message: Message, now: float) -> list[Effect]:
        """A message is ready to be written, unless nothing was said."""
        return [message] if message.pieces else self.written(Written(message.number, why=EMPTY), now)


def heard_as(event: Event) -> Event:
    """The same event with the prompt's own name, whatever its slots were filled with."""
    match event:
        case PromptStarted(prompt=prompt) | PromptFinished(prompt=prompt) | PromptStopped(prompt=prompt):
            return type(event)(prompt.partition("?")[0])
    return event


def _last_words(call: Call, now: float) -> list[Action]:
    """A call that broke is ended as politely as it still can be."""
    try:
        return call.part("fault", now)
    except Exception:
        # Not even that is left to it.
        return call.give_up("fault", now)
