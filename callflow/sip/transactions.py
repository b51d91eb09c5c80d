"""All transactions in hand: which one a message belongs to, and who wants to be woken when (RFC 3261 §17)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from callflow.agenda import Agenda
from callflow.errors import PeerError
from callflow.guard import Broke, guarded
from callflow.sip.address import Address, Hop
from callflow.sip.client_transaction import InviteClient, NonInviteClient, companion
from callflow.sip.happenings import Counted, Output
from callflow.sip.message import COOKIE, Request, Response
from callflow.sip.refusal import Refusal
from callflow.sip.refused import refused
from callflow.sip.server_transaction import InviteServer, NonInviteServer
from callflow.sip.transaction import Send

ServerKey = tuple[str, str, int, str]
"""Branch, sent-by, CSeq number, method."""
ClientKey = tuple[str, str]
"""Branch, method: a CANCEL has the branch of its INVITE (§17.1.3)."""
Server = InviteServer | NonInviteServer
Client = InviteClient | NonInviteClient

MOST: Final = 20_000
"""Server transactions at once: several times what calls at full load have. A quarter of them is for calls
alone: a flood of REGISTER or OPTIONS, as to guess passwords, takes nothing from those.
"""
_COUNTED: Final = {number: Counted("response", f"{number}xx") for number in range(1, 7)}


class Asker(Protocol):
    """Who has sent a request and wants to know what comes of it."""

    def replied(self, response: Response, now: float) -> list[Output]:
        """A response is here, provisional or final. Raises `PeerError` for one that cannot be read."""

    def unanswered(self, now: float) -> list[Output]:
        """No final response came in 64 * T1, or the request could not be carried there."""


@dataclass(slots=True)
class _Asked:
    client: Client
    asker: Asker


def key_of(request: Request, method: str | None = None) -> ServerKey:
    """What retransmissions of a request have in common; `method` where another's is sought."""
    return (*request.key, method or request.method)


class Transactions:
    """The table of transactions. Its machines make no decisions; they repeat what was decided."""

    def __init__(self, sent_by: Address, new_id: Callable[[], str]) -> None:
        """`sent_by` is where peers reach us; `new_id` makes branches, never the same twice."""
        self._sent_by = sent_by
        self._new_id = new_id
        self._servers: dict[ServerKey, Server] = {}
        self._clients: dict[ClientKey, _Asked] = {}
        self._agenda: Agenda[ServerKey | ClientKey] = Agenda()

    def __len__(self) -> int:
        return len(self._servers) + len(self._clients)

    @property
    def deadline(self) -> float | None:
        return self._agenda.next

    # --- what is asked of us ---

    def server(self, request: Request, method: str | None = None) -> Server | None:
        """The server transaction that `request` belongs to, or that of `method` beside it."""
        return self._servers.get(key_of(request, method))

    def open_invite(self, request: Request, hop: Hop) -> InviteServer:
        """Answers go to `hop`. Raises `Refusal(503)` where the table is full."""
        server = InviteServer(request, hop)
        self._open(server)
        return server

    def open_other(self, request: Request, hop: Hop) -> NonInviteServer:
        """Answers go to `hop`. Raises `Refusal(503)` where the table is full."""
        server = NonInviteServer(request, hop)
        self._open(server)
        return server

    def respond(self, server: Server, response: Response, now: float) -> list[Send | Counted]:
        """Send `response`; nothing where a final one has gone before."""
        sent = server.respond(response, now)
        if not sent:
            return []
        if response.status >= 200:
            # A provisional one starts no timer.
            self._watch_server(key_of(server.request), server)
        counted = _COUNTED[response.status // 100]
        if response.status >= 400:
            counted = refused(counted, server.request, response, server.hop.address)
        return [*sent, counted]

    def acknowledge(self, server: InviteServer, now: float) -> None:
        """The ACK to a refusal is here."""
        server.acknowledge(now)
        self._watch_server(key_of(server.request), server)

    # --- what we ask ---

    def via(self, hop: Hop) -> tuple[str, str]:
        """The Via of a new request of ours, with a branch of its own."""
        host, port = self._sent_by
        return "via", f"SIP/2.0/{hop.transport.value} {host}:{port};branch={COOKIE}{self._new_id()};rport"

    def ask(
        self, request: Request, hop: Hop, asker: Asker, now: float, otherwise: Hop | None = None
    ) -> tuple[Client, list[Output]]:
        """Send a request of ours, which has no Via yet, again and again until it is answered.

        Where it cannot be carried to `hop` it goes to `otherwise`, if that is by the same transport.
        """
        request = request.under(self.via(hop))
        invites = request.method == "INVITE"
        client: Client = InviteClient(request, hop, now) if invites else NonInviteClient(request, hop, now)
        if otherwise and otherwise.transport is hop.transport and otherwise != hop:
            client.otherwise = otherwise
        return client, self._start(client, asker)

    def cancel(
        self, client: InviteClient, asker: Asker, now: float, *fields: tuple[str, str]
    ) -> list[Output]:
        """Take an INVITE back that has had a provisional response and no final one (§9.1)."""
        request = companion(client.request, "CANCEL", client.request.headers.need("to")).also(*fields)
        return self._start(NonInviteClient(request, client.hop, now), asker)

    def end(self, client: Client) -> None:
        """Wait for no answer any longer."""
        client.end()
        self._watch_client(_client_key(client.request), client)

    def receive_response(self, response: Response, now: float) -> list[Output] | None:
        """What follows from a response; None where it answers no request of ours. Raises `PeerError`."""
        key = response.via.branch, response.cseq.method
        asked = self._clients.get(key)
        if asked is None:
            return None
        is_news, outputs = asked.client.receive(response, now)
        self._watch_client(key, asked.client)
        return [*outputs, *asked.asker.replied(response, now)] if is_news else [*outputs]

    def failed(self, hop: Hop, now: float) -> list[Output]:
        """What was sent to `hop` could not be carried there (§8.1.3.1, §18.4)."""
        outputs: list[Output] = []
        for key, asked in [*self._clients.items()]:
            if asked.client.hop == hop and asked.client.fails:
                outputs += asked.client.redirect() or self._lost(key, asked, now)
        for server in [*self._servers.values()]:
            if server.hop == hop:
                outputs += _answer_elsewhere(server)
        return outputs

    def tick(self, now: float) -> list[Output]:
        """Deadlines have come. A transaction that fails here is the only one that loses its deadline."""
        outputs: list[Output] = []
        for key in self._agenda.take_due(now):
            ticked = guarded(partial(self._tick_one, key, now))
            outputs += ticked
            if any(isinstance(output, Broke) for output in ticked):
                outputs += self._drop(key, now)
        return outputs

    # --- the rooms behind ---

    def _tick_one(self, key: ServerKey | ClientKey, now: float) -> list[Output]:
        return self._tick_client(key, now) if len(key) == 2 else [*self._tick_server(key, now)]

    def _drop(self, key: ServerKey | ClientKey, now: float) -> list[Output]:
        """A transaction whose timer has failed is over; who has asked gets no answer any more."""
        if len(key) == 4:
            self._servers.pop(key, None)
            return []
        asked = self._clients.pop(key, None)
        return guarded(lambda: asked.asker.unanswered(now)) if asked else []

    def _open(self, server: Server) -> None:
        is_of_call = isinstance(server, InviteServer) or bool(server.request.to.tag)
        if len(self._servers) >= (MOST if is_of_call else MOST - MOST // 4):
            raise Refusal(503, "Service Unavailable", ("retry-after", "3"))
        self._servers[key_of(server.request)] = server

    def _start(self, client: Client, asker: Asker) -> list[Output]:
        key = _client_key(client.request)
        self._clients[key] = _Asked(client, asker)
        self._watch_client(key, client)
        return [*client.start()]

    def _tick_server(self, key: ServerKey, now: float) -> list[Send]:
        server = self._servers[key]
        sent = server.tick(now)
        self._watch_server(key, server)
        return sent

    def _tick_client(self, key: ClientKey, now: float) -> list[Output]:
        asked = self._clients[key]
        sent: list[Output] = [*asked.client.tick(now)]
        self._watch_client(key, asked.client)
        return [*sent, *asked.asker.unanswered(now)] if asked.client.timed_out else sent

    def _lost(self, key: ClientKey, asked: _Asked, now: float) -> list[Output]:
        asked.client.end()
        self._watch_client(key, asked.client)
        return asked.asker.unanswered(now)

    def _watch_server(self, key: ServerKey, server: Server) -> None:
        self._agenda.put(key, server.deadline)
        if server.over:
            self._servers.pop(key, None)

    def _watch_client(self, key: ClientKey, client: Client) -> None:
        self._agenda.put(key, client.deadline)
        if client.over:
            self._clients.pop(key, None)


def _client_key(request: Request) -> ClientKey:
    return request.via.branch, request.method


def _answer_elsewhere(server: Server) -> list[Send]:
    """The connection is gone: the answer goes to the Via's port by a new one (§18.2.2)."""
    try:
        hop = Hop((server.hop.address[0], server.request.via.port or 5060), server.hop.transport)
    except PeerError:
        return []
    return server.redirect(hop) if hop != server.hop else []
