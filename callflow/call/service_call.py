"""The service numbers that seats dial, `*50` and the like: answered, carried out, confirmed."""

import hmac
from typing import Final

from callflow.call.answered_phone import AnsweredPhone
from callflow.call.dial_plan import Service, Wish
from callflow.call.news import News
from callflow.call.seats import FREE, Seat, SeatRefused, SeatState
from callflow.call.switchboard import Switchboard
from callflow.events import Event, PromptFinished

REFUSED: Final = "service_refused"
SAYS: Final = {
    Wish.LOGIN: "seat_logged_in",
    Wish.LOGOUT: "seat_logged_out",
    Wish.AWAY: "seat_away",
    Wish.READY: "seat_ready",
}
"""The prompt that tells a seat that its wish was carried out."""
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
        return self._switchboard.turn(seat.number, state, now, service.reason, service.minutes)

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


class ServiceCall(AnsweredPhone):
    """One phone that has dialled a service number."""

    def heard(self, event: Event, now: float) -> list[News]:
        return self.stop(now) if event == PromptFinished(self._prompt) else []

    def _go_on(self, now: float) -> list[News]:
        return self.stop(now)
