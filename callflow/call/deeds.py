"""What calls want is done: each action by the part that it concerns, and at its end a call is let go of."""

from collections.abc import Callable, Iterable
from functools import partial

from callflow.actions import (
    Action,
    Answer,
    BeginHold,
    DropTarget,
    EndHold,
    FindSeat,
    HandToQueue,
    JoinTarget,
    KeepWords,
    RecordMessage,
    ReleaseSeat,
    ReplaceSeat,
    RingTarget,
    StoreMessage,
    TellSeat,
    WordsSpoken,
)
from callflow.call.call import Call
from callflow.call.calls_from_seats import CallsFromSeats
from callflow.call.farewells import Farewells
from callflow.call.journal import CallEntry, Journalled
from callflow.call.leg import Effect
from callflow.call.lines import Lines
from callflow.call.media_side import MediaSide
from callflow.call.news import Connected, Deserted, Happened, News, Task
from callflow.call.own_words import OwnWords
from callflow.call.recorder import Recorder
from callflow.call.room import Room
from callflow.call.switchboard import Switchboard
from callflow.call.table import CallTable
from callflow.call.transferring import Transferring
from callflow.call.unacknowledged import Unacknowledged
from callflow.errors import IllegalEvent
from callflow.events import CallAnswered
from callflow.guard import Broke, guarded
from callflow.sip.calls import Calls
from callflow.sip.happenings import Counted

Wanted = Callable[[Call], list[Action]]
"""Lets a call do something; gives what it wants done."""


class Deeds:
    """Carries out what the calls of one controller want."""

    def __init__(
        self,
        table: CallTable,
        calls: Calls,
        lines: Lines,
        switchboard: Switchboard,
        transferring: Transferring,
        from_seats: CallsFromSeats,
        farewells: Farewells,
        unacknowledged: Unacknowledged,
        media_side: MediaSide,
        *,
        journals: bool,
    ) -> None:
        """`journals`: each change of a call is to be written down."""
        self.recorder = Recorder()
        self.own_words = OwnWords()
        self.farewells = farewells
        self.unacknowledged = unacknowledged
        self._table = table
        self._calls = calls
        self._lines = lines
        self._switchboard = switchboard
        self._transferring = transferring
        self._from_seats = from_seats
        self._media_side = media_side
        self._journals = journals
        self._written: dict[str, CallEntry] = {}

    def told(self, told: Happened | Connected | Deserted, now: float) -> list[News]:
        """A call is told something; nothing is done where it is over."""
        room = told.room
        match told:
            case Connected(seat=seat):
                self._table.add(room)
                return self.act(room, lambda call: call.connected(seat, now), now)
            case Deserted():
                return self.act(room, lambda call: call.give_up("transferred", now), now)
            case Happened(event=event) if room.name in self._table:
                return self.act(room, lambda call: call.receive(event, now), now)
        return []

    def act(self, room: Room, wanted: Wanted, now: float) -> list[News]:
        """Let a call do something, and do what it wants; whatever happens it keeps a deadline."""
        actions = wanted(room.call)
        deeds = [Task(room, partial(self._do, room, action, now)) for action in actions]
        return [*deeds, Task(room, partial(self._settle, room, now))]

    def broken(self, room: Room, error: Exception, now: float) -> list[News]:
        """We have failed in a call: it ends with last words, else without, and at the very least it ends."""
        if isinstance(error, IllegalEvent):
            # A fault of ours; the caller must not be the one who pays for it.
            return [Counted("fault", "illegal_event"), Task(room, partial(self._settle, room, now))]
        room.faults += 1
        told: list[News] = [Broke(error)]
        if room.name not in self._table:
            return told
        if room.call.ended or room.faults > 2:
            return [*told, *guarded(lambda: self._calls.hang_up(room.caller.session, "fault", now)),
                    *self._let_go(room, now)]  # fmt: skip
        ends = _last_words if room.faults == 1 else _no_words
        return [*told, Task(room, lambda: self.act(room, lambda call: ends(call, now), now))]

    # --- one action ---

    def _do(self, room: Room, action: Action, now: float) -> list[News]:
        match action:
            case FindSeat(queue=queue):
                return self._switchboard.find(room, queue, now)
            case HandToQueue():
                return self._switchboard.find(room, room.queue, now, head=True)
            case RingTarget():
                return self._transferring.performed(room, action, now)
            case DropTarget() | JoinTarget():
                # The target has heard the seat's own words, or never will.
                forgotten = self.own_words.forget(room)
                told = self._transferring.performed(room, action, now)
                return [*forgotten, *told, Task(room, partial(self._thank, room, now))]
            case RecordMessage() | StoreMessage():
                return [*self._record(room, action, now)]
            case KeepWords():
                return [*self.own_words.begin(room), *room.perform(action, now)]
            case WordsSpoken():
                return [*self.own_words.finish(room, now), *room.perform(action, now)]
            case TellSeat(notice=notice):
                shown = self._transferring.shown(room, notice, now)
                return [*shown, Task(room, partial(room.perform, action, now))]
            case BeginHold() | EndHold() | ReplaceSeat() | ReleaseSeat():
                done = self._switchboard.performed(room, action, now)
                return [*done, Task(room, partial(room.perform, action, now))]
            case Answer():
                answered = room.perform(action, now)
                return [*answered, *self.unacknowledged.answered(room, now), Happened(room, CallAnswered())]
        return [*room.perform(action, now)]

    def _record(self, room: Room, action: RecordMessage | StoreMessage, now: float) -> list[Effect]:
        call, media = room.call, room.caller.media
        if isinstance(action, StoreMessage):
            return [*self.recorder.finish(media, now)]
        return [*self.recorder.begin(media, call.ledger, room.queue, call.whom, voiced=call.hears_somebody)]

    def _thank(self, room: Room, now: float) -> list[News]:
        """A seat that still listens hears that its caller was put through."""
        thanked, room.thanked = room.thanked, None
        return [*self.farewells.begin(thanked, room.call.transfer_done, now)] if thanked else []

    # --- after its actions ---

    def _settle(self, room: Room, now: float) -> list[News]:
        """The call has got what it wanted."""
        if room.call.ended:
            return self._let_go(room, now)
        if room.name not in self._table:
            return []
        self._table.watch(room)
        return [*room.await_key(), *self._journal(room)]

    def _journal(self, room: Room) -> list[Effect]:
        if not self._journals:
            return []
        entry = room.entry()
        if self._written.get(room.name) == entry:
            return []
        self._written[room.name] = entry
        return [Journalled(room.name, entry)]

    def _let_go(self, room: Room, now: float) -> list[News]:
        """The call is over: nobody rings or talks for it any more. Each part is under its own guard."""
        if not self._table.remove(room):
            return []
        over = self._written.pop(room.name, None)
        steps: list[Callable[[], Iterable[News]]] = [
            # A party that has hung up has said all there is to say.
            partial(self.recorder.finish, room.caller.media, now),
            partial(self._switchboard.left, room, now),
            partial(self._from_seats.ended, room, now),
            partial(self.own_words.forget, room),
            partial(self._tell_caller_gone, room, now),
            partial(self.unacknowledged.over, room),
            partial(self._media_side.ended, room.call.ledger),
            partial(self._media_side.caller_over, room.caller, now),
        ]
        done = [news for step in steps for news in guarded(step)]
        return [*done, *self._close(room, now), *([Journalled(room.name, None)] if over else [])]

    def _tell_caller_gone(self, room: Room, now: float) -> list[News]:
        """The phones that still speak with us hear that their caller is gone."""
        if not room.call.tells_caller_gone:
            return []
        return [
            effect
            for leg in room.listening()
            for effect in self.farewells.begin(leg, room.call.caller_gone, now)
        ]

    def _close(self, room: Room, now: float) -> list[News]:
        """No leg of the call is left; the caller's own has been hung up before."""
        legs = room.legs
        ended = [partial(self._calls.hang_up, leg.session, "", now) for leg in legs[1:]]
        closed: list[Callable[[], Iterable[News]]] = [
            *ended,
            *(partial(self._lines.close, leg) for leg in legs),
        ]
        return [effect for step in closed for effect in guarded(step)]


def _last_words(call: Call, now: float) -> list[Action]:
    return call.part("fault", now)


def _no_words(call: Call, now: float) -> list[Action]:
    return call.give_up("fault", now)
