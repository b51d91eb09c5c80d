"""The client's transaction machines (RFC 3261 §17.1, RFC 6026): repeat until answered."""

from callflow.sip.address import Hop
from callflow.sip.fields import Headers
from callflow.sip.message import Request, Response
from callflow.sip.transaction import T1, T2, T4, Send, State, Transaction


class ClientTransaction(Transaction):
    """What both machines share."""

    def __init__(self, request: Request, hop: Hop, now: float, state: State) -> None:
        """`request` bears its Via already."""
        super().__init__(hop, state)
        self.request = request
        self.timed_out = False
        self.otherwise: Hop | None = None
        """Where else the request may go, by the same transport, if it cannot be carried to `hop`."""
        self._data = request.to_bytes()
        self._interval = T1
        self._give_up = now + 64 * T1
        self.deadline = self._give_up if hop.transport.reliable else now + T1

    @property
    def fails(self) -> bool:
        """Whether it is lost when its request cannot be carried: no final response is here yet."""
        return self.state in (State.CALLING, State.TRYING, State.PROCEEDING)

    def start(self) -> list[Send]:
        return [Send(self._data, *self.hop)]

    def redirect(self) -> list[Send]:
        """The request once more, to where else it may go; nothing where there is no such place."""
        if self.otherwise is None:
            return []
        self.hop, self.otherwise = self.otherwise, None
        return self.start()

    def _expired(self, now: float) -> bool:
        """Whether Timer B or F has fired, or a timer after the final response."""
        if self.fails and now < self._give_up:
            return False
        self.timed_out = self.fails
        self.end()
        return True

    def _repeat(self, now: float) -> list[Send]:
        self.deadline = min(now + self._interval, self._give_up)
        return [] if self.hop.transport.reliable else self.start()


class NonInviteClient(ClientTransaction):
    """§17.1.2."""

    def __init__(self, request: Request, hop: Hop, now: float) -> None:
        super().__init__(request, hop, now, State.TRYING)

    def receive(self, response: Response, now: float) -> tuple[bool, list[Send]]:
        """Whether the response is news for who asked, and what leaves because of it."""
        if self.state not in (State.TRYING, State.PROCEEDING):
            return False, []
        if response.status < 200:
            self.state = State.PROCEEDING
        else:
            # Timer K: further answers are swallowed.
            self.linger(State.COMPLETED, T4, now)
        return True, []

    def tick(self, now: float) -> list[Send]:
        if self._expired(now):
            return []
        # Timer E: repeat at growing intervals, at the longest once the peer has shown itself.
        self._interval = T2 if self.state is State.PROCEEDING else min(2 * self._interval, T2)
        return self._repeat(now)


class InviteClient(ClientTransaction):
    """§17.1.1, with the Accepted state of RFC 6026: every 2xx of every fork is handed up, again and again."""

    def __init__(self, request: Request, hop: Hop, now: float) -> None:
        super().__init__(request, hop, now, State.CALLING)
        self.patience: float | None = None
        """Seconds that a provisional response may stand for the final one; None for any time."""
        self._ack: Send | None = None

    def receive(self, response: Response, now: float) -> tuple[bool, list[Send]]:
        """Whether the response is news for who called, and what leaves because of it."""
        match self.state:
            case State.CALLING | State.PROCEEDING if response.status < 200:
                # From here on a person takes the time that a person takes: no timer of the RFC's runs.
                self.state, self.deadline = State.PROCEEDING, None
                if self.patience is not None:
                    self.deadline = self._give_up = now + self.patience
            case State.CALLING | State.PROCEEDING | State.ACCEPTED if response.status < 300:
                if self.state is not State.ACCEPTED:
                    # Timer M: how long another fork may still answer, or this one again.
                    self.state, self.deadline = State.ACCEPTED, now + 64 * T1
                return response.status >= 200, []
            case State.CALLING | State.PROCEEDING:
                ack = companion(self.request, "ACK", response.headers.need("to"))
                self._ack = Send(ack.to_bytes(), *self.hop)
                # Timer D: the ACK is repeated for who repeats the refusal.
                self.linger(State.COMPLETED, 64 * T1, now)
                return True, [self._ack]
            case State.COMPLETED if self._ack and response.status >= 300:
                return False, [self._ack]
            case _:
                return False, []
        return True, []

    def tick(self, now: float) -> list[Send]:
        if self._expired(now):
            return []
        # Timer A: doubles without limit, until Timer B.
        self._interval *= 2
        return self._repeat(now)


def companion(invite: Request, method: str, to: str) -> Request:
    """The CANCEL of an INVITE, or the ACK to its refusal, on the same way (§9.1, §17.1.1.3)."""
    kept = ("from", "call-id", "route", "max-forwards")
    headers = [
        ("via", invite.headers.need("via")),
        *((name, value) for name, value in invite.headers if name in kept),
        ("to", to),
        ("cseq", f"{invite.cseq.number} {method}"),
    ]
    return Request(Headers(headers), b"", method, invite.uri)
