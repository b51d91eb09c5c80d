"""A controller with seats, a caller and the seats' phones, in SIP messages on a virtual clock.

exchange = Exchange(flow, house, "8001")
exchange.calls()
exchange.phones["8001"].answers()
assert exchange.heard() == [...]
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count

from callflow.call.controller import Controller, Settings
from callflow.call.journal import FactEntry
from callflow.call.leg import Effect
from callflow.call.queues import QueuePlan
from callflow.call.recorder import Message
from callflow.call.seats import SeatPlan
from callflow.etiquette.house import House
from callflow.etiquette.modes import Modes
from callflow.events import (
    DigitPressed,
    Event,
    OpinionGiven,
    PromptFinished,
    PromptStarted,
    PromptStopped,
)
from callflow.facts import Fact
from callflow.flow.model import Flow
from callflow.guard import Broke
from callflow.media.messages import (
    AskOpinion,
    Command,
    Join,
    LoadPrompt,
    OpenGate,
    Play,
    PlayBoth,
    PlayMusic,
    PromptUnknown,
    Report,
    SendDigits,
    ShutGate,
    StopPlaying,
    UnloadPrompt,
)
from callflow.media.ports import PortPool
from callflow.sip.address import Address, AllowList, Hop, Transport
from callflow.sip.endpoint import Endpoint
from callflow.sip.happenings import Counted
from callflow.sip.headers import NameAddress
from callflow.sip.locate import Candidate
from callflow.sip.message import Request, Response, parse, respond
from callflow.sip.registrar import Binding, Registrar
from callflow.sip.transaction import Send
from callflow.sip.trunks import TrunkPlan
from callflow.sip.uri import Uri
from tests.support.sip_phone import OFFER, THEM, US, Phone

PROMPT = 2.0
"""Seconds that each prompt lasts here."""


def sdp(direction: str = "sendrecv", host: str = "192.0.2.50") -> bytes:
    return (
        f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        f"m=audio 4100 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
    ).encode()


def spelt(prompt: str, own: Mapping[str, str]) -> list[str]:
    """A prompt as its words before the number, each digit, and the words after it."""
    return [f"{prompt}?{piece}" for piece in ("words", *own["number"], "more words")]


@dataclass
class SeatPhone:
    """A seat's phone: it answers the requests that come to its address."""

    exchange: "Exchange"
    number: str
    address: Address
    invites: list[Request] = field(default_factory=list)
    """Those that ring or are answered, the latest last."""
    asked: list[str] = field(default_factory=list)
    """The methods that came, all of them."""
    requests: list[Request] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    """What its own requests were answered, but for INVITEs."""
    allows: str = ""
    """What its Allow says; it has none where this is empty."""
    cseq: int = 0
    has_events: bool = True
    """Whether it knows telephone-event."""
    deaf_to: frozenset[str] = frozenset()
    """The methods that never reach it."""

    def takes(self, request: Request) -> None:
        self.asked.append(request.method)
        self.requests.append(request)
        if request.method in self.deaf_to:
            return
        if request.method == "INVITE":
            self.invites.append(request)
            self._replies(respond(request, 100, "Trying"))
        elif request.method in ("BYE", "CANCEL", "MESSAGE", "UPDATE", "NOTIFY", "OPTIONS"):
            self._replies(respond(request, 200, "OK"))
            if request.method == "CANCEL":
                invite = self.invites[-1]
                self._replies(respond(invite, 487, "Request Terminated", to_tag=self._tag(invite)))

    def rings(self) -> None:
        invite = self.invites[-1]
        contact = ("contact", f"<sip:{self.number}@{self.address[0]}:{self.address[1]}>")
        self._replies(respond(invite, 180, "Ringing", contact, to_tag=self._tag(invite)))

    def progresses(self, status: int, body: bytes = b"") -> None:
        """A provisional response, with early media where there is a `body`."""
        invite = self.invites[-1]
        fields = [("contact", f"<sip:{self.number}@{self.address[0]}:{self.address[1]}>")]
        if body:
            fields.append(("content-type", "application/sdp"))
        self._replies(respond(invite, status, "Progress", *fields, to_tag=self._tag(invite), body=body))

    def answers(self, status: int = 200, reason: str = "OK", *, bare: bool = False) -> None:
        """`bare`: without a session description, which an earlier response had."""
        invite = self.invites[-1]
        fields = [("contact", f"<sip:{self.number}@{self.address[0]}:{self.address[1]}>")]
        fields += [("allow", self.allows)] if self.allows else []
        body = sdp() if status == 200 and not bare else b""
        body = body if self.has_events else body.replace(b" 101\r\na=rtpmap:101 telephone-event/8000", b"")
        if body:
            fields.append(("content-type", "application/sdp"))
        self._replies(respond(invite, status, reason, *fields, to_tag=self._tag(invite), body=body))

    def holds(self, direction: str = "sendonly") -> None:
        """The phone's own hold key: a re-INVITE."""
        self.asks("INVITE", sdp(direction))

    def resumes(self) -> None:
        self.asks("INVITE", sdp())

    def hangs_up(self) -> None:
        self.asks("BYE")

    def refers(self, target: str, *fields: str) -> None:
        """The phone's own transfer key: a REFER without Replaces."""
        self.asks("REFER", b"", None, f"Refer-To: <sip:{target}@192.0.2.1>", *fields)

    def notified(self) -> list[tuple[str, str]]:
        """What it was told of its transfer: the answer, and whether that was the last."""
        notified = [request for request in self.requests if request.method == "NOTIFY"]
        return [
            (request.body.decode().strip(), request.headers.need("subscription-state").partition(";")[0])
            for request in notified
        ]

    def asks(self, method: str, body: bytes = b"", invite: Request | None = None, *fields: str) -> None:
        """A request in the dialog of our latest INVITE."""
        self.cseq += 1
        invite = invite or self.invites[-1]
        lines = [
            f"{method} {NameAddress.parse(invite.headers.need('contact')).uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.address[0]}:{self.address[1]};branch=z9hG4bK{self.number}-{self.cseq}",
            f"From: {invite.headers.need('to')};tag={self._tag(invite)}",
            f"To: {invite.headers.need('from')}",
            f"Call-ID: {invite.call_id}",
            f"CSeq: {self.cseq} {method}",
            f"Contact: <sip:{self.number}@{self.address[0]}:{self.address[1]}>",
            *fields,
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        self.exchange.receives(("\r\n".join(lines) + "\r\n\r\n").encode() + body, self.address)

    def acknowledges(self, response: Response) -> None:
        """The ACK to a 200 that answers a re-INVITE of ours."""
        self.cseq -= 1
        self.asks("ACK")

    def _tag(self, invite: Request) -> str:
        return f"{self.number}-{self.invites.index(invite)}"

    def _replies(self, response: Response) -> None:
        self.exchange.receives(response.to_bytes(), self.address)


class Exchange:
    """Everything that one test needs; prompts last `PROMPT` seconds and are heard to their end."""

    def __init__(
        self,
        flow: Flow,
        house: House,
        *seats: str | SeatPlan,
        queue: QueuePlan | None = None,
        modes: Modes | None = None,
        trunk: str = "",
        journals: bool = False,
        others: Iterable[QueuePlan] = (),
        most_calls: int = 10,
    ) -> None:
        """`trunk` is the name of the one that the caller comes by; `others` are queues beside its own."""
        self.now = 0.0
        self.facts: list[Fact] = []
        self.commands: list[Command] = []
        self.counted: list[Counted] = []
        self.faults: list[Exception] = []
        self.expects_faults = False
        """Whether faults are only noted, because a test has planted them."""
        self.opinion: OpinionGiven | None = OpinionGiven(alive=False)
        """What the second pair of ears answers; None: nothing at all."""
        self.to_keep: list[FactEntry] = []
        """What calls wait for until it is on disk."""
        self.unknown: set[str] = set()
        """Prompts that the plane does not have."""
        self.never_ends: set[str] = set()
        """Prompts of which the plane never tells anything."""
        self.loaded: list[str] = []
        """What the plane was given to say in calls, and still has."""
        self.messages: list[Message] = []
        """What callers have said, ready to be written."""
        self.caller = Phone()
        self.caller_asked: list[Request] = []
        self.caller_deaf_to: frozenset[str] = frozenset()
        """The methods that never reach the caller's side."""
        self.others: list[Phone] = []
        self.hears: list[str] = []
        """What the caller's side was sent: statuses and methods."""
        self.responses: list[Response] = []
        """The former, whole."""
        self.phones: dict[str, SeatPhone] = {}
        self._ends: list[tuple[float, int, str]] = []
        numbers, calls = count(1), count(1)
        plans = tuple(SeatPlan(seat, f"p{seat}") if isinstance(seat, str) else seat for seat in seats)
        registrar = Registrar({}, "callflow", b"secret")
        for index, plan in enumerate(plans):
            self._register(registrar, plan, ("192.0.2.50", 5100 + index))
        trunks = [TrunkPlan(trunk, THEM[0], keepalive=False)] if trunk else []
        endpoint = Endpoint(
            US, registrar, AllowList(["192.0.2.0/24"]), lambda: f"id{next(numbers)}", trunks=trunks
        )
        queues = (queue or QueuePlan("service"), *others)
        settings = Settings(
            flow,
            house,
            US[0],
            most_calls,
            seats=plans,
            queues=queues,
            modes=modes or Modes(),
            journals=journals,
            spell=spelt,
            sayable={"surname": frozenset("王李"), "matter": frozenset({"报修", "账单"})},
        )
        ports = PortPool(tuple(range(20_000, 20_032, 2)))
        self.controller = Controller(
            settings, endpoint, ports, lambda: f"call-{next(calls)}", self.facts.append
        )
        if trunk:
            self.take(self.controller.located(trunk, [Candidate(*THEM, Transport.UDP)], 0.0))

    def _register(self, registrar: Registrar, plan: SeatPlan, address: Address) -> None:
        contact = NameAddress(Uri("sip", plan.number, *address))
        binding = Binding(contact, Hop(address), 1e9, "reg", 1)
        if plan.phone is not None:
            registrar._bindings[plan.phone] = {str(contact.uri): binding}
        self.phones[plan.number] = SeatPhone(self, plan.number, address)

    # --- the caller ---

    def calls(self) -> None:
        """INVITE, and the ACK to its 200."""
        self.says("INVITE", OFFER)
        self.passes(0.001)
        self.says("ACK")

    def another_calls(self) -> None:
        """A second caller, who says nothing more."""
        self.others.append(Phone(call_id=f"another-{len(self.others)}"))
        self.receives(self.others[-1].request("INVITE", body=OFFER), THEM)
        self.passes(0.001)
        self.receives(self.others[-1].request("ACK"), THEM)

    def says(self, method: str, body: bytes = b"", cseq: int = 1) -> None:
        self.receives(self.caller.request(method, body=body, cseq=cseq), THEM)

    def presses(self, digit: str) -> None:
        self.tells(1, DigitPressed(digit))

    # --- time and the plane ---

    def passes(self, seconds: float) -> None:
        """Let time pass, deadline by deadline, prompts heard to their ends."""
        end = self.now + seconds
        while (at := self._next()) is not None and at <= end:
            self.now = max(at, self.now)
            if self._ends and self._ends[0][0] <= self.now:
                _, leg, prompt = self._ends.pop(0)
                self.tells(leg, PromptFinished(prompt))
            else:
                self.take(self.controller.tick(self.now))
        self.now = end

    def _next(self) -> float | None:
        self._ends.sort()
        known = [self.controller.deadline, self._ends[0][0] if self._ends else None]
        return min((at for at in known if at is not None), default=None)

    def tells(self, leg: int, event: Event) -> None:
        """The plane tells of a leg."""
        self.take(self.controller.hear(Report(self.now, leg, event)))

    def answers_caller_side(self, status: int, reason: str) -> None:
        """The caller's side answers our latest request, which did not reach it at once."""
        self.receives(respond(self.caller_asked[-1], status, reason).to_bytes(), THEM)

    def keeps(self) -> None:
        """The disk has what it was given last."""
        entry = self.to_keep[-1]
        self.take(self.controller.kept(entry.call, entry.number, self.now))

    def receives(self, data: bytes, source: Address) -> None:
        self.take(self.controller.receive(data, source, self.now))

    def take(self, effects: Iterable[Effect]) -> None:
        """Carry out what the controller wants. A fault of ours is raised when everything else is done."""
        faults: list[Exception] = []
        for effect in effects:
            match effect:
                case Send():
                    self._carry(effect)
                case Counted():
                    self.counted.append(effect)
                case Broke(error=error):
                    faults.append(error)
                case FactEntry():
                    self.to_keep.append(effect)
                case Message():
                    self.messages.append(effect)
                case LoadPrompt(prompt=prompt):
                    self.loaded.append(prompt)
                case UnloadPrompt(prompt=prompt):
                    self.loaded.remove(prompt)
                case Command():
                    self._obey(effect)
        if faults and not self.expects_faults:
            raise faults[0]
        self.faults += faults

    def _carry(self, send: Send) -> None:
        message = parse(send.data)
        phone = next((phone for phone in self.phones.values() if phone.address == send.destination), None)
        if phone is not None:
            if isinstance(message, Request):
                phone.takes(message)
            elif message.cseq.method == "INVITE" and message.status >= 200:
                phone.acknowledges(message)
            else:
                phone.statuses.append(str(message.status))
            return
        other = next((other for other in self.others if other.call_id == message.call_id), None)
        if isinstance(message, Response):
            caller = other or self.caller
            caller.to_tag = message.to.tag or caller.to_tag
            if caller is self.caller:
                self.hears.append(str(message.status))
                self.responses.append(message)
        elif other is not None:
            other.asked_of_it.append(message.method)
        else:
            self.hears.append(message.method)
            self.caller_asked.append(message)
            if message.method in self.caller_deaf_to:
                return
            self.receives(respond(message, 200, "OK").to_bytes(), THEM)

    def _obey(self, command: Command) -> None:
        self.commands.append(command)
        match command:
            case Play(leg=leg, prompt=prompt) | PlayBoth(leg=leg, prompt=prompt) if prompt in self.unknown:
                self._stop(leg)
                self.tells(leg, PromptUnknown(prompt))
            case PlayMusic(leg=leg, prompt=prompt) if prompt in self.unknown:
                self.tells(leg, PromptUnknown(prompt, is_music=True))
            case Play(leg=leg, prompt=prompt) if prompt in self.never_ends:
                self._stop(leg)
            case Play(leg=leg, prompt=prompt) | PlayBoth(leg=leg, prompt=prompt):
                self._stop(leg)
                self._ends.append((self.now + PROMPT, leg, prompt))
                self.tells(leg, PromptStarted(prompt))
            case StopPlaying(leg=leg):
                self._stop(leg)
            case AskOpinion(leg=leg) if self.opinion:
                self.tells(leg, self.opinion)

    def _stop(self, leg: int) -> None:
        for entry in [entry for entry in self._ends if entry[1] == leg]:
            self._ends.remove(entry)
            self.tells(leg, PromptStopped(entry[2]))

    # --- what came of it ---

    @property
    def told(self) -> list[str]:
        """The names of all facts."""
        return [fact.fact for fact in self.facts]

    def said(self) -> list[tuple[float, str]]:
        """Every prompt that began, and when."""
        return [
            (round(fact.at, 3), str(fact.details["prompt"]))
            for fact in self.facts
            if fact.fact == "prompt.started"
        ]

    def sound(self) -> list[str]:
        """What the plane was told of who hears whom, since the last time."""
        told = [
            f"{type(command).__name__} {command.leg}"
            for command in self.commands
            if isinstance(command, Join | ShutGate | OpenGate | SendDigits)
        ]
        self.commands.clear()
        return told
