"""An `Endpoint` at a UDP socket and a timer of its own: for what the service does not do by itself.

async with socket_endpoint() as ours:
    session = ours.call(seat.address)
    accepted = await ours.heard(Accepted)
    ours.do(ours.calls.hang_up(session, "", ours.now()))
"""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from callflow.guard import Broke
from callflow.net.udp import UdpTransport
from callflow.sip.address import Address, AllowList, Hop
from callflow.sip.calls import Calls
from callflow.sip.endpoint import Endpoint
from callflow.sip.happenings import (
    Counted,
    Invited,
    Output,
    Probed,
    Registered,
    RegistrationChanged,
    Told,
    TrunkChanged,
)
from callflow.sip.headers import NameAddress
from callflow.sip.message import Message, Request, parse
from callflow.sip.outgoing import Plan
from callflow.sip.registrar import Registrar
from callflow.sip.sdp import agree, offered
from callflow.sip.session import Prover
from callflow.sip.transaction import Send
from callflow.sip.uri import Uri
from tests.support.leftovers import LONGEST_TIMER

AUDIO: Address = ("127.0.0.1", 9)
"""Where nobody listens: these calls have no audio."""
LONGEST = 10.0
"""Seconds that any happening is waited for."""

ToldT = TypeVar("ToldT")
Policy = Callable[[Told, float], Iterable[Output]]
"""What is done at once when something happens, at the machines' time."""


@dataclass(frozen=True, slots=True)
class Passed:
    """A message that came or left, and when."""

    at: float
    incoming: bool
    peer: Address
    message: Message


class SocketEndpoint:
    """See `socket_endpoint`."""

    def __init__(self, policy: Policy | None, *, keep: bool) -> None:
        self.passed: list[Passed] = []
        """Every message, where they are kept."""
        self.odd: list[str] = []
        """The kinds of odd things that peers did."""
        self.repeated = 0
        """Messages that left a second time, since no answer had come."""
        self._policy = policy
        self.keep = keep
        self._told: list[Told] = []
        self._news = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for: float | None = None
        self._loop = asyncio.get_running_loop()
        self._udp = UdpTransport(("127.0.0.1", 0), self._receive)
        registrar = Registrar({}, "harness", b"secret")
        allowed = AllowList(["127.0.0.0/8"])
        self.endpoint = Endpoint(
            self._udp.address, registrar, allowed, lambda: secrets.token_hex(8), random.random
        )

    @property
    def address(self) -> Address:
        return self._udp.address

    @property
    def calls(self) -> Calls:
        return self.endpoint.calls

    def now(self) -> float:
        return self._loop.time()

    def start(self) -> None:
        self._udp.start()

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._udp.close()

    def do(self, outputs: Iterable[Output]) -> None:
        """Carry out what the endpoint, or a decision of ours, wants done."""
        self._carry_out(outputs)
        self._arm()

    def call(self, hop: Address, target: str = "sip:4001@127.0.0.1", prover: Prover | None = None) -> str:
        """Call `target` by way of `hop`: the session's id."""
        caller = NameAddress(Uri.parse(f"sip:callflow@127.0.0.1:{self.address[1]}"))
        plan = Plan(Uri.parse(target), caller, offered(AUDIO, 1), (Hop(hop),), prover=prover)
        session, outputs = self.calls.invite(plan, self.now())
        self.do(outputs)
        return session

    def answer(self, invited: Invited) -> None:
        self.do(self.calls.answer(invited.session, agree(invited.offer, AUDIO, 1).answer, self.now()))

    def hang_up(self, session: str) -> None:
        self.do(self.calls.hang_up(session, "", self.now()))

    async def heard(self, kind: type[ToldT]) -> ToldT:
        """The first happening of this kind that was not asked for yet. Raises `TimeoutError`."""
        async with asyncio.timeout(LONGEST):
            while True:
                for told in self._told:
                    if isinstance(told, kind):
                        self._told.remove(told)
                        return told
                self._news.clear()
                await self._news.wait()

    def sent(self, method: str) -> int:
        """How many requests of this method have left, repeated ones and all."""
        return len(self.requests(method))

    def requests(self, method: str, *, incoming: bool = False) -> list[Passed]:
        """Those that have left, or have come."""
        return [
            passed
            for passed in self.passed
            if passed.incoming is incoming
            and isinstance(passed.message, Request)
            and passed.message.method == method
        ]

    async def leftovers(self) -> tuple[list[str], dict[str, int]]:
        """The odd things there were, and what is not over even when all timers of SIP's have run out."""
        # What a peer has sent before its process ended is in the socket, but maybe not read.
        await asyncio.sleep(0.05)
        outputs = self.endpoint.tick(self.now() + LONGEST_TIMER)
        odd = [one.kind for one in outputs if isinstance(one, Counted) and one.what == "odd"]
        in_hand = self.endpoint.in_hand()
        return self.odd + odd, {name: count for name, count in in_hand.items() if count}

    def _receive(self, data: bytes, source: Address) -> None:
        self._note(data, source, incoming=True)
        self.do(self.endpoint.receive(data, source, self.now()))

    def _carry_out(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            match output:
                case Send(data=data, destination=destination):
                    self._note(data, destination, incoming=False)
                    self._udp.send(data, destination)
                case Counted(what=what, kind=kind):
                    self.odd += [kind] if what == "odd" else []
                case TrunkChanged() | RegistrationChanged():
                    raise AssertionError("there are no trunks here")
                case Broke(error=error):
                    raise error
                case Registered() | Probed():
                    continue
                case told:
                    self._hear(told)

    def _hear(self, told: Told) -> None:
        if self._policy is not None:
            self._carry_out(self._policy(told, self.now()))
            return
        self._told.append(told)
        self._news.set()

    def _note(self, data: bytes, peer: Address, *, incoming: bool) -> None:
        if self.keep:
            self.passed.append(Passed(self.now(), incoming, peer, parse(data, peer)))

    def _arm(self) -> None:
        deadline = self.endpoint.deadline
        if deadline == self._armed_for and self._timer is not None:
            return
        if self._timer:
            self._timer.cancel()
        self._armed_for = deadline
        self._timer = None if deadline is None else self._loop.call_at(deadline, self._wake, deadline)

    def _wake(self, deadline: float) -> None:
        self._timer = None
        # A timer may fire a hair early; the machines must find their deadline come.
        outputs = self.endpoint.tick(max(self.now(), deadline))
        self.repeated += sum(isinstance(output, Send) for output in outputs)
        self.do(outputs)


@asynccontextmanager
async def socket_endpoint(
    policy: Policy | None = None, *, keep: bool = True
) -> AsyncIterator[SocketEndpoint]:
    """A running endpoint. `policy` is told what happens; without one, `heard` waits for it."""
    ours = SocketEndpoint(policy, keep=keep)
    ours.start()
    try:
        yield ours
    finally:
        ours.close()
