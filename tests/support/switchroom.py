"""An exchange whose seats' phones call too: by digest, through a trunk, on a virtual clock.

room = Switchroom(*service, "8001")
room.handsets["p8001"].dials("02112345678")
room.trunk.answers()
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import count

from callflow.call.controller import Controller, Settings
from callflow.call.dial_plan import CallsOut
from callflow.call.queues import QueuePlan
from callflow.call.seats import SeatPlan, SeatState
from callflow.etiquette.house import House
from callflow.flow.model import Flow
from callflow.media.ports import PortPool
from callflow.sip.address import AllowList, Hop, Transport
from callflow.sip.credentials import Credentials
from callflow.sip.endpoint import Endpoint
from callflow.sip.headers import NameAddress
from callflow.sip.locate import Candidate
from callflow.sip.message import Response, parse
from callflow.sip.registrar import Binding, Registrar
from callflow.sip.transaction import Send
from callflow.sip.trunks import TrunkPlan
from callflow.sip.uri import Uri
from tests.support.exchange import Exchange, SeatPhone, sdp
from tests.support.sip_phone import US

PASSWORD = "open sesame"
CALLS_OUT = CallsOut(
    (TrunkPlan("provider", "provider.example", keepalive=False),),
    "02187654321",
    ("0[1-9]*", "1[3-9]xxxxxxxxx"),
)


@dataclass
class Handset(SeatPhone):
    """A phone that calls as well; its account is its number."""

    password: str = PASSWORD
    proves_for: str = ""
    """The number that its proof is made for, where it is another."""
    heard: list[str] = field(default_factory=list)
    """The statuses of its own INVITEs."""
    early: bytes = b""
    """The session description that came before the answer."""
    call: int = 0
    dialled: str = ""
    tag: str = ""
    """Ours in the dialog that it has begun."""
    own: int = 0
    """The CSeq of its own dialog."""
    extra: tuple[str, ...] = ()
    """What its INVITEs say besides."""
    shows: str = ""
    """The URI in its From, where it is none of its own."""

    def dials(self, number: str, offer: bytes | None = None) -> None:
        self.call += 1
        self.dialled, self.tag, self.own = number, "", 1
        self._invites(sdp() if offer is None else offer)

    def cancels(self) -> None:
        self._sends("CANCEL", cseq=self.own, tag="")

    def says(self, method: str, body: bytes = b"") -> None:
        """A request in the dialog that it has begun."""
        self.own += 1
        self._sends(method, body, cseq=self.own)

    def holds_call(self) -> None:
        self.says("INVITE", sdp("sendonly"))

    def is_told(self, response: Response) -> None:
        """An answer to what it has asked in its own call."""
        if response.cseq.method != "INVITE":
            return
        self.heard.append(str(response.status))
        self.tag = response.to.tag or self.tag
        if response.status < 200:
            self.early = response.body or self.early
            return
        number = response.cseq.number
        self._sends("ACK", cseq=number, branch=f"{number}" if response.status >= 300 else f"ack{number}")
        if response.status == 407 and self.own == 1:
            credentials = Credentials(self.number, self.password, lambda: "cnonce")
            assert credentials.challenged(response)
            [(_, proof)] = credentials.fields("INVITE", f"sip:{self.proves_for or self.dialled}@{US[0]}")
            self.own, self.tag = 2, ""
            self._invites(sdp(), proof)

    @property
    def call_id(self) -> str:
        return f"own-{self.number}-{self.call}"

    def _invites(self, offer: bytes, proof: str = "") -> None:
        fields = (*self.extra, *((f"Proxy-Authorization: {proof}",) if proof else ()))
        self._sends("INVITE", offer, *fields, cseq=self.own, tag="")

    def _sends(
        self,
        method: str,
        body: bytes = b"",
        *fields: str,
        cseq: int,
        tag: str | None = None,
        branch: str = "",
    ) -> None:
        tag = self.tag if tag is None else tag
        host, port = self.address
        lines = [
            f"{method} sip:{self.dialled}@{US[0]} SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{self.call_id}-{branch or cseq}",
            f"From: <{self.shows or f'sip:{self.number}@{US[0]}'}>;tag=mine",
            f"To: <sip:{self.dialled}@{US[0]}>{f';tag={tag}' if tag else ''}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:{self.number}@{host}:{port}>",
            "Max-Forwards: 70",
            *fields,
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        self.exchange.receives(("\r\n".join(lines) + "\r\n\r\n").encode() + body, self.address)


@dataclass
class Trunk(SeatPhone):
    """Whom calls out go to."""


class Switchroom(Exchange):
    """An exchange with handsets, free desks and a trunk."""

    trunk: Trunk

    def __init__(
        self,
        flow: Flow,
        house: House,
        *seats: str | SeatPlan,
        desks: Iterable[str] = (),
        calls_out: CallsOut = CALLS_OUT,
        most_calls: int = 10,
        queue: QueuePlan | None = None,
        takes_replaces: bool = False,
    ) -> None:
        """`takes_replaces`: whether the trunk is trusted with that."""
        own = tuple(replace(plan, takes_replaces=takes_replaces) for plan in calls_out.trunks)
        calls_out = replace(calls_out, trunks=own)
        super().__init__(flow, house, *seats, queue=queue)
        plans = tuple(SeatPlan(seat, f"p{seat}") if isinstance(seat, str) else seat for seat in seats)
        accounts = [*(plan.phone for plan in plans if plan.phone), *desks]
        registrar = Registrar(dict.fromkeys(accounts, PASSWORD), "callflow", b"secret")
        self.handsets: dict[str, Handset] = {}
        for index, account in enumerate(accounts):
            self._place(registrar, account, ("192.0.2.50", 5100 + index))
        self.trunk = Trunk(self, "trunk", ("192.0.2.200", 5060))
        self.phones = {**self.handsets, "trunk": self.trunk}
        settings = Settings(
            flow,
            house,
            US[0],
            most_calls,
            seats=plans,
            queues=(queue or QueuePlan("service"),),
            phones=tuple(desks),
            away_reasons={"1": "午休"},
            calls_out=calls_out,
        )
        self.controller = self._new_controller(settings, registrar)

    def _new_controller(self, settings: Settings, registrar: Registrar) -> Controller:
        numbers, calls, trunks = count(1), count(1), settings.calls_out.trunks
        allowed = AllowList(["192.0.2.0/24"])
        endpoint = Endpoint(US, registrar, allowed, lambda: f"id{next(numbers)}", trunks=trunks)
        for plan in trunks:
            candidate = Candidate(*self.trunk.address, Transport.UDP)
            endpoint.trunks.located(plan.name, [candidate], 0.0)
        ports = PortPool(tuple(range(20_000, 20_032, 2)))
        return Controller(settings, endpoint, ports, lambda: f"call-{next(calls)}", self.facts.append)

    def state(self, seat: str) -> SeatState:
        seats = self.controller.switchboard.seats
        return seats.state(seats[seat], self.now)

    def fact(self, name: str) -> dict[str, object]:
        """The details of the latest fact of that name."""
        return dict([fact for fact in self.facts if fact.fact == name][-1].details)

    def _place(self, registrar: Registrar, account: str, address: tuple[str, int]) -> None:
        contact = NameAddress(Uri("sip", account, *address))
        registrar._bindings[account] = {str(contact.uri): Binding(contact, Hop(address), 1e9, "reg", 1)}
        self.handsets[account] = Handset(self, account, address)

    def _carry(self, send: Send) -> None:
        message = parse(send.data)
        for handset in self.handsets.values():
            is_its_own = send.destination == handset.address and message.call_id == handset.call_id
            if is_its_own and isinstance(message, Response):
                handset.is_told(message)
                return
        super()._carry(send)
