"""The part of the configuration that is about people: seats, their phones and calls, and queues."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

import pydantic

from callflow.call import supervising
from callflow.call.destinations import SUPERVISOR
from callflow.call.queues import QueuePlan, Strategy
from callflow.call.seats import MOST_FORWARDS, USUAL_PAUSES, Pauses, SeatPlan
from callflow.call.service_call import REFUSED, SAYS
from callflow.config_calls_out import CallsOutConfig, Number, calls_out_faults
from callflow.config_secrets import Secret
from callflow.config_sip import SipConfig
from callflow.document import Document, Duration, Form, Shape
from callflow.document.durations import duration_text
from callflow.errors import Fault, Unknown

SEATS_HEAR: Final = frozenset({*SAYS.values(), *supervising.SAYS.values(), REFUSED, "nobody_there"})
"""What may be said in a call that a seat has begun, beside the words of the house."""

_MOST_NAMED: Final = 10
"""Seats that one note names."""

SUPERVISORS: Final = QueuePlan(
    SUPERVISOR, frozenset({SUPERVISOR}), Strategy.PRIORITY, longest_wait=60.0, spoken="主管"
)
"""Whoever has that skill, the first by its `priority`."""


def _password(text: object) -> str:
    # A fault shows what it finds; this does not.
    if not isinstance(text, str):
        raise ValueError("a password is text; put it in quotes")
    return text


Password = Annotated[str, pydantic.BeforeValidator(_password)]
Skill = Annotated[str, pydantic.Field(pattern=r"^[\w-]+$"), Form("a name of letters, digits and -")]
SeatNumber = Annotated[str, pydantic.Field(pattern=r"^[0-9]{1,8}$"), Form("a number of 1 to 8 digits")]
QueueName = Annotated[
    str,
    pydantic.Field(pattern=r"^[a-z][a-z0-9_]*$"),
    Form("a name of small letters, digits and _, as repairs"),
]
Pause = Annotated[Duration, pydantic.Field(ge=1, le=3600)]


class AwayConfig(Shape):
    """Who has a seat's calls while it is away."""

    forward: SeatNumber
    after: Annotated[Duration, pydantic.Field(ge=0, le=86_400)] = 0.0
    """For how long it must have been away (crs-09)."""


class SeatConfig(Shape):
    """One seat: a person's number, and the phone it sits at, if it is always the same."""

    phone: str | None = None
    """The account under `sip.accounts` that the phone registers with; without one the seat logs in."""
    skills: tuple[Skill, ...] = ()
    priority: Annotated[int, pydantic.Field(ge=0, le=100)] = 0
    trainee: bool = False
    supervisor: bool = False
    """Whether `*0` leads to it, and it may listen to the calls of others."""
    opaque: bool = False
    """Whether a PBX keeps the phone's Hold to itself: then only feature codes and the page count."""
    password: Password | None = pydantic.Field(default=None, repr=False)
    password_file: Path | None = None
    password_env: str | None = None
    """What opens its page, which no other password does: one of its own, and not its phone's."""
    pin: Secret | None = None
    """Digits that it must dial to log in by key."""
    caller_id: Number | None = None
    away: AwayConfig | None = None

    @property
    def own(self) -> Secret | None:
        """Its own password. Raises `ValueError` where several are named."""
        named = self.password, self.password_file, self.password_env
        if named == (None, None, None):
            return None
        return Secret(password=named[0], password_file=named[1], password_env=named[2])

    @pydantic.model_validator(mode="after")
    def _can_be_somebody(self) -> "SeatConfig":
        if sum(each is not None for each in (self.password, self.password_file, self.password_env)) > 1:
            raise ValueError("a seat has at most one of password, password_file and password_env")
        if self.phone is None and self.own is None:
            raise ValueError("a seat without a phone needs a password, password_file or password_env")
        return self

    def plan(self, number: str, pin: str | None = None) -> SeatPlan:
        return SeatPlan(
            number,
            self.phone,
            frozenset(self.skills) | ({SUPERVISOR} if self.supervisor else frozenset()),
            self.priority,
            self.trainee,
            self.opaque,
            self.caller_id or "",
            pin,
            self.away.forward if self.away else "",
            self.away.after if self.away else 0.0,
        )


class QueueConfig(Shape):
    """One queue."""

    skills: tuple[Skill, ...] = ()
    strategy: Strategy = Strategy.LONGEST_IDLE
    ring_for: Annotated[Duration, pydantic.Field(ge=5, le=120)] = 20.0
    longest_wait: Annotated[Duration, pydantic.Field(ge=5, le=7200)] = 300.0
    number: SeatNumber | Literal[""] = ""
    """What seats dial to transfer a call to it; without one they may not."""
    spoken: str = ""
    """How a caller is told of it, from the list `departments` of the prompts; else by the number."""

    def plan(self, name: str) -> QueuePlan:
        skills = frozenset(self.skills)
        return QueuePlan(
            name, skills, self.strategy, self.ring_for, self.longest_wait, self.number, self.spoken
        )


class PausesConfig(Shape):
    """How long a seat is not rung again that has not taken a call."""

    declined: Pause = USUAL_PAUSES.declined
    busy: Pause = USUAL_PAUSES.busy
    failed: Pause = USUAL_PAUSES.failed
    """Doubled with each failure in a row."""
    longest: Pause = USUAL_PAUSES.longest
    """What that doubling ends at."""

    def plan(self) -> Pauses:
        return Pauses(self.declined, self.busy, self.failed, self.longest)


class SeatsConfig(Shape):
    """All seats and queues."""

    wrap_up: Annotated[Duration, pydantic.Field(ge=0, le=600)] = 15.0
    """Seconds after each call in which its seat is not rung (crs-08)."""
    pauses: PausesConfig = PausesConfig()
    page_idle: Annotated[Duration, pydantic.Field(ge=60, le=86_400)] = 3600.0
    """Seconds after which a seat's page is logged out: nothing asked for, and no call meanwhile."""
    phones: tuple[str, ...] = ()
    """Free desks, by their accounts: where seats log in."""
    away_reasons: dict[Annotated[str, pydantic.Field(pattern=r"^[0-9]$"), Form("one digit")], str] = {}  # noqa: RUF012
    """By the digit that is dialled after `*52`."""
    calls_out: CallsOutConfig = CallsOutConfig()
    at: dict[SeatNumber, SeatConfig] = {}  # noqa: RUF012
    """The seats by their numbers."""
    queues: dict[QueueName, QueueConfig] = {}  # noqa: RUF012

    @property
    def supervisors(self) -> frozenset[str]:
        """The seats that may see the trace, by their numbers."""
        return frozenset(number for number, seat in self.at.items() if seat.supervisor)

    @property
    def queue_plans(self) -> tuple[QueuePlan, ...]:
        """All queues, and that of the supervisors on duty, where there are any and it is not among them."""
        plans = [queue.plan(name) for name, queue in self.queues.items()]
        if any(seat.supervisor for seat in self.at.values()) and SUPERVISOR not in self.queues:
            plans.append(SUPERVISORS)
        return tuple(plans)


def read_secrets(
    seats: SeatsConfig, source: Document, folder: Path, faults: list[Fault]
) -> tuple[dict[str, str], dict[str, str]]:
    """The seats' own passwords and their PINs, by number; what is wrong is added to `faults`."""
    passwords: dict[str, str] = {}
    pins: dict[str, str] = {}
    for number, seat in seats.at.items():
        for secret, found, place in ((seat.own, passwords, ()), (seat.pin, pins, ("pin",))):
            if secret is None:
                continue
            try:
                found[number] = secret.secret(folder)
            except ValueError as error:
                faults.append(source.fault(("seats", "at", number, *place), str(error)))
    for number, pin in pins.items():
        if not (pin.isascii() and pin.isdigit() and len(pin) <= 16):
            faults.append(source.fault(("seats", "at", number, "pin"), "a PIN is 1 to 16 digits"))
    return passwords, pins


def page_notes(
    seats: SeatsConfig, accounts: Mapping[str, str], passwords: Mapping[str, str], source: Document
) -> Iterator[Fault]:
    """Notes, which are no faults: which seats' pages stay closed, and which open too easily.

    `accounts` are the phones' passwords, `passwords` those of the seats' pages.
    """
    closed = [number for number in seats.at if number not in passwords]
    if closed:
        several = "seats" if len(closed) > 1 else "seat"
        named = ", ".join(closed[:_MOST_NAMED]) + (" and others" if len(closed) > _MOST_NAMED else "")
        told = (
            f"the page of {several} {named} stays closed: a phone's password opens no page; "
            "give each seat that uses it a password_env or password_file of its own"
        )
        yield source.fault(("seats", "at", closed[0]), told, at_key=True)
    for number, seat in seats.at.items():
        own = passwords.get(number)
        if own is not None and seat.phone is not None and own == accounts.get(seat.phone):
            told = f"the password of seat {number}'s page is that of its phone; it should be another"
            yield source.fault(("seats", "at", number), told, at_key=True)


def people_faults(seats: SeatsConfig, sip: SipConfig, source: Document) -> Iterator[Fault]:
    """A fault for each phone, trunk and seat that is named and is not there, or cannot be so."""
    yield from _phone_faults(seats, sip, source)
    yield from _number_faults(seats, source)
    yield from _pause_faults(seats.pauses, source)
    yield from calls_out_faults(seats.calls_out, sip.trunks, source)
    for number, seat in seats.at.items():
        if number in seats.calls_out.emergency:
            told = f"{number} is an emergency number, and nobody could call that seat"
            yield source.fault(("seats", "at", number), told, at_key=True)
        if seat.away:
            yield from _forward_faults(seats, number, seat.away.forward, source)


def _phone_faults(seats: SeatsConfig, sip: SipConfig, source: Document) -> Iterator[Fault]:
    sits: dict[str, str] = {}
    named: list[tuple[tuple[str | int, ...], str]]
    named = [(("seats", "phones", index), phone) for index, phone in enumerate(seats.phones)]
    for number, seat in seats.at.items():
        if seat.phone is None:
            continue
        place = ("seats", "at", number, "phone")
        named.append((place, seat.phone))
        if seat.phone in sits:
            told = (
                f"{seat.phone!r} is the phone of {sits[seat.phone]} already; without `phone` a seat logs in"
            )
            yield source.fault(place, told)
        sits.setdefault(seat.phone, number)
    for where, phone in named:
        if phone not in sip.accounts:
            told = f"there is no account {phone!r} under sip.accounts"
            yield source.fault(where, told, unknown=Unknown(phone, sip.accounts))


def _number_faults(seats: SeatsConfig, source: Document) -> Iterator[Fault]:
    """A fault for each queue whose number is somebody else's too."""
    taken = {number: f"seat {number}" for number in seats.at} | {"0": "the supervisor on duty"}
    for name, queue in seats.queues.items():
        place = ("seats", "queues", name, "number")
        if queue.number in seats.calls_out.emergency:
            told = f"{queue.number} is an emergency number, and no call could be transferred to that queue"
            yield source.fault(place, told)
        elif queue.number and queue.number in taken:
            yield source.fault(place, f"{queue.number} is the number of {taken[queue.number]} already")
        if queue.number:
            taken.setdefault(queue.number, f"the queue {name!r}")


def _pause_faults(pauses: PausesConfig, source: Document) -> Iterator[Fault]:
    """A fault where the doubling would end before it begins."""
    place = ("seats", "pauses", "longest")
    if place in source.values and pauses.longest < pauses.failed:
        longest, failed = duration_text(pauses.longest), duration_text(pauses.failed)
        told = f"{longest} is shorter than `failed`, {failed}, which is doubled up to it"
        yield source.fault(place, f"{told}; write at least {failed}")


def _forward_faults(seats: SeatsConfig, number: str, forward: str, source: Document) -> Iterator[Fault]:
    """A fault where a seat's calls cannot go to whom it names."""
    place = ("seats", "at", number, "away", "forward")
    if forward not in seats.at:
        told = f"there is no seat {forward!r} under seats.at"
        yield source.fault(place, told, unknown=Unknown(forward, seats.at))
        return
    passed = [number]
    while forward and len(passed) <= MOST_FORWARDS + 1:
        if forward in passed:
            told = f"calls would go round in a circle: {' → '.join([*passed, forward])}"
            yield source.fault(place, told)
            return
        passed.append(forward)
        away = seats.at[forward].away if forward in seats.at else None
        forward = away.forward if away else ""
    if len(passed) > MOST_FORWARDS + 1:
        yield source.fault(place, f"a call is passed on {MOST_FORWARDS} times at most: {' → '.join(passed)}")
