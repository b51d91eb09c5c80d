"""The service numbers that seats dial, `*50` and the like: answered, carried out, confirmed."""

import hmac
from typing import Final

from callflow.call.dial_plan import Service, Wish
from callflow.call.leg import Leg
from callflow.call.lines import Lines
from callflow.call.seats import FREE, Seat, SeatRefused, SeatState
from callflow.call.switchboard import News, Switchboard
from callflow.events import Event, PromptFinished
from callflow.media.messages import Play
from callflow.sip.calls import Calls
from callflow.sip.happenings import Confirmed, Ended, Reoffered, Told

REFUSED: Final = "service_refused"
SAYS: Final = {
    Wish.LOGIN: "seat_logged_in",
    Wish.LOGOUT: "seat_logged_out",
    Wish.AWAY: "seat_away",
    Wish.READY: "seat_ready",
}
"""The prompt that tells a seat that its wish was carried out."""
_SETTLE: Final = 0.2
"""Seconds from the ACK until the phone surely hears us."""
_LONGEST: Final = 8.0
"""Seconds after which a confirmation has been heard, whatever the plane tells."""
_MOST_TRIES: Final = 3
_LOCKED_FOR: Final = 300.0
"""Seconds for which a seat cannot be logged in by key after so many wrong PINs."""


class ServiceDesk:
    """Carries out what seats dial."""

    def __init__(self, switchboard: Switchboard) -> None:
        self._switchboard = switchboard
        self._wrong: dict[str, tuple[int, float]] = {}
        """How many wrong PINs in a row each seat has had, and when the last."""

    def carry_out(self, service: Service, phone: str, now: float) -> tuple[str, list[News]]:
        """The prompt that the phone is to hear, and what else comes of it."""
        try:
            return SAYS[service.wish], self._done(service, phone, now)
        except SeatRefused as refused:
            who = f"seat {service.seat}" if service.seat else f"phone {phone}"
            self._switchboard.refused(who, service.wish, refused.why, now)
            return REFUSED, []

    def _done(self, service: Service, phone: str, now: float) -> list[News]:
        """Raises `SeatRefused`."""
        switchboard = self._switchboard
        if service.wish is Wish.LOGIN:
            self._check_pin(service, now)
            return switchboard.log_in(service.seat, phone, now)
        seat = switchboard.seats.at(phone)
        if seat is None:
            raise SeatRefused("nobody_here")
        if service.wish is Wish.LOGOUT:
            return switchboard.log_out(seat.number, now)
        return self._turned(seat, service, now)

    def _turned(self, seat: Seat, service: Service, now: float) -> list[News]:
        if seat.state not in FREE:
            raise SeatRefused("busy")
        state = SeatState.AWAY if service.wish is Wish.AWAY else SeatState.READY
        turned = self._switchboard.turn(seat.number, state, now, service.reason)
        if service.minutes and state is SeatState.AWAY:
            seat.back_at = now + service.minutes * 60
        return turned

    def _check_pin(self, service: Service, now: float) -> None:
        seats = self._switchboard.seats
        pin = seats[service.seat].plan.pin if service.seat in seats else None
        if pin is None:
            return
        tries, last = self._wrong.get(service.seat, (0, now))
        if now - last >= _LOCKED_FOR:
            tries = 0
        if tries >= _MOST_TRIES:
            raise SeatRefused("too_many_pins")
        if not hmac.compare_digest(pin.encode(), service.pin.encode()):
            self._wrong[service.seat] = tries + 1, now
            raise SeatRefused("wrong_pin")
        self._wrong.pop(service.seat, None)


class ServiceCall:
    """One phone that has dialled a service number."""

    def __init__(self, phone: Leg, prompt: str, lines: Lines, calls: Calls) -> None:
        self.is_over = False
        self.deadline: float | None = None
        self._phone = phone
        self._prompt = prompt
        self._said = False
        self._lines = lines
        self._calls = calls

    def begin(self, now: float) -> list[News]:
        """200."""
        phone = self._phone
        assert phone.agreed is not None
        return [phone.go_by(phone.agreed), *self._calls.answer(phone.session, phone.description, now)]

    def told(self, leg: Leg, told: Told, now: float) -> list[News]:
        match told:
            case Confirmed():
                self.deadline = now + _SETTLE
            case Reoffered(offer=offer):
                return [*self._lines.reoffered(leg, offer, now)]
            case Ended():
                return self._over()
        return []

    def heard(self, event: Event, now: float) -> list[News]:
        return self.stop(now) if event == PromptFinished(self._prompt) else []

    def tick(self, now: float) -> list[News]:
        """The phone hears us by now, or has heard everything."""
        if self.deadline is None or now < self.deadline:
            return []
        if self._said:
            return self.stop(now)
        self._said, self.deadline = True, now + _LONGEST
        return [Play(self._phone.media, self._prompt)]

    def stop(self, now: float) -> list[News]:
        """Hang up."""
        return [*self._calls.hang_up(self._phone.session, "", now), *self._over()]

    def _over(self) -> list[News]:
        self.is_over, self.deadline = True, None
        return [*self._lines.close(self._phone)]
