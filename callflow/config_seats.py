"""The part of the configuration that is about people: seats and queues."""

from typing import Annotated

import pydantic

from callflow.call.queues import QueuePlan, Strategy
from callflow.call.seats import SeatPlan
from callflow.document import Duration, Shape

Skill = Annotated[str, pydantic.Field(pattern=r"^[\w-]+$")]
SeatNumber = Annotated[str, pydantic.Field(pattern=r"^[0-9]{1,8}$")]
QueueName = Annotated[str, pydantic.Field(pattern=r"^[a-z][a-z0-9_]*$")]


class SeatConfig(Shape):
    """One seat: a person's number, and the phone it sits at."""

    phone: str
    """The account under `sip.accounts` that the phone registers with."""
    skills: tuple[Skill, ...] = ()
    priority: Annotated[int, pydantic.Field(ge=0, le=100)] = 0
    trainee: bool = False
    opaque: bool = False
    """Whether a PBX keeps the phone's Hold to itself: then only feature codes and the page count."""

    def plan(self, number: str) -> SeatPlan:
        skills = frozenset(self.skills)
        return SeatPlan(number, self.phone, skills, self.priority, self.trainee, self.opaque)


class QueueConfig(Shape):
    """One queue."""

    skills: tuple[Skill, ...] = ()
    strategy: Strategy = Strategy.LONGEST_IDLE
    ring_for: Annotated[Duration, pydantic.Field(ge=5, le=120)] = 20.0
    longest_wait: Annotated[Duration, pydantic.Field(ge=5, le=7200)] = 300.0

    def plan(self, name: str) -> QueuePlan:
        return QueuePlan(name, frozenset(self.skills), self.strategy, self.ring_for, self.longest_wait)


class SeatsConfig(Shape):
    """All seats and queues."""

    wrap_up: Annotated[Duration, pydantic.Field(ge=0, le=600)] = 15.0
    """Seconds after each call in which its seat is not rung (crs-08)."""
    at: dict[SeatNumber, SeatConfig] = {}  # noqa: RUF012
    """The seats by their numbers."""
    queues: dict[QueueName, QueueConfig] = {}  # noqa: RUF012
