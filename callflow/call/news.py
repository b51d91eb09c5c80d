"""What the parts of the exchange give back: effects that leave as they are, and what calls are to be told."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from callflow.call.leg import Effect
from callflow.call.room import Room
from callflow.events import Event


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that a call is to be told."""

    room: Room
    event: Event


@dataclass(frozen=True, slots=True)
class Connected:
    """The party that a seat has called has answered: the two share a room."""

    room: Room
    seat: str
    """Who serves, or who was called by a colleague."""


@dataclass(frozen=True, slots=True)
class Deserted:
    """One of two who spoke with each other is in another room now: there is no call here any more."""

    room: Room


@dataclass(frozen=True, slots=True)
class Task:
    """Work that is done when everything before it is done, and that gives what is to be done next."""

    room: Room | None
    """The call that it is for, and that ends if the work fails; None where it is for no single call."""
    do: Callable[[], Iterable["News"]]


News = Effect | Happened | Connected | Deserted | Task
