"""A dialog: what two user agents remember of each other (RFC 3261 §12)."""

from dataclasses import dataclass, field

from callflow.errors import PeerError
from callflow.sip.address import Address, is_sendable
from callflow.sip.fields import Headers
from callflow.sip.headers import NameAddress
from callflow.sip.message import Request
from callflow.sip.uri import Uri

DialogId = tuple[str, str, str]
"""Call-ID, local tag, remote tag."""


@dataclass(slots=True)
class Dialog:
    """The server's side of a dialog (§12.1.1); the URIs and tags never change, the target may."""

    call_id: str
    local: NameAddress
    remote: NameAddress
    target: Uri
    """The remote target: where the peer wants its requests."""
    routes: list[str]
    source: Address
    """Where the peer's requests really come from."""
    remote_cseq: int
    local_cseq: int = field(default=0)

    @classmethod
    def of(cls, invite: Request, local_tag: str, source: Address) -> "Dialog":
        """Raises `PeerError(400)` for an INVITE that cannot make a dialog."""
        target = contact_of(invite)
        routes = invite.headers.all("record-route")
        for route in routes:
            # Found out now, while it can be refused, and not when our BYE is to be sent.
            NameAddress.parse(route)
        return cls(
            call_id=invite.call_id,
            local=invite.to.tagged(local_tag),
            remote=invite.from_,
            target=target,
            routes=routes,
            source=source,
            remote_cseq=invite.cseq.number,
        )

    @property
    def id(self) -> DialogId:
        return self.call_id, self.local.tag, self.remote.tag

    def request(self, method: str, via: str, *fields: tuple[str, str]) -> Request:
        """Our next request in this dialog (§12.2.1.1); `via` is the whole value of its Via."""
        self.local_cseq += 1
        headers = [
            ("via", via),
            ("max-forwards", "70"),
            *(("route", route) for route in self.routes),
            ("from", str(self.local)),
            ("to", str(self.remote)),
            ("call-id", self.call_id),
            ("cseq", f"{self.local_cseq} {method}"),
            *fields,
        ]
        return Request(Headers(headers), b"", method, str(self.target))

    @property
    def destination(self) -> Address:
        """The next hop: the first route, else the target; its source where that cannot be reached by address.

        A host name here would need a resolver, and a private address behind NAT leads nowhere; the
        source of the peer's own packets leads to it in both cases.
        """
        hop = NameAddress.parse(self.routes[0]).uri if self.routes else self.target
        address = (hop.host, hop.port or 5060)
        behind_nat = not self.routes and hop.host != self.source[0]
        return address if is_sendable(*address) and not behind_nat else self.source

    def accepts(self, cseq: int) -> bool:
        """Whether a request of this number is new (§12.2.2); remembers it."""
        if cseq <= self.remote_cseq:
            return False
        self.remote_cseq = cseq
        return True


def contact_of(request: Request) -> Uri:
    """The URI of the Contact that a dialog needs. Raises `PeerError(400)`."""
    contacts = request.headers.all("contact")
    if len(contacts) != 1 or contacts[0] == "*":
        raise PeerError(400, "Bad Contact")
    return NameAddress.parse(contacts[0]).uri
