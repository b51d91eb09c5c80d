"""The transaction machines of RFC 3261 §17 that a server of calls needs, with RFC 6026.

Each machine is handed messages and time and gives back what is to be sent; timers are deadlines and
bear the RFC's letters. Over UDP only: Timers A, E and G run, D, I, J and K last their full time.
"""

from dataclasses import dataclass
from enum import Enum, auto

from callflow.sip.address import Address
from callflow.sip.message import Request, Response

T1, T2, T4 = 0.5, 4.0, 5.0
"""Seconds: round trip, longest interval between retransmissions, longest life of a message (§17.1.1.1)."""


@dataclass(frozen=True, slots=True)
class Send:
    """A datagram that is to leave."""

    data: bytes
    destination: Address


class State(Enum):
    TRYING = auto()
    PROCEEDING = auto()
    ACCEPTED = auto()
    COMPLETED = auto()
    CONFIRMED = auto()
    TERMINATED = auto()


class ServerTransaction:
    """What both server machines share: the answer is kept, and given again to who asks again."""

    def __init__(self, request: Request, destination: Address) -> None:
        self.request = request
        self.destination = destination
        """Where responses go (RFC 3261 §18.2.2, RFC 3581)."""
        self.deadline: float | None = None
        self.state = State.TRYING
        self._last: Send | None = None

    @property
    def over(self) -> bool:
        return self.state is State.TERMINATED

    @property
    def last(self) -> Send:
        """The response that has left; who must repeat it himself need not write it again."""
        assert self._last is not None
        return self._last

    def again(self) -> list[Send]:
        """The request was retransmitted."""
        if self._last is None or self.state in (State.CONFIRMED, State.ACCEPTED):
            return []
        return [self._last]

    def _send(self, response: Response) -> list[Send]:
        self._last = Send(response.to_bytes(), self.destination)
        return [self._last]


class NonInviteServer(ServerTransaction):
    """§17.2.2."""

    def respond(self, response: Response, now: float) -> list[Send]:
        if self.state in (State.COMPLETED, State.TERMINATED):
            return []
        if response.status < 200:
            self.state = State.PROCEEDING
        else:
            # Timer J: how long retransmissions of the request may still come.
            self.state, self.deadline = State.COMPLETED, now + 64 * T1
        return self._send(response)

    def tick(self, now: float) -> list[Send]:
        self.state, self.deadline = State.TERMINATED, None
        return []


class InviteServer(ServerTransaction):
    """§17.2.1, with the Accepted state of RFC 6026: the transaction outlives its 2xx."""

    def __init__(self, request: Request, destination: Address) -> None:
        super().__init__(request, destination)
        self._timer_g = T1
        self._timer_h = 0.0

    def respond(self, response: Response, now: float) -> list[Send]:
        if self.state not in (State.TRYING, State.PROCEEDING):
            return []
        if response.status < 200:
            self.state = State.PROCEEDING
        elif response.status < 300:
            # Timer L: a retransmitted INVITE is swallowed, the 2xx is the session's to repeat.
            self.state, self.deadline = State.ACCEPTED, now + 64 * T1
        else:
            self.state, self.deadline = State.COMPLETED, now + self._timer_g
            self._timer_h = now + 64 * T1
        return self._send(response)

    def acknowledge(self, now: float) -> None:
        """The ACK to a 3xx-6xx."""
        if self.state is State.COMPLETED:
            # Timer I: further ACKs are swallowed.
            self.state, self.deadline = State.CONFIRMED, now + T4

    def tick(self, now: float) -> list[Send]:
        if self.state is not State.COMPLETED or now >= self._timer_h:
            self.state, self.deadline = State.TERMINATED, None
            return []
        # Timer G: repeat the refusal, at growing intervals, until its ACK is here.
        self._timer_g = min(2 * self._timer_g, T2)
        self.deadline = min(now + self._timer_g, self._timer_h)
        return self.again()


class NonInviteClient:
    """§17.1.2: our own BYE."""

    def __init__(self, request: bytes, destination: Address, now: float) -> None:
        self.state = State.TRYING
        self.deadline: float | None = now + T1
        self._request = request
        self._destination = destination
        self._interval = T1
        self._timer_f = now + 64 * T1
        self.timed_out = False

    @property
    def over(self) -> bool:
        return self.state is State.TERMINATED

    def start(self) -> list[Send]:
        return [Send(self._request, self._destination)]

    def receive(self, response: Response, now: float) -> None:
        if self.state in (State.COMPLETED, State.TERMINATED):
            return
        if response.status < 200:
            self.state = State.PROCEEDING
        else:
            # Timer K: further answers are swallowed.
            self.state, self.deadline = State.COMPLETED, now + T4

    def tick(self, now: float) -> list[Send]:
        if self.state is State.COMPLETED or now >= self._timer_f:
            self.timed_out = self.state is not State.COMPLETED
            self.state, self.deadline = State.TERMINATED, None
            return []
        # Timer E: repeat at growing intervals, at the longest once the peer has shown itself.
        self._interval = T2 if self.state is State.PROCEEDING else min(2 * self._interval, T2)
        self.deadline = min(now + self._interval, self._timer_f)
        return self.start()
