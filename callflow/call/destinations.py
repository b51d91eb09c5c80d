"""Whom a call may be transferred to: another seat, a queue with a number, the supervisor on duty.

A seat's phone, its keys and its page all ask here, so that what one of them may not
reach none may.
"""

from collections.abc import Container, Iterable, Mapping
from typing import Final

from callflow.call.queues import QueuePlan
from callflow.events import TransferRequested, Way

SUPERVISOR: Final = "supervisor"
"""The queue, and the skill, of the supervisors on duty."""
UPWARDS: Final = "0"
"""What is dialled for them."""


class Destinations:
    """The table of all."""

    def __init__(self, seats: Container[str], queues: Iterable[QueuePlan]) -> None:
        self._seats = seats
        self._queues: Mapping[str, QueuePlan] = {
            name: plan for plan in queues for name in (plan.name, plan.number) if name
        }

    def wish(self, number: str, seat: str, way: Way, *, own_words: bool = False) -> TransferRequested | None:
        """What the seat `seat` asks for by `number`; None where it may not, or there is nobody of that."""
        if number == UPWARDS:
            number = SUPERVISOR
        if number in self._seats:
            return None if number == seat else TransferRequested(number, way, own_words=own_words)
        plan = self._queues.get(number)
        if plan is None:
            return None
        return TransferRequested(
            plan.name,
            way,
            spoken=plan.spoken or plan.number,
            queue=True,
            upwards=plan.name == SUPERVISOR,
            own_words=own_words,
        )
