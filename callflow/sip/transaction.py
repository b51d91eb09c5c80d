"""What all transactions have in common (RFC 3261 §17): the timers' base values, the states, what leaves."""

from enum import Enum, auto
from typing import NamedTuple

from callflow.sip.address import Address, Hop, Transport

T1, T2, T4 = 0.5, 4.0, 5.0
"""Seconds: round trip, longest interval between retransmissions, longest life of a message (§17.1.1.1)."""


class Send(NamedTuple):
    """A message that is to leave."""

    data: bytes
    destination: Address
    transport: Transport = Transport.UDP

    @property
    def hop(self) -> Hop:
        return Hop(self.destination, self.transport)


class State(Enum):
    CALLING = auto()
    TRYING = auto()
    PROCEEDING = auto()
    ACCEPTED = auto()
    COMPLETED = auto()
    CONFIRMED = auto()
    TERMINATED = auto()


class Transaction:
    """A state, and the deadline of the timer that runs; timers bear the RFC's letters."""

    deadline: float | None = None

    def __init__(self, hop: Hop, state: State) -> None:
        self.hop = hop
        self.state = state

    @property
    def over(self) -> bool:
        return self.state is State.TERMINATED

    def end(self) -> None:
        self.state, self.deadline = State.TERMINATED, None

    def linger(self, state: State, seconds: float, now: float) -> None:
        """Swallow what still comes for `seconds`; a reliable transport repeats nothing."""
        if self.hop.transport.reliable:
            self.end()
        else:
            self.state, self.deadline = state, now + seconds
