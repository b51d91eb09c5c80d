"""A dialog: what two user agents remember of each other (RFC 3261 §12)."""

from dataclasses import dataclass

from callflow.errors import PeerError
from callflow.sip.address import Address, Hop, Transport, is_sendable
from callflow.sip.fields import Headers
from callflow.sip.headers import NameAddress
from callflow.sip.message import Message, Request, Response
from callflow.sip.uri import Uri

DialogId = tuple[str, str, str]
"""Call-ID, local tag, remote tag."""


@dataclass(slots=True)
class Dialog:
    """One side of a dialog; the URIs and tags never change, the target may."""

    call_id: str
    local: NameAddress
    remote: NameAddress
    target: Uri
    """The remote target: where the peer wants its requests."""
    routes: list[str]
    source: Hop
    """Where the peer's messages really come from."""
    remote_cseq: int
    """-1 before the peer has asked anything: 0 is a number like any other (§8.1.1.5)."""
    local_cseq: int
    ours: bool
    """Whether it was we who called: the Call-ID is ours then (§14.1)."""

    @classmethod
    def of(cls, invite: Request, local_tag: str, source: Hop) -> "Dialog":
        """The server's side (§12.1.1). Raises `PeerError(400)` for an INVITE that cannot make a dialog."""
        return cls(
            call_id=invite.call_id,
            local=invite.to.tagged(local_tag),
            remote=invite.from_,
            target=contact_of(invite),
            routes=_routes(invite),
            source=source,
            remote_cseq=invite.cseq.number,
            local_cseq=0,
            ours=False,
        )

    @classmethod
    def made_by(cls, invite: Request, response: Response, source: Hop) -> "Dialog":
        """The client's side (§12.1.2). Raises `PeerError(400)` for routes or a To that cannot be read.

        A response without a usable Contact makes a dialog whose target is whom we called: so its call
        can at least be acknowledged and ended.
        """
        return cls(
            call_id=invite.call_id,
            local=invite.from_,
            remote=response.to,
            target=target_in(response) or invite.requested,
            routes=_routes(response)[::-1],
            source=source,
            remote_cseq=-1,
            local_cseq=invite.cseq.number,
            ours=True,
        )

    @classmethod
    def unknown(cls, response: Response, source: Hop) -> "Dialog":
        """What a 2xx to an INVITE that we know nothing of has made. Raises `PeerError(400)`."""
        return cls(
            call_id=response.call_id,
            local=response.from_,
            remote=response.to,
            target=target_in(response) or response.to.uri,
            routes=_routes(response)[::-1],
            source=source,
            remote_cseq=-1,
            local_cseq=response.cseq.number,
            ours=True,
        )

    def answered_by(self, response: Response) -> None:
        """The 2xx has the last word on target and routes (§13.2.2.4). Raises `PeerError(400)`."""
        self.target = target_in(response) or self.target
        self.routes = _routes(response)[::-1]

    @property
    def id(self) -> DialogId:
        return self.call_id, self.local.tag, self.remote.tag

    def request(self, method: str, *fields: tuple[str, str], body: bytes = b"") -> Request:
        """Our next request in this dialog, but for its Via (§12.2.1.1)."""
        self.local_cseq += 1
        return self._request(method, self.local_cseq, fields, body)

    def ack(self, cseq: int, *fields: tuple[str, str]) -> Request:
        """The ACK to a 2xx to our INVITE of that number, but for its Via (§13.2.2.4)."""
        return self._request("ACK", cseq, fields, b"")

    def _request(self, method: str, cseq: int, fields: tuple[tuple[str, str], ...], body: bytes) -> Request:
        uri, routes = str(self.target), self.routes
        if routes and "lr" not in NameAddress.parse(routes[0]).uri.params:
            # A strict router wants its own address in the request line, and the target last.
            uri, routes = str(NameAddress.parse(routes[0]).uri), [*routes[1:], f"<{uri}>"]
        headers = [
            ("max-forwards", "70"),
            *(("route", route) for route in routes),
            ("from", str(self.local)),
            ("to", str(self.remote)),
            ("call-id", self.call_id),
            ("cseq", f"{cseq} {method}"),
            *fields,
        ]
        return Request(Headers(headers), body, method, uri)

    @property
    def hop(self) -> Hop:
        """The next hop: the first route, else the target; its source where that cannot be reached by address.

        A host name here would need a resolver, and a private address behind NAT leads nowhere; the
        source of the peer's own packets leads to it in both cases, as does the connection that they use.
        """
        hop = self.proper_hop
        if self.routes:
            return hop if is_sendable(*hop.address) else self.source
        if self.source.transport.reliable:
            return self.source
        is_reached = is_sendable(*hop.address) and hop.address[0] == self.source.address[0]
        return hop if is_reached else self.source

    @property
    def proper_hop(self) -> Hop:
        """The next hop by the book, which may be a name."""
        uri = NameAddress.parse(self.routes[0]).uri if self.routes else self.target
        return Hop(*hop_of(uri))

    def accepts(self, cseq: int) -> bool:
        """Whether a request of this number is new (§12.2.2); remembers it."""
        if cseq <= self.remote_cseq:
            return False
        self.remote_cseq = cseq
        return True


def hop_of(uri: Uri) -> tuple[Address, Transport]:
    """Where a URI leads to without a look at the DNS."""
    is_tcp = (uri.params.get("transport") or "").lower() == "tcp"
    return (uri.host, uri.port or 5060), Transport.TCP if is_tcp else Transport.UDP


def contact_of(request: Request) -> Uri:
    """The URI of the Contact that a dialog needs. Raises `PeerError(400)`."""
    contacts = request.headers.all("contact")
    if len(contacts) != 1 or contacts[0] == "*":
        raise PeerError(400, "Bad Contact")
    return NameAddress.parse(contacts[0]).uri


def target_in(response: Response) -> Uri | None:
    """The Contact of a response, if it has one that can be read."""
    try:
        return NameAddress.parse(response.headers.all("contact")[0]).uri
    except (IndexError, PeerError):
        return None


def _routes(message: Message) -> list[str]:
    """The Record-Route. Raises `PeerError(400)` now, while it can be refused, and not when our BYE leaves."""
    if "record-route" not in message.headers:
        return []
    routes = message.headers.all("record-route")
    for route in routes:
        NameAddress.parse(route)
    return routes
