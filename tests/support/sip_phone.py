"""A phone in words: it builds a caller's requests, and reads aloud what the endpoint wants done.

said = phone.says(phone.request("INVITE"), at=0.0)
assert said == ["(request INVITE)", "100 INVITE", "(response 1xx)", "Invited 1001 -> 4001"]
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count

from callflow.guard import Broke
from callflow.sip.address import Address, AllowList
from callflow.sip.endpoint import Endpoint
from callflow.sip.happenings import (
    Counted,
    Declined,
    Ended,
    Invited,
    KeySignalled,
    Output,
    Probed,
    Progressed,
    Registered,
    RegistrationChanged,
    ReofferDeclined,
    Replied,
    Told,
    TrunkChanged,
)
from callflow.sip.message import Request, Response, parse
from callflow.sip.registrar import Registrar
from callflow.sip.transaction import Send

US: Address = ("198.51.100.1", 5060)
THEM: Address = ("192.0.2.10", 5070)
OFFER = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\nc=IN IP4 192.0.2.10\r\nt=0 0\r\n"
    b"m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
)
ANSWER = b"v=0\r\n"


def new_endpoint() -> Endpoint:
    """An endpoint that knows 1001, lets the documentation's network in, and has ids that count up."""
    numbers = count(1)
    registrar = Registrar({"1001": "open sesame"}, "callflow", b"secret")
    return Endpoint(US, registrar, AllowList(["192.0.2.0/24"]), lambda: f"id{next(numbers)}")


def words(outputs: Iterable[Output]) -> list[str]:
    """What the endpoint wants done, one word each; what is only counted stands in brackets."""
    return [_word(output) for output in outputs]


def _word(output: Output) -> str:
    match output:
        case Send(data=data):
            message = parse(data)
            if isinstance(message, Response):
                return f"{message.status} {_method(message)}"
            return message.method
        case Counted(what=what, kind=kind):
            return f"({what} {kind})"
        case TrunkChanged(trunk=trunk, state=state) | RegistrationChanged(trunk=trunk, state=state):
            return f"{trunk} is {state}"
        case Broke(error=error):
            raise error
        case Registered(account=account):
            return f"{account} has registered"
        case Probed(name=name, is_there=is_there):
            return f"{name} is {'there' if is_there else 'not there'}"
    return _told(output)


def _told(output: Told) -> str:
    match output:
        case Invited(caller=caller, called=called):
            return f"Invited {caller} -> {called}"
        case Ended(reason=reason):
            return f"Ended {reason}"
        case KeySignalled(key=key):
            return f"KeySignalled {key}"
        case Progressed(status=status, answer=answer):
            return f"Progressed {status}{' with audio' if answer else ''}"
        case Declined(status=status):
            return f"Declined {status}"
        case ReofferDeclined(status=status):
            return f"ReofferDeclined {status}"
        case Replied(method=method, status=status):
            return f"Replied {status} {method}"
    return type(output).__name__


def _method(response: Response) -> str:
    """What was asked for, as far as the request told."""
    return (response.headers.get("cseq") or "?").split()[-1]


def until(endpoint: Endpoint, end: float) -> list[tuple[float, str]]:
    """Wake the endpoint at each of its deadlines up to `end`: what it did, and when."""
    done: list[tuple[float, str]] = []
    while (at := endpoint.deadline) is not None and at <= end:
        done += [(at, word) for word in words(endpoint.tick(at))]
    return done


@dataclass
class Phone:
    """One caller's side of one call."""

    endpoint: Endpoint = field(default_factory=new_endpoint)
    source: Address = THEM
    call_id: str = "call-1"
    from_tag: str = "from-1"
    to_tag: str = ""
    """Ours, once a response has told it."""
    cseq: int = 1
    via: str = f"{THEM[0]}:{THEM[1]};rport"
    session: str = ""
    asked_of_it: list[str] = field(default_factory=list)
    """The methods of our requests to it."""
    sent: list[Send] = field(default_factory=list)
    """All datagrams that came back."""
    outputs: list[Output] = field(default_factory=list)

    def request(
        self,
        method: str,
        *fields: str,
        cseq: int | None = None,
        branch: str = "",
        to_tag: str | None = None,
        body: bytes | None = None,
        uri: str = "sip:4001@198.51.100.1",
    ) -> bytes:
        """A request of this call; the branch goes with the CSeq, so that ACK and CANCEL find their INVITE."""
        number = self.cseq if cseq is None else cseq
        tag = self.to_tag if to_tag is None else to_tag
        payload = (OFFER if method == "INVITE" else b"") if body is None else body
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.via};branch=z9hG4bK{branch or f'{self.call_id}-{number}'}",
            "Max-Forwards: 70",
            f"From: <sip:1001@192.0.2.10>;tag={self.from_tag}",
            f"To: <sip:4001@198.51.100.1>{f';tag={tag}' if tag else ''}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {number} {method}",
            "Contact: <sip:1001@192.0.2.10:5070>",
            *fields,
            f"Content-Length: {len(payload)}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + payload

    def says(self, data: bytes, at: float, source: Address | None = None) -> list[str]:
        return self.hears(self.endpoint.receive(data, source or self.source, at))

    def hears(self, outputs: Iterable[Output]) -> list[str]:
        """Take in what came back."""
        self.outputs = [*outputs]
        for output in self.outputs:
            if isinstance(output, Invited):
                self.session = output.session
            if isinstance(output, Send):
                self.sent.append(output)
                message = parse(output.data)
                if isinstance(message, Response) and _method(message) == "INVITE" and message.to.tag:
                    self.to_tag = self.to_tag or message.to.tag
        return words(self.outputs)

    @property
    def response(self) -> Response:
        """The datagram that came last, which must be a response."""
        message = parse(self.sent[-1].data)
        assert isinstance(message, Response)
        return message

    @property
    def asked(self) -> Request:
        """The datagram that came last, which must be a request."""
        message = parse(self.sent[-1].data)
        assert isinstance(message, Request)
        return message

    def calls(self, at: float = 0.0) -> None:
        """INVITE and 100."""
        self.says(self.request("INVITE"), at)
        assert self.session

    def is_answered(self, at: float = 0.0) -> None:
        """INVITE and 200; the ACK is still to come."""
        self.calls(at)
        assert self.hears(self.endpoint.calls.answer(self.session, ANSWER, at)) == [
            *("200 INVITE", "(response 2xx)")
        ]

    def talks(self, at: float = 0.0) -> None:
        """INVITE, 200 and ACK."""
        self.is_answered(at)
        assert self.says(self.request("ACK"), at) == ["(request ACK)", "Confirmed"]

    def replies(self, status: int, at: float) -> list[str]:
        """Answer the request that came last."""
        lines = [
            f"SIP/2.0 {status} Whatever",
            *(
                f"{name}: {self.asked.headers.get(name.lower())}"
                for name in ("Via", "From", "To", "Call-ID", "CSeq")
            ),
        ]
        return self.says(("\r\n".join(lines) + "\r\n\r\n").encode(), at)
