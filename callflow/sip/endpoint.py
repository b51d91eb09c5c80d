"""The SIP endpoint: datagrams in; datagrams and happenings out.

It reads what comes, sends it to the room it is for, and answers what is malformed. Whether a call is
taken, and what is said in it, is decided on the floor above.
"""

from collections.abc import Callable
from typing import Final

from callflow.errors import PeerError
from callflow.sip.address import Address, AllowList, is_sendable
from callflow.sip.happenings import Counted, Output
from callflow.sip.message import NotSip, Request, Response, parse, respond, with_fields
from callflow.sip.registrar import Registrar
from callflow.sip.transaction import Send
from callflow.sip.transactions import Transactions
from callflow.sip.uas import ALLOW, METHODS, NO_DIALOG, UserAgentServer

_OTHER_METHODS: Final = ("INFO", "UPDATE", "REFER", "NOTIFY", "SUBSCRIBE", "MESSAGE", "PRACK", "PUBLISH")


class Endpoint:
    """All of SIP that we speak at one address."""

    def __init__(
        self, contact: Address, registrar: Registrar, allowed: AllowList, new_id: Callable[[], str]
    ) -> None:
        """`contact` is where peers reach us; `new_id` gives tags and branches, never the same twice."""
        self._transactions = Transactions()
        self.calls = UserAgentServer(self._transactions, contact, new_id)
        self._registrar = registrar
        self._allowed = allowed
        self._new_id = new_id

    @property
    def deadline(self) -> float | None:
        known = (self._transactions.deadline, self.calls.deadline)
        return min((at for at in known if at is not None), default=None)

    def in_hand(self) -> dict[str, int]:
        """What must come to nothing when all calls are over and 32 s have passed."""
        return {"transactions": len(self._transactions), "sessions": len(self.calls)}

    def receive(self, data: bytes, source: Address, now: float) -> list[Output]:
        """A datagram came from `source`. Never raises for anything that a peer can send."""
        if source[0] not in self._allowed:
            return [Counted("dropped", "not_allowed")]
        if not data.strip(b"\r\n\0 "):
            return [Counted("dropped", "keepalive")]
        try:
            message = parse(data)
        except NotSip:
            return [Counted("dropped", "not_sip")]
        if isinstance(message, Response):
            return self._receive_response(message, now)
        known = message.method in METHODS or message.method in _OTHER_METHODS
        counted = Counted("request", message.method if known else "other")
        try:
            destination = _response_destination(message, source)
            request = message.seen_from(source)
        except PeerError:
            # There is no way back to who wrote this.
            return [counted, Counted("dropped", "bad_via")]
        return [counted, *self._receive_request(request, source, destination, now)]

    def tick(self, now: float) -> list[Output]:
        """Deadlines have come: retransmissions, and what is over."""
        return [*self.calls.tick(now), *self._transactions.tick(now)]

    def _receive_request(
        self, request: Request, source: Address, destination: Address, now: float
    ) -> list[Output]:
        try:
            _check(request)
            known = self._transactions.server(request)
            if known is not None and request.method != "ACK":
                return [*known.again()]
            return self._dispatch(request, source, destination, now)
        except PeerError as error:
            return self._reject(request, error, destination, now)

    def _dispatch(self, request: Request, source: Address, destination: Address, now: float) -> list[Output]:
        match request.method:
            case "ACK":
                return self.calls.receive_ack(request, source, now)
            case "INVITE":
                return self.calls.receive_invite(request, source, destination, now)
        server = self._transactions.open_other(request, destination)
        match request.method:
            case "BYE":
                return self.calls.receive_bye(request, server, now)
            case "CANCEL":
                return self.calls.receive_cancel(request, server, now)
            case "REGISTER":
                answer = self._registrar.receive(request, source, now, self._new_id())
            case "OPTIONS":
                answer = self._options(request)
            case _:
                answer = self._not_ours(request)
        return [*self._transactions.respond(server, answer, now)]

    def _options(self, request: Request) -> Response:
        if request.to.tag and self.calls.session_of(request) is None:
            raise NO_DIALOG
        if self.calls.draining and not request.to.tag:
            busy = respond(request, 503, "Service Unavailable", to_tag=self._new_id())
            return with_fields(busy, ("retry-after", "30"))
        answer = respond(request, 200, "OK", to_tag=self._new_id())
        return with_fields(answer, ALLOW, ("accept", "application/sdp"))

    def _not_ours(self, request: Request) -> Response:
        if request.to.tag and self.calls.session_of(request) is None:
            raise NO_DIALOG
        known = request.method in _OTHER_METHODS
        status, reason = (405, "Method Not Allowed") if known else (501, "Not Implemented")
        return with_fields(respond(request, status, reason, to_tag=self._new_id()), ALLOW)

    def _receive_response(self, response: Response, now: float) -> list[Output]:
        try:
            is_ours = self._transactions.receive_response(response, now)
        except PeerError:
            return [Counted("dropped", "malformed")]
        return [] if is_ours else [Counted("dropped", "stray_response")]

    def _reject(self, request: Request, error: PeerError, destination: Address, now: float) -> list[Output]:
        if request.method == "ACK":
            return [Counted("dropped", "malformed")]
        refusal = respond(request, error.status, error.reason, to_tag=self._new_id())
        if error.status == 500:
            refusal = with_fields(refusal, ("retry-after", "3"))
        return [*self._refuse(request, refusal, destination, now), Counted("rejected", str(error.status))]

    def _refuse(self, request: Request, refusal: Response, destination: Address, now: float) -> list[Output]:
        try:
            server = self._transactions.server(request)
            if server is None and request.method == "INVITE":
                server = self._transactions.open_invite(request, destination)
        except PeerError:
            # Too malformed even to be recognised when it comes again.
            server = None
        if server is None:
            return [Send(refusal.to_bytes(), destination)]
        return [*self._transactions.respond(server, refusal, now)]


def _response_destination(request: Request, source: Address) -> Address:
    """Where answers go: the source for who asked for it (RFC 3581 §4), else the Via's port (§18.2.2).

    Raises `PeerError(400)` where that is no address a socket would take.
    """
    via = request.via
    destination = source if "rport" in via.params else (source[0], via.port or 5060)
    if not is_sendable(*destination):
        raise PeerError(400, "Bad Via")
    return destination


def _check(request: Request) -> None:
    """What every request must have (§8.1.1). Raises `PeerError(400)`."""
    cseq = request.cseq
    if cseq.method != request.method:
        raise PeerError(400, "CSeq Method Mismatch")
    request.to  # noqa: B018  # reading it finds a malformed one
    if not request.from_.tag and request.method != "REGISTER":
        raise PeerError(400, "Missing From Tag")
    request.headers.need("call-id")
