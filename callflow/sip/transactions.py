"""All transactions in hand: which one a message belongs to, and who wants to be woken when (RFC 3261 §17)."""

from typing import Final

from callflow.agenda import Agenda
from callflow.sip.address import Address
from callflow.sip.happenings import Counted
from callflow.sip.message import Request, Response
from callflow.sip.refusal import Refusal
from callflow.sip.transaction import InviteServer, NonInviteClient, NonInviteServer, Send

Key = tuple[str, str, int, str]
"""Branch, sent-by, CSeq number, method."""
Server = InviteServer | NonInviteServer

MOST: Final = 20_000
"""Server transactions at once: several times what calls at full load have."""
_COUNTED: Final = {number: Counted("response", f"{number}xx") for number in range(1, 7)}


def key_of(request: Request, method: str | None = None) -> Key:
    """What retransmissions of a request have in common; `method` where another's is sought."""
    return (*request.key, method or request.method)


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
        """Raises `Refusal(503)` where the table is full."""
        self._make_room()
        server = InviteServer(request, destination)
        self._servers[key_of(request)] = server
        return server

    def open_other(self, request: Request, destination: Address) -> NonInviteServer:
        """Raises `Refusal(503)` where the table is full."""
        self._make_room()
        server = NonInviteServer(request, destination)
        self._servers[key_of(request)] = server
        return server

    def _make_room(self) -> None:
        if len(self._servers) >= MOST:
            raise Refusal(503, "Service Unavailable", ("retry-after", "3"))

    def respond(self, server: Server, response: Response, now: float) -> list[Send | Counted]:
        """Send `response`; nothing where a final one has gone before."""
        sent: list[Send | Counted] = [*server.respond(response, now)]
        self._watch_server(key_of(server.request), server)
        return [*sent, _COUNTED[response.status // 100]] if sent else []

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
