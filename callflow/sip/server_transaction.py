"""The server's transaction machines (RFC 3261 §17.2, RFC 6026): an answer is kept, and given again."""

from callflow.sip.address import Hop
from callflow.sip.message import Request, Response
from callflow.sip.transaction import T1, T2, T4, Send, State, Transaction


class ServerTransaction(Transaction):
    """What both machines share."""

    _last: Send | None = None

    def __init__(self, request: Request, hop: Hop) -> None:
        """Responses go to `hop` (§18.2.2, RFC 3581)."""
        super().__init__(hop, State.TRYING)
        self.request = request

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

    def redirect(self, hop: Hop) -> list[Send]:
        """The connection that the request came by is gone: answer by another (§18.2.2)."""
        self.hop = hop
        if self._last is None:
            return []
        self._last = Send(self._last.data, *hop)
        return [self._last]

    def _send(self, response: Response) -> list[Send]:
        self._last = Send(response.to_bytes(), *self.hop)
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
            self.linger(State.COMPLETED, 64 * T1, now)
        return self._send(response)

    def tick(self, now: float) -> list[Send]:
        self.end()
        return []


class InviteServer(ServerTransaction):
    """§17.2.1, with the Accepted state of RFC 6026: the transaction outlives its 2xx."""

    _timer_g = T1
    _timer_h = 0.0

    def respond(self, response: Response, now: float) -> list[Send]:
        if self.state not in (State.TRYING, State.PROCEEDING):
            return []
        if response.status < 200:
            self.state = State.PROCEEDING
        elif response.status < 300:
            # Timer L: a retransmitted INVITE is swallowed, the 2xx is the session's to repeat.
            self.state, self.deadline = State.ACCEPTED, now + 64 * T1
        else:
            self._timer_h = now + 64 * T1
            wait = 64 * T1 if self.hop.transport.reliable else self._timer_g
            self.state, self.deadline = State.COMPLETED, now + wait
        return self._send(response)

    def acknowledge(self, now: float) -> None:
        """The ACK to a 3xx-6xx."""
        if self.state is State.COMPLETED:
            # Timer I: further ACKs are swallowed.
            self.linger(State.CONFIRMED, T4, now)

    def tick(self, now: float) -> list[Send]:
        if self.state is not State.COMPLETED or now >= self._timer_h:
            self.end()
            return []
        # Timer G: repeat the refusal, at growing intervals, until its ACK is here.
        self._timer_g = min(2 * self._timer_g, T2)
        self.deadline = min(now + self._timer_g, self._timer_h)
        return self.again()
