"""The SIP endpoint: messages in; messages and happenings out.

It reads what comes, sends it to the room it is for, and answers what is malformed. Whether a call is
taken, and what is said in it, is decided on the floor above.
"""

from collections.abc import Callable, Sequence
from typing import Final
from zlib import crc32

from callflow.errors import PeerError
from callflow.sip.address import Address, AllowList, Hop, Transport, is_sendable
from callflow.sip.call_rates import CallRates
from callflow.sip.calls import Calls
from callflow.sip.happenings import Counted, Output, Refused, Registered
from callflow.sip.identity import number
from callflow.sip.message import NotSip, Request, Response, parse, respond
from callflow.sip.middialog import CAPABILITIES, MidDialog
from callflow.sip.options import Probes
from callflow.sip.proxy_auth import ProxyAuth
from callflow.sip.referrals import Referrals
from callflow.sip.refusal import (
    METHODS,
    OTHER_METHODS,
    TOO_FAST,
    check,
    check_extensions,
    draining,
    paused,
    too_fast,
)
from callflow.sip.refused import fields_of, refused
from callflow.sip.registrar import Binding, Registrar
from callflow.sip.reoffers import Reoffers
from callflow.sip.server_transaction import NonInviteServer
from callflow.sip.sessions import Sessions
from callflow.sip.timers import SessionTimers
from callflow.sip.transaction import Send
from callflow.sip.transactions import Transactions
from callflow.sip.trunks import TrunkPlan, Trunks
from callflow.sip.uac import UserAgentClient
from callflow.sip.uas import UserAgentServer

_COUNTED: Final = {method: Counted("request", method) for method in (*METHODS, *OTHER_METHODS)}
_OTHER: Final = Counted("request", "other")


class Endpoint:
    """All of SIP that we speak at one address."""

    def __init__(
        self,
        contact: Address,
        registrar: Registrar,
        allowed: AllowList,
        new_id: Callable[[], str],
        chance: Callable[[], float] = lambda: 0.5,
        trunks: Sequence[TrunkPlan] = (),
        rates: CallRates | None = None,
    ) -> None:
        """`contact` is where peers reach us; `new_id` gives tags and branches, never the same twice.

        `chance` gives numbers from 0 to 1: two sides that clashed must not wait equally long. `rates` limits
        the new calls of each source that is no trunk.
        """
        self._rates = rates
        self._transactions = Transactions(contact, new_id)
        self._sessions = Sessions(self._transactions, contact)
        timers = SessionTimers(self._sessions)
        reoffers = Reoffers(self._sessions, self._transactions, timers, chance)
        self._server = UserAgentServer(self._sessions, self._transactions, timers, reoffers, new_id)
        self.trunks = Trunks(trunks, self._transactions, contact, allowed, new_id, chance)
        self._client = UserAgentClient(self._sessions, self._transactions, timers, new_id, self.trunks)
        self.probes = Probes(self._transactions, contact, new_id)
        self.proxy_auth = ProxyAuth(registrar, self._sessions, self._transactions)
        referrals = Referrals(self._sessions, self._transactions)
        self.calls = Calls(self._sessions, self._server, self._client, reoffers, referrals)
        self._mid_dialog = MidDialog(self._sessions, self._server, self._transactions, timers, referrals)
        self._contact = contact
        self._registrar = registrar
        self._allowed = allowed
        self._new_id = new_id

    def bindings(self, user: str, now: float) -> list[Binding]:
        """Where one of our accounts has registered from, the newest last."""
        return self._registrar.bindings(user, now)

    @property
    def deadline(self) -> float | None:
        tables = self._transactions, self._sessions, self._client, self.trunks
        known = [table.deadline for table in tables]
        return min((at for at in known if at is not None), default=None)

    def in_hand(self) -> dict[str, int]:
        """What must come to nothing when all calls are over and 32 s have passed."""
        return {"transactions": len(self._transactions), "sessions": len(self.calls)}

    def receive(
        self, data: bytes, source: Address, now: float, transport: Transport = Transport.UDP
    ) -> list[Output]:
        """A message came from `source`. Never raises for anything that a peer can send."""
        if source[0] not in self._allowed:
            return [Counted("dropped", "not_allowed")]
        if not data.strip(b"\r\n\0 "):
            return [Counted("dropped", "keepalive")]
        try:
            message = parse(data, source)
        except NotSip:
            return [Counted("dropped", "not_sip")]
        if isinstance(message, Response):
            return self._receive_response(message, Hop(source, transport), now)
        counted = _COUNTED.get(message.method, _OTHER)
        came_by = Hop(source, transport)
        try:
            hop = _way_back(message, came_by)
        except PeerError:
            # There is no way back to who wrote this.
            return [counted, Counted("dropped", "bad_via")]
        return [counted, *self._receive_request(message, len(data), came_by, hop, now)]

    def failed(self, destination: Address, transport: Transport, now: float) -> list[Output]:
        """Nothing can be carried there (§18.4)."""
        return self._transactions.failed(Hop(destination, transport), now)

    def disconnected(self, peer: Address, transport: Transport) -> None:
        """The connection with a peer is gone, by whoever's wish."""
        self._registrar.disconnected(Hop(peer, transport))
        self._sessions.disconnected(Hop(peer, transport))

    def keeps(self, peer: Address, transport: Transport, now: float) -> bool:
        """Whether somebody has registered by the connection with that peer, and is reached by it."""
        return bool(self._registrar.registered_at(Hop(peer, transport), now))

    def tick(self, now: float) -> list[Output]:
        """Deadlines have come: retransmissions, and what is over."""
        tables = self._sessions, self._client, self.trunks, self._transactions
        return [output for table in tables for output in table.tick(now)]

    def _receive_request(
        self, request: Request, size: int, source: Hop, hop: Hop, now: float
    ) -> list[Output]:
        try:
            check(request, size)
            known = self._transactions.server(request)
            if known is not None and request.method != "ACK":
                return [*known.again()]
            return self._dispatch(request, source, hop, now)
        except PeerError as error:
            return self._reject(request, error, hop, now)

    def _dispatch(self, request: Request, source: Hop, hop: Hop, now: float) -> list[Output]:
        match request.method:
            case "ACK":
                return self._server.receive_ack(request, source, now)
            case "INVITE":
                self._admit(request, source, now)
                return self._server.receive_invite(request, source, hop, now)
        server = self._transactions.open_other(request, hop)
        check_extensions(request)
        match request.method:
            case "BYE":
                return self._server.receive_bye(request, server, now)
            case "CANCEL":
                return self._server.receive_cancel(request, server, now)
            case "REGISTER":
                return self._register(request, server, source, now)
            case "OPTIONS" if not request.to.tag:
                return self._options(request, server, now)
        return self._mid_dialog.receive(request, server, source, now)

    def _admit(self, invite: Request, source: Hop, now: float) -> None:
        """Raises `Refusal(503)` where the source begins more calls than one source may."""
        host = source.address[0]
        if self._rates is None or invite.to.tag or self.trunks.at(host):
            return
        if wait := self._rates.wait(host, number(invite.requested), now):
            raise too_fast(wait)

    def _register(self, request: Request, server: NonInviteServer, source: Hop, now: float) -> list[Output]:
        answer = self._registrar.receive(request, source, now, self._new_id())
        account = request.to.uri.name
        is_there = answer.status == 200 and bool(self.bindings(account, now))
        told: list[Output] = [Registered(account)] if is_there else []
        return [*self._transactions.respond(server, answer, now), *told]

    def _options(self, request: Request, server: NonInviteServer, now: float) -> list[Output]:
        if self.calls.draining:
            raise draining()
        if self.calls.paused:
            raise paused()
        answer = respond(request, 200, "OK", *CAPABILITIES, to_tag=self._new_id())
        return [*self._transactions.respond(server, answer, now)]

    def _receive_response(self, response: Response, came_by: Hop, now: float) -> list[Output]:
        try:
            outputs = self._transactions.receive_response(response, now)
            if outputs is None and self._answers_us(response):
                ended = self._sessions.end_unknown(response, came_by, now)
                return [Counted("dropped", "stray_response"), *ended]
        except PeerError:
            return [Counted("dropped", "malformed")]
        return [Counted("dropped", "stray_response")] if outputs is None else outputs

    def _answers_us(self, response: Response) -> bool:
        """Whether it is a 2xx to an INVITE that has left from here, in whichever life of the program."""
        sent_by = response.via.host, response.via.port or 5060
        is_success = 200 <= response.status < 300 and response.cseq.method == "INVITE"
        return is_success and sent_by == self._contact

    def _reject(self, request: Request, error: PeerError, hop: Hop, now: float) -> list[Output]:
        if request.method == "ACK":
            return [Counted("dropped", "malformed")]
        fields = fields_of(error, request)
        if error.status == 500:
            fields = (("retry-after", "3"),)
        # Without a transaction it must be the same answer to each repetition (§8.2.7).
        tag = f"{crc32(repr(request.key).encode()):08x}" if error.reason == TOO_FAST else self._new_id()
        refusal = respond(request, error.status, error.reason, *fields, to_tag=tag)
        sent, counted = self._refuse(request, refusal, hop, now), Counted("rejected", str(error.status))
        if any(isinstance(output, Refused) for output in sent):
            return [*sent, counted]
        # It went without a transaction, which would have told of it.
        return [*sent, refused(counted, request, refusal, hop.address)]

    def _refuse(self, request: Request, refusal: Response, hop: Hop, now: float) -> list[Output]:
        try:
            server = self._transactions.server(request)
            # A flood would fill the table of transactions, which are kept for 32 s each.
            if server is None and request.method == "INVITE" and refusal.reason != TOO_FAST:
                server = self._transactions.open_invite(request, hop)
        except PeerError:
            # Too malformed even to be recognised when it comes again.
            server = None
        if server is None:
            return [Send(refusal.to_bytes(), *hop)]
        return [*self._transactions.respond(server, refusal, now)]


def _way_back(request: Request, came_by: Hop) -> Hop:
    """Where answers go (§18.2.2): the connection, the source, or the Via's port (RFC 3581 §4).

    Raises `PeerError(400)` where that is no address a socket would take.
    """
    via = request.via
    if came_by.transport.reliable:
        return came_by
    host, port = came_by.address
    if "rport" not in via.params:
        port = via.port or 5060
    if not is_sendable(host, port):
        raise PeerError(400, "Bad Via")
    return came_by if port == came_by.address[1] else Hop((host, port))
