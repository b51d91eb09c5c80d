"""Two endpoints and a network between them, on a virtual clock: what leaves one arrives at the other.

wire = Wire()
session = wire.caller_calls()
wire.run(1.0)
assert wire.heard == ["callee: Invited 1001 -> 4001", ...]
"""

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count

from callflow.sip.address import Address, AllowList, Hop, Transport
from callflow.sip.endpoint import Endpoint
from callflow.sip.happenings import Counted, Declined, Ended, Invited, Output
from callflow.sip.headers import NameAddress
from callflow.sip.outgoing import Plan
from callflow.sip.registrar import Registrar
from callflow.sip.transaction import Send
from callflow.sip.uri import Uri
from tests.support.sip_phone import OFFER, words

CALLER: Address = ("192.0.2.1", 5060)
CALLEE: Address = ("192.0.2.2", 5060)
DELAY = 0.01

Fate = Callable[[Send], Iterable[float]]
"""After how many seconds each copy of a message arrives; none for one that is lost."""


@dataclass
class Side:
    """One endpoint, and what it told."""

    name: str
    address: Address
    endpoint: Endpoint
    told: list[Output] = field(default_factory=list)
    session: str = ""
    """The latest one that it was invited to, or called by itself."""


def _endpoint(name: str, address: Address) -> Endpoint:
    numbers = count(1)
    registrar = Registrar({}, "callflow", b"secret")
    return Endpoint(address, registrar, AllowList(["192.0.2.0/24"]), lambda: f"{name}{next(numbers)}")


class Wire:
    """The clock, the two sides, and what is under way."""

    def __init__(self, fate: Fate = lambda send: [DELAY], transport: Transport = Transport.UDP) -> None:
        self.now = 0.0
        self.fate = fate
        self.transport = transport
        self.caller = Side("caller", CALLER, _endpoint("a", CALLER))
        self.callee = Side("callee", CALLEE, _endpoint("b", CALLEE))
        self.sent: list[tuple[float, str, str]] = []
        """Each message that left: when, whose, and what."""
        self._under_way: list[tuple[float, int, Side, Send]] = []
        self._count = count()

    def calls(self, **changes: object) -> str:
        """The caller calls."""
        plan = Plan(
            target=Uri.parse("sip:4001@192.0.2.2"),
            caller=NameAddress(Uri.parse("sip:1001@192.0.2.1")),
            offer=OFFER,
            hops=(Hop(CALLEE, self.transport),),
            **changes,  # type: ignore[arg-type]
        )
        self.caller.session, outputs = self.caller.endpoint.calls.invite(plan, self.now)
        self.take(self.caller, outputs)
        return self.caller.session

    def take(self, side: Side, outputs: Iterable[Output]) -> None:
        """Carry out what a side wants done."""
        for output in outputs:
            if isinstance(output, Send):
                [what] = words([output])
                self.sent.append((round(self.now, 4), side.name, what))
                self._carry(side, output)
                continue
            if isinstance(output, Invited):
                side.session = output.session
            if not isinstance(output, Counted) or output.what == "odd":
                side.told.append(output)

    def heard(self, side: Side) -> list[str]:
        """What a side was told, and has not been asked for yet."""
        told, side.told = side.told, []
        return words(told)

    def said(self) -> list[str]:
        """Who sent what, and has not been asked for yet."""
        sent, self.sent = self.sent, []
        return [f"{name}: {what}" for _, name, what in sent]

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while (at := self._next()) is not None and at <= end:
            self.now = at
            if self._under_way and self._under_way[0][0] <= at:
                _, _, source, send = heapq.heappop(self._under_way)
                self._arrive(source, send)
                continue
            for side in (self.caller, self.callee):
                if side.endpoint.deadline is not None and side.endpoint.deadline <= at:
                    self.take(side, side.endpoint.tick(at))
        self.now = end

    def talk(self) -> None:
        """From the call to the conversation."""
        self.calls()
        self.run(0.1)
        self.take(self.callee, self.callee.endpoint.calls.answer(self.callee.session, b"v=0\r\n", self.now))
        self.run(0.1)
        assert self.heard(self.caller) == ["Accepted"]
        assert self.heard(self.callee) == ["Invited 1001 -> 4001", "Confirmed"]
        self.said()

    @property
    def in_hand(self) -> dict[str, int]:
        """What both sides together have not finished."""
        both = [side.endpoint.in_hand() for side in (self.caller, self.callee)]
        return {name: sum(one[name] for one in both) for name in both[0]}

    def ends(self, side: Side) -> list[Output]:
        """How sessions of a side ended, as far as it was told."""
        return [output for output in side.told if isinstance(output, Ended | Declined)]

    def _carry(self, side: Side, send: Send) -> None:
        for delay in self.fate(send):
            heapq.heappush(self._under_way, (self.now + delay, next(self._count), side, send))

    def _next(self) -> float | None:
        known = [self.caller.endpoint.deadline, self.callee.endpoint.deadline]
        known += [self._under_way[0][0]] if self._under_way else []
        return min((at for at in known if at is not None), default=None)

    def _arrive(self, source: Side, send: Send) -> None:
        for side in (self.caller, self.callee):
            if side.address == send.destination:
                received = side.endpoint.receive(send.data, source.address, self.now, send.transport)
                self.take(side, received)
