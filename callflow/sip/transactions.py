"""All transactions in hand: which one a message belongs to, and who wants to be woken when (RFC 3261 §17)."""

from callflow.agenda import Agenda
from callflow.sip.address import Address
from callflow.sip.happenings import Counted
from callflow.sip.message import Request, Response
from callflow.sip.transaction import InviteServer, NonInviteClient, NonInviteServer, Send

Key = tuple[str, str, int, str]
"""Branch, sent-by, CSeq number, method."""
Server = InviteServer | NonInviteServer

COOKIE = "z9hG4bK"
"""What the branch of every peer of this century begins with (§8.1.1.7)."""


def key_of(request: Request, method: str | None = None) -> Key:
    """What retransmissions of a request have in common (§17.2.3); `method` where another's is sought.

    The branch alone should do, but pyVoIP sends its INVITE anew under the same one after a 401. ACK and
    CANCEL bear the number of their INVITE.
    """
    via = request.via
    branch = via.branch
    if not branch.startswith(COOKIE):
        branch = f"{request.call_id}|{request.from_.tag}"
    return branch, f"{via.host}:{via.port}", request.cseq.number, method or request.method


class Transactions:
    """The table of transactions. Its machines make no decisions; they repeat what was decided."""

    def __init__(self) -> None:
        self._servers: dict[Key, Server] = {}
        self._clients: dict[str, NonInviteClient] = {}
        self._agenda: Agenda[Key | str] = Agenda()

    def __len__(self) -> int:
        return len(self._servers) + len(self._clients)

    @property
    def deadline(self) -> float | None:
        return self._agenda.next

    def server(self, request: Request, method: str | None = None) -> Server | None:
        """The server transaction that `request` belongs to, or that of `method` beside it."""
        return self._servers.get(key_of(request, method))

    def open_invite(self, request: Request, destination: Address) -> InviteServer:
        server = InviteServer(request, destination)
        self._servers[key_of(request)] = server
        return server

    def open_other(self, request: Request, destination: Address) -> NonInviteServer:
        server = NonInviteServer(request, destination)
        self._servers[key_of(request)] = server
        return server

    def respond(self, server: Server, response: Response, now: float) -> list[Send | Counted]:
        """Send `response`; nothing where a final one has gone before."""
        sent: list[Send | Counted] = [*server.respond(response, now)]
        self._watch_server(key_of(server.request), server)
        return [*sent, Counted("response", f"{response.status // 100}xx")] if sent else []

    def acknowledge(self, server: InviteServer, now: float) -> None:
        """The ACK to a refusal is here."""
        server.acknowledge(now)
        self._watch_server(key_of(server.request), server)

    def open_client(
        self, request: Request, branch: str, destination: Address, now: float
    ) -> list[Send | Counted]:
        """Send a request of our own, again and again until it is answered."""
        client = NonInviteClient(request.to_bytes(), destination, now)
        self._clients[branch] = client
        self._watch_client(branch, client)
        return [*client.start()]

    def receive_response(self, response: Response, now: float) -> bool:
        """Whether the response answers a request of ours. Raises `PeerError(400)`."""
        branch = response.via.branch
        client = self._clients.get(branch)
        if client is None:
            return False
        client.receive(response, now)
        self._watch_client(branch, client)
        return True

    def tick(self, now: float) -> list[Send | Counted]:
        outputs: list[Send | Counted] = []
        for key in self._agenda.take_due(now):
            if isinstance(key, tuple):
                outputs += self._tick_server(key, now)
            else:
                outputs += self._tick_client(key, now)
        return outputs

    def _tick_server(self, key: Key, now: float) -> list[Send]:
        server = self._servers[key]
        sent = server.tick(now)
        self._watch_server(key, server)
        return sent

    def _tick_client(self, branch: str, now: float) -> list[Send | Counted]:
        client = self._clients[branch]
        sent: list[Send | Counted] = [*client.tick(now)]
        self._watch_client(branch, client)
        return [*sent, Counted("odd", "bye_unanswered")] if client.timed_out else sent

    def _watch_server(self, key: Key, server: Server) -> None:
        self._agenda.put(key, server.deadline)
        if server.over:
            self._servers.pop(key, None)

    def _watch_client(self, branch: str, client: NonInviteClient) -> None:
        self._agenda.put(branch, client.deadline)
        if client.over:
            self._clients.pop(branch, None)
