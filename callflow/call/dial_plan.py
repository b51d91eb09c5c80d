"""What a number means that a seat's phone has dialled; pure.

A pattern of the allow-list is made of digits, `x` for any digit, `[13-9]` for one of those digits, and at its
end `*` for any further digits, or none. It must fit the whole number: `0[1-9]*` allows 02112345678 and not
00441.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from callflow.sip.trunks import TrunkPlan

EMERGENCY: Final = ("110", "119", "120", "122")
"""Police, fire, ambulance, traffic accidents."""
_PIECE: Final = re.compile(r"[0-9]|x|\[[0-9](?:-?[0-9])*\]")
_SEPARATORS: Final = str.maketrans("", "", "-. ()")
_LOGIN: Final = re.compile(r"\*50([0-9]{1,8})(?:\*([0-9]{1,16}))?")
_LONGEST: Final = 32
"""Digits of the longest number that is passed on."""


class Wish(StrEnum):
    """What a service number is dialled for."""

    LOGIN = "login"
    LOGOUT = "logout"
    AWAY = "away"
    READY = "ready"


_ATTEND: Final = re.compile(r"\*5([456])([0-9]{1,8})")
_AWAY: Final = re.compile(r"\*52([0-9]?)(?:\*([0-9]{1,3}))?")
_PLAIN: Final = {"*51": Wish.LOGOUT, "*52": Wish.AWAY, "*53": Wish.READY}


class Attendance(StrEnum):
    """How a supervisor is in a call."""

    LISTEN = "listen"
    """It hears both, and nobody hears it."""
    WHISPER = "whisper"
    """The seat alone hears it."""
    BARGE = "barge"
    """All three hear each other."""


@dataclass(frozen=True, slots=True)
class Attend:
    """A supervisor wants to be in another seat's call."""

    mode: Attendance
    seat: str


@dataclass(frozen=True, slots=True)
class Service:
    """A service number of ours."""

    wish: Wish
    seat: str = ""
    """Who wants to log in."""
    pin: str = field(default="", repr=False)
    reason: str = ""
    """Why it is away."""
    minutes: int | None = None
    """For how long, where it says so."""


@dataclass(frozen=True, slots=True)
class ToSeat:
    """Another seat."""

    seat: str


@dataclass(frozen=True, slots=True)
class Out:
    """Somebody outside."""

    number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Emergency:
    """Police and the like: never refused to a phone that has proven itself."""

    number: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing that may be called."""

    why: str
    """`not_allowed`, or `no_service` for a service number that is none."""


Meaning = Service | Attend | ToSeat | Out | Emergency | Refused


@dataclass(frozen=True, slots=True)
class CallsOut:
    """What the configuration says of the seats' own calls."""

    trunks: tuple[TrunkPlan, ...] = ()
    """In the order to try."""
    caller_id: str = field(default="", repr=False)
    """What calls out show; empty for our account at the trunk."""
    allow: tuple[str, ...] = ()
    emergency: tuple[str, ...] = EMERGENCY


class DialPlan:
    """Reads what was dialled."""

    def __init__(
        self, calls_out: CallsOut, is_seat: Callable[[str], bool], away_reasons: Mapping[str, str]
    ) -> None:
        """`away_reasons` are dialled after `*52`, by their digit. Raises `ValueError` for a bad pattern."""
        self._emergency = frozenset(calls_out.emergency)
        self._allowed = allowed(calls_out.allow)
        self._is_seat = is_seat
        self._away_reasons = away_reasons

    def read(self, dialled: str) -> Meaning:
        number = dialled.removesuffix("#").translate(_SEPARATORS)
        if number in self._emergency:
            return Emergency(number)
        if number.startswith("*"):
            return self._service(number)
        if self._is_seat(number):
            return ToSeat(number)
        is_number = number.isascii() and number.isdigit() and len(number) <= _LONGEST
        return Out(number) if is_number and self._allowed(number) else Refused("not_allowed")

    def _service(self, code: str) -> Service | Attend | Refused:
        if attended := _ATTEND.fullmatch(code):
            return Attend([*Attendance][int(attended[1]) - 4], attended[2])
        if login := _LOGIN.fullmatch(code):
            return Service(Wish.LOGIN, login[1], login[2] or "")
        if code in _PLAIN:
            return Service(_PLAIN[code])
        away = _AWAY.fullmatch(code)
        if away and (not away[1] or away[1] in self._away_reasons):
            minutes = int(away[2]) if away[2] else None
            return Service(Wish.AWAY, reason=self._away_reasons.get(away[1], ""), minutes=minutes)
        return Refused("no_service")


def allowed(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Whether a number fits one of `patterns`. Raises `ValueError` for what is no pattern."""
    whole = [re.compile(_expression(pattern)) for pattern in patterns]
    return lambda number: any(each.fullmatch(number) for each in whole)


def _expression(pattern: str) -> str:
    body = pattern.removesuffix("*")
    pieces = _PIECE.findall(body)
    if not pieces or "".join(pieces) != body:
        raise ValueError(f"{pattern!r} is no pattern of digits, x, [1-5] and a * at the end, as 0[1-9]*")
    try:
        expression = "".join("[0-9]" if piece == "x" else piece for piece in pieces)
        re.compile(expression)
    except re.error:
        raise ValueError(f"{pattern!r} has a range that runs backwards") from None
    return expression + ("[0-9]*" if pattern.endswith("*") else "")
