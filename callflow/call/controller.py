"""All calls: which one a message or a sound belongs to, and what each wants done. Still pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from callflow.agenda import Agenda
from callflow.call.call import Call
from callflow.call.caller_side import CallerSide
from callflow.call.calling import calling_as
from callflow.call.calls_from_seats import CallsFromSeats
from callflow.call.deeds import Deeds
from callflow.call.desk import Desk
from callflow.call.desk_view import Asked, View
from callflow.call.destinations import Destinations
from callflow.call.dial_plan import CallsOut, DialPlan
from callflow.call.farewells import Farewells
from callflow.call.held_legs import HeldLegs
from callflow.call.journal import CallEntry
from callflow.call.ledger import Ledger, Sink
from callflow.call.leg import IN_CALL, Effect, Leg, Side
from callflow.call.lines import Lines
from callflow.call.liveness import USUAL as LONGEST_SILENCE
from callflow.call.liveness import Liveness
from callflow.call.lost_legs import LostLegs
from callflow.call.media_side import MediaSide
from callflow.call.news import Happened, News, Task
from callflow.call.owners import Owners
from callflow.call.phonebook import Phonebook
from callflow.call.queues import QueuePlan
from callflow.call.recorder import EMPTY, Message, Written
from callflow.call.room import Room
from callflow.call.seat_side import SeatSide
from callflow.call.seats import USUAL_PAUSES, Pauses, SeatPlan
from callflow.call.served import served
from callflow.call.spelling import Spell
from callflow.call.sweep import Sweep
from callflow.call.switchboard import Switchboard
from callflow.call.table import CallTable
from callflow.call.transferring import Transferring
from callflow.call.trunk_health import TrunkHealth
from callflow.call.unacknowledged import Unacknowledged
from callflow.call.unsaid import Unsaid
from callflow.call.work import Work
from callflow.errors import PeerError
from callflow.etiquette.house import CARRIED, House
from callflow.etiquette.modes import Houses, Modes
from callflow.events import (
    CallArrived,
    Ending,
    FactKept,
    PromptFinished,
)
from callflow.facts import Fact
from callflow.flow.model import Flow
from callflow.guard import Broke, GuardedTimer, guarded
from callflow.media.messages import (
    LegQuality,
    MediaEvent,
    PromptUnknown,
    Recorded,
    Report,
)
from callflow.media.ports import PortPool
from callflow.media.thresholds import Thresholds
from callflow.sip.address import Address, Transport
from callflow.sip.endpoint import Endpoint
from callflow.sip.happenings import (
    Accepted,
    Answered,
    Confirmed,
    Counted,
    Invited,
    Output,
    Probed,
    Reanswered,
    Registered,
    Reoffered,
    Replied,
    Told,
    TrunkChanged,
)
from callflow.sip.locate import Candidate
from callflow.sip.refusal import full as at_limit


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
    pauses: Pauses = USUAL_PAUSES
    """How long a seat is not rung that has not taken a call."""
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
    media_timeout: float = LONGEST_SILENCE
    """Seconds without a packet after which a leg is judged; 0 for never."""
    media_timeouts: Mapping[str, float] = field(default_factory=dict)
    """Of trunks that have another, by their names."""
    lengths: Mapping[str, float] = field(default_factory=dict)
    """How long the flow's prompts are, in seconds."""
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
        self._agenda: Agenda[str] = Agenda()
        self._rooms = CallTable(self._agenda)
        self._lines = Lines(endpoint.calls, ports, settings.media_host)
        self.switchboard = self._new_switchboard(now)
        self._from_seats = self._new_from_seats()
        destinations = Destinations(self.switchboard.seats, settings.queues)
        answers = settings.house.transfer.take, settings.house.transfer.decline
        self._desk = Desk(self.switchboard, destinations, settings.sayable, answers)
        farewells = Farewells(self._lines, endpoint.calls)
        unacknowledged = Unacknowledged(endpoint.calls)
        self._transferring = Transferring(
            self._lines,
            endpoint.calls,
            self.switchboard,
            destinations,
            self._rooms,
            endpoint.trunks,
            self._from_seats.hand_over,
        )
        self._seat_side = SeatSide(
            self._rooms, self._lines, endpoint.calls, self.switchboard, destinations, self._transferring
        )
        caller_side = CallerSide(
            self._rooms,
            self._lines,
            endpoint.calls,
            self.switchboard,
            self._from_seats,
            farewells,
            unacknowledged,
        )
        self._owners = Owners(
            self._rooms,
            {
                Side.CALLER: caller_side,
                Side.SEAT: self._seat_side,
                Side.TARGET: self._transferring,
                Side.FROM_SEAT: self._from_seats,
                Side.FAREWELL: farewells,
            },
        )
        health = TrunkHealth(self._tell)
        lost = self._lost = LostLegs(self._rooms, self._lines, self.switchboard, self._owners)
        self._held_legs = HeldLegs(self._rooms, self._lines, endpoint.calls)
        self._liveness = Liveness(
            self._rooms,
            self._lines,
            endpoint.calls,
            lost,
            settings.media_timeout,
            settings.media_timeouts,
        )
        self._unsaid = Unsaid(self._rooms, settings.house.neutral)
        self._media_side = MediaSide(self._lines, self._rooms, health, self._liveness)
        self._deeds = Deeds(
            self._rooms,
            endpoint.calls,
            self._lines,
            self.switchboard,
            self._transferring,
            self._from_seats,
            farewells,
            unacknowledged,
            self._media_side,
            journals=settings.journals,
        )
        self._work = Work(self._deeds.told, self._deeds.broken)
        self._timers = self._new_timers()
        self._sweep = Sweep(
            self._rooms, self._lines, self.switchboard, self._from_seats, self._deeds.farewells
        )

    def __len__(self) -> int:
        """Calls that are not over, and messages of callers that are not on disk."""
        return len(self._rooms) + len(self._from_seats) + len(self._deeds.recorder)

    @property
    def deadline(self) -> float | None:
        known = (self._rooms.deadline, *(timer.deadline for timer in self._timers))
        return min((at for at in known if at is not None), default=None)

    def in_hand(self) -> dict[str, int]:
        """What must come to nothing when all calls are over and 32 s have passed."""
        own = {"calls": len(self), "legs": len(self._lines), "ports": len(self._ports)}
        return {**self._endpoint.in_hand(), **own}

    def receive(
        self, data: bytes, source: Address, now: float, transport: Transport = Transport.UDP
    ) -> list[Effect]:
        """A SIP message has come."""
        outputs = guarded(lambda: self._endpoint.receive(data, source, now, transport))
        return self._work.off(self._take(outputs, now), now)

    def failed(self, destination: Address, transport: Transport, now: float) -> list[Effect]:
        """Nothing can be carried there."""
        outputs = guarded(lambda: self._endpoint.failed(destination, transport, now))
        return self._work.off(self._take(outputs, now), now)

    def disconnected(self, peer: Address, transport: Transport) -> list[Effect]:
        """The connection with a peer is gone."""
        self._endpoint.disconnected(peer, transport)
        return []

    def keeps(self, peer: Address, transport: Transport, now: float) -> bool:
        """Whether the connection with a peer is to stay though nothing goes by it."""
        return self._endpoint.keeps(peer, transport, now)

    def hear(self, report: Report) -> list[Effect]:
        """The plane tells of a leg; what it tells may be older than the leg's end."""
        heard = Task(None, partial(self._heard, report))
        return self._work.off([heard], report.at)

    def tick(self, now: float) -> list[Effect]:
        """Deadlines have come."""
        endpoint, *others = self._timers
        effects = self._work.off(endpoint.tick(now), now)
        for room in self._rooms.take_due(now):
            effects += self._work.off([Task(room, partial(self._due, room, now))], now)
        for timer in others:
            effects += self._work.off(timer.tick(now), now)
        return [*effects, *self._work.off([Task(None, partial(self._sweep.look, now))], now)]

    def kept(self, call: str, number: int, now: float) -> list[Effect]:
        """The journal has a fact of a call on disk."""
        room = self._rooms.get(call)
        return self._work.off([Happened(room, FactKept(number))] if room else [], now)

    def written(self, written: Written, now: float) -> list[Effect]:
        """What became of a caller's message; the caller may be gone by then."""
        return self._work.off([Task(None, partial(self._written, written, now))], now)

    def located(self, trunk: str, candidates: Sequence[Candidate], now: float) -> list[Effect]:
        """A trunk's addresses as DNS has them now."""
        return self._work.off(self._take(self._endpoint.trunks.located(trunk, candidates, now), now), now)

    def desk_of(self, seat: str, now: float) -> View:
        """What the seat's page shows."""
        return self._desk.view(seat, self._rooms.values(), now)

    def desk_refuses(self, seat: str, asked: Asked, now: float) -> str:
        """Why a seat cannot have what its page asks for; empty where it can."""
        return self._desk.why_not(seat, asked, self._rooms.values(), now)

    def desk_asks(self, seat: str, asked: Asked, now: float) -> list[Effect]:
        """A seat asks for something by its page."""
        done = Task(None, partial(self._desk.does, seat, asked, self._rooms.values(), now))
        return self._work.off([done], now)

    @property
    def registered(self) -> bool:
        """Whether any trunk still thinks that we take calls."""
        return self._endpoint.trunks.registered

    def drain(self, now: float) -> list[Effect]:
        """Take no new calls, and tell those who would send us some."""
        self._endpoint.calls.draining = True
        return self._work.off(self._take(self._endpoint.trunks.stop(now), now), now)

    def part(self, reason: Ending, now: float) -> list[Effect]:
        """Bring every call to its end with the last words and the pause."""
        effects = self._work.off([Task(None, partial(self._from_seats.part, now))], now)
        for room in self._rooms.now_standing():
            ends = partial(self._deeds.act, room, lambda call: call.part(reason, now), now)
            effects += self._work.off([Task(room, ends)], now)
        return effects

    def media_gone(self, now: float) -> list[Effect]:
        """The plane is gone: nobody can be heard, and no new call is taken until it is back."""
        self._endpoint.calls.paused = True
        return []

    def media_back(self, now: float) -> list[Effect]:
        """The plane is there again, with all legs."""
        self._endpoint.calls.paused = False
        return []

    def drop_all(self, reason: Ending, now: float) -> list[Effect]:
        """End every call without a word, as there is nothing to say it with."""
        effects = self._work.off([Task(None, partial(self._from_seats.part, now))], now)
        for room in self._rooms.now_standing():
            ends = partial(self._deeds.act, room, lambda call: call.give_up(reason, now), now)
            effects += self._work.off([Task(room, ends)], now)
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
        return self._work.off(self._take(outputs, now), now)

    # --- how it is made ---

    def _new_switchboard(self, now: float) -> Switchboard:
        settings = self._settings
        return Switchboard(
            settings.seats,
            settings.queues,
            Phonebook(self._endpoint.bindings),
            self._lines,
            self._tell,
            wrap_up=settings.wrap_up,
            pauses=settings.pauses,
            probes=self._endpoint.probes,
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
            self._rooms,
        )

    def _new_timers(self) -> tuple[GuardedTimer[News], ...]:
        """The parts that serve many calls; the endpoint is the first, for what it tells may end calls."""
        deeds = self._deeds
        return (
            GuardedTimer(self._endpoint, lambda now: self._take(self._endpoint.tick(now), now)),
            GuardedTimer(self.switchboard, self.switchboard.tick),
            GuardedTimer(self._from_seats, self._from_seats.tick),
            GuardedTimer(self._liveness, self._liveness.tick),
            GuardedTimer(self._held_legs, self._held_legs.tick),
            GuardedTimer(deeds.unacknowledged, deeds.unacknowledged.tick),
            GuardedTimer(deeds.farewells, deeds.farewells.tick),
            GuardedTimer(deeds.own_words, deeds.own_words.tick),
            GuardedTimer(deeds.recorder, self._recorded),
        )

    def _tell(self, fact: Fact) -> None:
        if self._sink is not None:
            self._sink(fact)

    # --- what SIP tells ---

    def _take(self, outputs: Iterable[Output], now: float) -> list[News]:
        """What concerns calls goes to them, one after the other; the rest leaves as it is."""
        news: list[News] = []
        for output in outputs:
            match output:
                case Invited():
                    news.append(Task(None, partial(self._invited, output, now)))
                case Told():
                    news.append(Task(None, partial(self._told, output, now)))
                case Registered(account=account):
                    news.append(Task(None, partial(self.switchboard.registered, account, now)))
                case TrunkChanged(trunk=trunk, state="down"):
                    watches = self._liveness, self._held_legs
                    asks = [Task(None, partial(watch.trunk_down, trunk, now)) for watch in watches]
                    news += [output, *asks]
                case Probed():
                    news.append(Task(None, partial(self.switchboard.probed, output, now)))
                case _:
                    news.append(output)
        return news

    def _told(self, told: Told, now: float) -> list[News]:
        leg = self._lines.get(told.session)
        if leg is None:
            return []
        leg.is_established |= isinstance(told, Confirmed | Accepted)
        if isinstance(told, Replied) and told.method == "OPTIONS":
            held = self._held_legs.replied(leg, told.status, now)
            return [*held, *self._liveness.replied(leg, told.status, now)]
        done = self._owners.told(leg, told, now)
        return [*done, *self._agreed(leg, told, now)] if leg.side in IN_CALL else done

    def _agreed(self, leg: Leg, told: Told, now: float) -> list[News]:
        """Whether packets are due from a leg changes with what is agreed upon."""
        if not isinstance(told, Accepted | Answered | Confirmed | Reanswered | Reoffered):
            return []
        return [Task(None, partial(self._note_agreed, leg, now))]

    def _note_agreed(self, leg: Leg, now: float) -> list[News]:
        self._held_legs.agreed(leg, now)
        self._liveness.agreed(leg)
        # No seat is rung for a caller whose side holds, and hears nobody.
        hears = leg.agreed is None or leg.agreed.peer_listens
        return self._lost.trust(leg, now) if hears else self._lost.doubt(leg, now)

    def _invited(self, invited: Invited, now: float) -> list[News]:
        name, full = self._new_call(), len(self) >= self._settings.most_calls
        try:
            if self._from_seats.is_one(invited, now):
                return self._from_seats.invited(name, invited, now, full=full)
            return self._arrived(name, invited, now, full=full)
        except PeerError as error:
            refused = self._endpoint.calls.refuse(invited.session, error, now)
            return [*refused, Counted("rejected", str(error.status))]
        except Exception as error:
            # The caller's side must not wait for an answer that will never come.
            failure = PeerError(500, "Server Internal Error")
            refused = guarded(lambda: self._endpoint.calls.refuse(invited.session, failure, now))
            leg = self._lines.get(invited.session)
            closed = guarded(lambda: self._lines.close(leg)) if leg else []
            return [Broke(error), *refused, *guarded(lambda: self._from_seats.drop(name, now)), *closed]

    def _arrived(self, name: str, invited: Invited, now: float, *, full: bool) -> list[News]:
        """A caller is there. Raises `PeerError` where the call is not taken."""
        if full:
            raise at_limit()
        if invited.replaces:
            # Nobody takes a caller over without having been agreed to.
            raise PeerError(603, "Decline")
        leg = self._lines.answer(name, invited, now)
        settings = self._settings
        trunk = leg.trunk = self._endpoint.trunks.at(invited.source)
        leg.thresholds = settings.hearing.get(trunk)
        houses = Houses(settings.house, settings.modes, trunk)
        call = Call(
            settings.flow,
            houses.in_queue(),
            Ledger(name, self._sink),
            houses,
            keeps=settings.journals,
            lengths=settings.lengths,
        )
        calling = calling_as(invited, settings.media_host)
        room = Room(call, calling, self._endpoint.calls, self._lines, caller=leg, spell=settings.spell)
        self._rooms.add(room)
        return [Happened(room, CallArrived(invited.caller, invited.called, trunk, withheld=invited.private))]

    def _new_dialled(self, name: str, queue: str, is_plain: bool) -> Call:
        settings = self._settings
        flow, ledger = served(queue, settings.flow.limits), Ledger(name, self._sink)
        if is_plain:
            return Call(flow, settings.house.without(*CARRIED), ledger, lengths=settings.lengths)

        houses, keeps = Houses(settings.house, settings.modes), settings.journals
        return Call(flow, houses.in_queue(queue), ledger, houses, keeps=keeps, lengths=settings.lengths)

    # --- what the plane tells ---

    def _heard(self, report: Report) -> list[News]:
        deeds = self._deeds
        if isinstance(report.event, LegQuality):
            self._media_side.heard_well(report.leg, report.event, report.at)
            return []
        if isinstance(report.event, Recorded):
            deeds.recorder.heard(report.leg, report.event)
            deeds.own_words.heard(report.leg, report.event)
            return []
        leg = self._lines.heard(report.leg)
        if isinstance(report.event, PromptUnknown):
            return self._unsaid_on(leg, report, report.event)
        if isinstance(report.event, MediaEvent):
            return [*self._media_side.told(leg, report.event, report.at)]
        if leg is None:
            return []
        self._unsaid.heard(leg, report.event)
        deeds.recorder.judged(report.leg, report.event)
        return self._owners.heard(leg, report.event, report.at)

    def _unsaid_on(self, leg: Leg | None, report: Report, event: PromptUnknown) -> list[News]:
        """Other words are said, and the prompt is over for its call."""
        said = self._unsaid.told(leg, event, report.at)
        if leg is None or not self._unsaid.is_awaited(event):
            return [*said]
        room = self._rooms.get(leg.call)
        if self._unsaid.is_mute(leg) and room is not None and leg is room.caller:
            ends = partial(self._deeds.act, room, lambda call: call.give_up("fault", report.at), report.at)
            return [*said, Task(room, ends)]
        over = Report(report.at, report.leg, PromptFinished(event.prompt))
        return [*said, Task(None, partial(self._heard, over))]

    # --- what time brings ---

    def _due(self, room: Room, now: float) -> list[News]:
        """The deadline of a call has come: of its machines, or of a key that was kept back."""
        keys = Task(room, partial(self._seat_side.tick, room, now))
        leaving = Task(room, partial(self._transferring.tick, room, now))
        return [keys, leaving, Task(room, partial(self._due_in_call, room, now))]

    def _due_in_call(self, room: Room, now: float) -> list[News]:
        if room.name not in self._rooms:
            return []
        return self._deeds.act(room, lambda call: call.tick(now), now)

    def _recorded(self, now: float) -> list[News]:
        """The messages that are whole are to be written, unless nothing was said."""
        return [news for message in self._deeds.recorder.tick(now) for news in self._whole(message, now)]

    def _whole(self, message: Message, now: float) -> list[News]:
        return [message] if message.pieces else self._written(Written(message.number, why=EMPTY), now)

    def _written(self, written: Written, now: float) -> list[News]:
        lost = [Counted("fault", "message_lost")] if written.why not in ("", EMPTY) else []
        told = self._deeds.recorder.written(written, now)
        room = self._rooms.get(told[0]) if told else None
        return [*lost, Happened(room, told[1])] if room and told else [*lost]
