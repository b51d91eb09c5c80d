"""Brings callers and seats together: rings whom the queues choose, and tells the calls what came of it."""

from collections.abc import Callable, Iterable
from functools import partial

from callflow.actions import Action, BeginHold, EndHold, ReleaseSeat, ReplaceSeat
from callflow.call.leg import Leg
from callflow.call.lines import Lines
from callflow.call.news import Happened, News, Task
from callflow.call.phonebook import Phonebook, Place
from callflow.call.queues import Nobody, Offer, QueuePlan, Queues, Step, Withdraw
from callflow.call.room import Room
from callflow.call.seats import (
    USUAL_PAUSES,
    Pauses,
    Seat,
    SeatChanged,
    SeatPlan,
    Seats,
    SeatState,
    Trouble,
)
from callflow.errors import PeerError
from callflow.events import (
    Event,
    NobodyThere,
    OfTarget,
    QueueMoved,
    SeatAnswered,
    SeatDeclined,
    SeatRinging,
    TargetBusy,
    TargetDeclined,
)
from callflow.facts import Detail, Fact
from callflow.sip.happenings import Counted, Declined, Probed
from callflow.sip.options import Probes

_BUSY, _DECLINED = (486, 600), (480, 603)
_NO_PORT = 503
"""What `Lines` raises where there is no port for a leg."""


def why_declined(status: int) -> Trouble:
    """What a SIP answer (300 to 699) says of why a phone did not take a call."""
    if status in _BUSY:
        return Trouble.BUSY
    return Trouble.DECLINED if status in _DECLINED else Trouble.FAILED


class Switchboard:
    """All seats and queues of one controller."""

    def __init__(
        self,
        seats: Iterable[SeatPlan],
        queues: Iterable[QueuePlan],
        phonebook: Phonebook,
        lines: Lines,
        tell: Callable[[Fact], None],
        *,
        wrap_up: float,
        pauses: Pauses = USUAL_PAUSES,
        probes: Probes | None = None,
        phones: Iterable[str] = (),
        now: float = 0.0,
    ) -> None:
        """`tell` is told every change of a seat; `wrap_up` are seconds after each call.

        `pauses` follow a call that a phone did not take; `probes` ask an unreachable phone whether it is
        back. `phones` are free desks, where seats may log in.
        """
        self.seats = Seats(phonebook.is_registered, wrap_up, frozenset(phones), pauses)
        self._probes = probes
        self.seats.add(seats, now)
        self._queues = {plan.name: plan for plan in queues}
        self.queues = Queues(self._queues.values(), self.seats)
        self._phonebook = phonebook
        self._lines = lines
        self._tell = tell
        self._rooms: dict[str, Room] = {}
        """The calls that wait."""

    @property
    def deadline(self) -> float | None:
        known = (self.queues.deadline, self.seats.deadline)
        return min((at for at in known if at is not None), default=None)

    def tick(self, now: float) -> list[News]:
        asked = [Task(None, partial(self._ask, seat, now)) for seat in self.seats.to_ask(now)]
        self._note(self.seats.tick(now), now)
        news = self._carry_out(self.queues.tick(now), now)
        # A phone that has just fallen silent may be another caller's turn.
        return [*asked, *news, *(self._look_again(now) if news else [])]

    def _ask(self, seat: Seat, now: float) -> list[News]:
        """Ask an unreachable phone whether it is back."""
        place = self.place_of(seat.number, now)
        if place is None or self._probes is None:
            return []
        return [*self._probes.ask(seat.number, place.target, place.hop, now)]

    def probed(self, probed: Probed, now: float) -> list[News]:
        """An unreachable phone has answered, or has not."""
        return self.is_back(probed.name, now) if probed.is_there else []

    def registered(self, phone: str, now: float) -> list[News]:
        """A phone has told where it is reached: callers may wait for the seat that sits there."""
        seat = self.seats.at(phone)
        return self.is_back(seat.number, now) if seat else []

    def is_back(self, number: str, now: float) -> list[News]:
        """A seat's phone is there."""
        if number not in self.seats:
            return []
        self._note(self.seats.is_back(number, now), now)
        return self._look_again(now)

    # --- callers ---

    def find(self, room: Room, queue: str, now: float, *, head: bool = False) -> list[News]:
        """Let a caller wait for a seat."""
        if queue not in self._queues:
            # Whom a seat has called, and no queue is that seat's.
            return [Happened(room, NobodyThere("no_seats"))]
        self._rooms[room.name], room.queue = room, queue
        return self._carry_out(self.queues.enter(room.name, queue, now, head=head), now)

    def seek(self, room: Room, queue: str, now: float) -> list[News]:
        """Look for whoever of a queue is free to take a call that is served, before all who wait."""
        self._rooms[room.name], room.transfer.seeks = room, True
        news = self._carry_out(self.queues.enter(room.name, queue, now, head=True), now)
        return [*news, Task(room, partial(self._waits_for_target, room))]

    def found(self, room: Room, leg: Leg, now: float) -> list[News]:
        """One of them has picked up: the others ring no longer."""
        rest = self._carry_out(self.queues.answered(room.name, leg.seat), now)
        self._rooms.pop(room.name, None)
        room.target_found(leg)
        return rest

    def seek_no_longer(self, room: Room, now: float) -> list[News]:
        """Nobody is wanted any more."""
        if not room.transfer.seeks:
            return []
        news = self._carry_out(self.queues.leave(room.name), now)
        self._rooms.pop(room.name, None)
        room.transfer.seeks = False
        return [*news, *self._look_again(now)]

    def left(self, room: Room, now: float) -> list[News]:
        """The caller is gone, or waits no longer."""
        news = self._carry_out(self.queues.leave(room.name), now)
        self._rooms.pop(room.name, None)
        for leg in room.legs:
            if leg is room.seat or leg is room.caller:
                self._finished(room, leg.seat, now)
            elif leg is room.target:
                # It has not had the call, so there is nothing to write up.
                self._note(self.seats.put_down(leg.seat, now), now)
        return [*news, *self._look_again(now)]

    def queue_of(self, seat: str) -> str:
        """The first queue whose callers the seat could serve; empty where there is none."""
        skills = self.seats[seat].plan.skills if seat in self.seats else frozenset()
        return next((plan.name for plan in self._queues.values() if plan.skills <= skills), "")

    # --- seats ---

    def rings(self, room: Room, leg: Leg) -> list[News]:
        return [Happened(room, SeatRinging(leg.seat))]

    def picked_up(self, room: Room, leg: Leg, now: float) -> list[News]:
        """A phone that rang was answered."""
        seat = self.seats[leg.seat]
        news = self._carry_out(self.queues.answered(room.name, leg.seat), now)
        self._rooms.pop(room.name, None)
        self.seats.answered(leg.seat)
        self._note(self.seats.turn(leg.seat, SeatState.TALKING, now), now)
        others_wait = len(self.queues) > 0
        answered = Happened(room, SeatAnswered(leg.seat, seat.plan.trainee, overflow=others_wait))
        return [*news, *room.picked_up(leg, now), answered]

    def declined(self, room: Room, leg: Leg, declined: Declined, now: float) -> list[News]:
        """A phone that rang did not take the call: it is not rung again at once."""
        closed = room.declined(leg)
        self.pause(leg.seat, declined, now)
        told = Happened(room, SeatDeclined(leg.seat, why_declined(declined.status)))
        return [*closed, told, *self._carry_out(self.queues.declined(room.name, leg.seat, now), now)]

    def pause(self, seat: str, declined: Declined, now: float) -> None:
        """A seat has not taken a call that it was rung for; nothing where it has another."""
        if seat in self.seats:
            why = why_declined(declined.status)
            self._note(self.seats.pause(seat, why, now, declined.retry_after), now)

    def let_go_on(self, call: str, now: float) -> list[News]:
        """The caller that seats were not to be rung for is there."""
        return self._carry_out(self.queues.let_go_on(call, now), now)

    def lost(self, seat: str, now: float) -> list[News]:
        """The seat's phone has died in a call."""
        if seat in self.seats:
            self._note(self.seats.lose(seat, now), now)
        return self._look_again(now)

    def hung_up(self, room: Room, seat: str, now: float) -> list[News]:
        """A seat's leg is over: it writes the call up."""
        self._finished(room, seat, now)
        return self._look_again(now)

    def freed(self, seat: str, now: float) -> list[News]:
        """The seat is in no call, whatever it was taken for."""
        self._note(self.seats.finished(seat, now), now)
        return self._look_again(now)

    def calls(self, seat: str, now: float) -> None:
        """A seat calls somebody by itself."""
        self._note(self.seats.calls(seat, now), now)

    def put_down(self, seat: str, now: float) -> list[News]:
        """A call of its own, or a colleague's, has come to nothing."""
        if seat not in self.seats:
            return []
        self._note(self.seats.put_down(seat, now), now)
        return self._look_again(now)

    def serving(self, number: str, now: float, call: str = "") -> str:
        """Which seat has the calls for a seat: another while it has been away for long (crs-09)."""
        serving = self.seats.serving(number, now)
        if serving != number:
            self._tell(Fact(now, call, f"seat {number}", "seat.forwarded", "crs-09", {"to": serving}))
        return serving

    def place_of(self, seat: str, now: float) -> Place | None:
        """Where the seat's phone is; None where it cannot be reached."""
        return self._phonebook.find(seat, self.seats[seat].phone, now) if seat in self.seats else None

    # --- who sits where ---

    def log_in(self, number: str, phone: str, now: float) -> list[News]:
        """The seat sits at that phone from now on. Raises `SeatRefused`."""
        self._note(self.seats.log_in(number, phone, now), now)
        self._tell(Fact(now, "", f"seat {number}", "seat.logged_in", None, {"phone": phone}))
        return self._look_again(now)

    def log_out(self, number: str, now: float) -> list[News]:
        """The seat sits nowhere. Raises `SeatRefused`."""
        self._note(self.seats.log_out(number, now), now)
        return self._look_again(now)

    def refused(self, who: str, wish: str, why: str, now: float) -> None:
        """A seat or a phone could not have what it wanted; `who` as the ledger calls it."""
        self._tell(Fact(now, "", who, "seat.refused", None, {"wish": wish, "why": why}))

    def performed(self, room: Room, action: Action, now: float) -> list[News]:
        """What a call does with its seat is what the seat does."""
        place = room.place
        if place is None:
            return []
        match action:
            case BeginHold() if room.seat:
                # A seat that has left its caller to a transfer holds nobody.
                return self.turn(place.seat, SeatState.HOLDING, now)
            case EndHold() if room.seat:
                return self.turn(place.seat, SeatState.TALKING, now)
            case ReplaceSeat():
                return self.turn(place.seat, SeatState.TALKING, now)
            case ReleaseSeat() if room.seat:
                return self.hung_up(room, place.seat, now)
        return []

    def turn(
        self, seat: str, state: SeatState, now: float, reason: str = "", minutes: int | None = None
    ) -> list[News]:
        """The seat, or its supervisor, says what it does now."""
        if seat not in self.seats:
            # The phone alone is in this call: its seat is in another, or nobody sits there.
            return []
        self._note(self.seats.turn(seat, state, now, reason, minutes), now)
        return self._look_again(now)

    # --- the rooms behind ---

    def _finished(self, room: Room, seat: str, now: float) -> None:
        if seat in self.seats:
            over = self.seats.put_down if room.is_plain else self.seats.finished
            self._note(over(seat, now), now)

    def _look_again(self, now: float) -> list[News]:
        """A seat may be free for who waits."""
        return self._carry_out(self.queues.tick(now), now)

    def _carry_out(self, steps: list[Step], now: float) -> list[News]:
        news: list[News] = []
        for step in steps:
            room = self._rooms.get(step.call)
            if room is None:
                continue
            match step:
                case Offer(seats=seats):
                    # Each under the guard of the call that it rings for, and none within another.
                    news += [Task(room, partial(self._ring, room, seat, now)) for seat in seats]
                case Withdraw(seat=seat):
                    news.append(Task(room, partial(self._withdraw, room, seat, now)))
                case Nobody(why=why):
                    del self._rooms[step.call]
                    nobody: Event = NobodyThere(why)
                    if room.transfer.seeks:
                        room.transfer.seeks = False
                        nobody = OfTarget(TargetDeclined("no_answer" if why == "waited" else "failed"))
                    news.append(Happened(room, nobody))
        if any(isinstance(step, Withdraw) for step in steps):
            # Another caller may wait for the seats that ring no longer; it is offered all of them together.
            news.append(Task(None, partial(self._look_again, now)))
        return [*news, *self._moved()]

    def _withdraw(self, room: Room, seat: str, now: float) -> list[News]:
        is_silent = room.is_unanswered(seat)
        withdrawn = room.withdraw(seat, now)
        if is_silent:
            # Not even 100 has come from the phone: it is not there.
            self._note(self.seats.pause(seat, Trouble.FAILED, now), now)
        else:
            self._note(self.seats.turn(seat, SeatState.READY, now), now)
        waits = room.name in self.queues
        told = [Happened(room, SeatDeclined(seat, "no_answer"))] if waits else []
        return [*withdrawn, *told]

    def _moved(self) -> list[News]:
        """Whoever has another place in the queue than before is told so."""
        news: list[News] = []
        for name, room in self._rooms.items():
            position = self.queues.position(name)
            if position is not None and position - 1 != room.ahead:
                room.ahead = position - 1
                news.append(Happened(room, QueueMoved(room.ahead)))
        return news

    def _waits_for_target(self, room: Room) -> list[News]:
        """Nobody of the queue could be rung at once for a transfer."""
        waits = room.name in self.queues and not room.ringing
        return [Happened(room, OfTarget(TargetBusy()))] if waits else []

    def _ring(self, room: Room, seat: str, now: float) -> list[News]:
        place = self.place_of(seat, now)
        try:
            if place is None:
                raise PeerError(480, "Temporarily Unavailable")
            rung = room.ring(seat, place, now)
        except PeerError as error:
            if error.status == _NO_PORT:
                return self._short_of_ports(room, seat, now)
            self._note(self.seats.pause(seat, Trouble.FAILED, now), now)
            failed = Happened(room, SeatDeclined(seat, Trouble.FAILED))
            return [failed, *self._carry_out(self.queues.declined(room.name, seat, now), now)]
        self._note(self.seats.turn(seat, SeatState.RINGING, now), now)
        return [*rung]

    def _short_of_ports(self, room: Room, seat: str, now: float) -> list[News]:
        """We have no port for a leg: the seat did nothing, and the caller waits a little longer."""
        self.queues.postpone(room.name, seat, now)
        return [Counted("media", "no_port")]

    def _note(self, changes: list[SeatChanged], now: float) -> None:
        for change in changes:
            details: dict[str, Detail] = {
                "state": change.after,
                "before": change.before,
                "seconds": round(change.seconds, 3),
            }
            if change.reason:
                details["reason"] = change.reason
            self._tell(Fact(now, "", f"seat {change.seat}", "seat.state", None, details))
