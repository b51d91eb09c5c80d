"""What outlives a restart besides the calls: where phones are registered, and who sits where.

Times are seconds since 1970: the monotonic clock of a machine that restarts begins anew. `wall` is such a
time at the monotonic time `now`.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from callflow.call.seats import Seat, SeatChanged, SeatRefused, Seats, SeatState
from callflow.errors import PeerError
from callflow.sip.address import Hop, Transport
from callflow.sip.headers import NameAddress
from callflow.sip.registrar import Binding, listening


@dataclass(frozen=True, slots=True)
class BindingEntry:
    """One place where an account is registered (RFC 3261 §10.3)."""

    contact: str
    source: tuple[str, int, str]
    """Host, port, transport."""
    expires: float
    call_id: str
    cseq: int


@dataclass(frozen=True, slots=True)
class Registered:
    """Where an account is registered now; nowhere without bindings."""

    user: str
    bindings: tuple[BindingEntry, ...]

    def as_json(self) -> str:
        return _as_json({"registered": asdict(self)})

    @classmethod
    def of(cls, user: str, bindings: Iterable[Binding], now: float, wall: float) -> "Registered":
        entries = (
            BindingEntry(
                contact=str(bound.contact),
                source=(*bound.source.address, bound.source.transport.value),
                expires=round(bound.expires_at - now + wall, 3),
                call_id=bound.call_id,
                cseq=bound.cseq,
            )
            for bound in bindings
        )
        return cls(user, tuple(entries))

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> "Registered":
        """Raises `ValueError` for what is no entry."""
        try:
            bindings = (
                BindingEntry(**{**entry, "source": tuple(entry["source"])}) for entry in told["bindings"]
            )
            return cls(str(told["user"]), tuple(bindings))
        except (KeyError, TypeError) as error:
            raise ValueError(f"no registration: {error}") from None

    def living(self, now: float, wall: float) -> list[Binding]:
        """Those that have not expired, as the registrar has them. Raises `ValueError` for what is none."""
        return [_binding(entry, now, wall) for entry in self.bindings if entry.expires > wall]


def _binding(entry: BindingEntry, now: float, wall: float) -> Binding:
    host, port, transport = entry.source
    try:
        contact = NameAddress.parse(entry.contact)
    except PeerError as error:
        raise ValueError(str(error)) from None
    # A connection by which it registered went down with us.
    source = listening(contact.uri, Hop((host, port), Transport(transport)))
    return Binding(contact, source, entry.expires - wall + now, entry.call_id, entry.cseq)


@dataclass(frozen=True, slots=True)
class SeatEntry:
    """Where a seat sits, and whether it is away."""

    seat: str
    planned: str | None
    """The phone that the configuration gave it: where that has changed, the configuration stands."""
    phone: str | None
    state: str
    """`ready`, `wrap_up`, `away` or `offline`."""
    reason: str
    since: float
    back: float | None

    def as_json(self) -> str:
        return _as_json({"sits": asdict(self)})

    @classmethod
    def of(cls, seat: Seat, now: float, wall: float) -> "SeatEntry":
        state, reason = seat.left_for_call or (seat.state, seat.reason)
        if state not in (SeatState.READY, SeatState.AWAY, SeatState.OFFLINE):
            # Its call ends with us, and is written up as any other.
            state, reason = SeatState.WRAP_UP, ""
        return cls(
            seat=seat.number,
            planned=seat.plan.phone,
            phone=seat.phone,
            state=state.value,
            reason=reason,
            since=round(seat.since - now + wall, 3),
            back=None if seat.back_at is None else round(seat.back_at - now + wall, 3),
        )

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> "SeatEntry":
        """Raises `ValueError` for what is no entry."""
        try:
            since, back = float(told["since"]), told["back"]
            entry = cls(**{**told, "since": since, "back": None if back is None else float(back)})
            SeatState(entry.state)
        except (KeyError, TypeError) as error:
            raise ValueError(f"no seat: {error}") from None
        return entry


def restore_seats(seats: Seats, entries: Iterable[SeatEntry], now: float, wall: float) -> list[SeatChanged]:
    """Let seats sit where they sat, and be away where they were, as far as they still can."""
    known = [entry for entry in entries if entry.seat in seats]
    usable = [entry for entry in known if entry.planned == seats[entry.seat].plan.phone]
    changed: list[SeatChanged] = []
    for entry in usable:
        # All get up before anybody sits down: two may have changed places.
        if seats[entry.seat].phone not in (None, entry.phone):
            changed += seats.log_out(entry.seat, now, entry.reason or "logged_out")
    for entry in usable:
        changed += _sits_down(seats, entry, now, wall)
    return changed


def _sits_down(seats: Seats, entry: SeatEntry, now: float, wall: float) -> list[SeatChanged]:
    seat, state, changed = seats[entry.seat], SeatState(entry.state), list[SeatChanged]()
    try:
        if entry.phone is not None and seat.phone != entry.phone:
            changed += seats.log_in(entry.seat, entry.phone, now)
    except SeatRefused:
        # That phone is no more: the seat logs in anew.
        return changed
    if seat.phone is None:
        return changed
    if state is SeatState.AWAY:
        changed += seats.turn(entry.seat, state, now, entry.reason)
        seat.since = entry.since - wall + now
        seat.back_at = None if entry.back is None else entry.back - wall + now
    if state is SeatState.WRAP_UP and seats.wrap_up:
        changed += seats.turn(entry.seat, state, now)
    return changed


def _as_json(told: Mapping[str, Any]) -> str:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))
