"""An account of ours at somebody else's registrar: what its REGISTER says, and what a 2xx grants it."""

from dataclasses import dataclass, field

from callflow.errors import PeerError
from callflow.sip.fields import Headers
from callflow.sip.headers import NameAddress
from callflow.sip.message import Request, Response
from callflow.sip.retry import number
from callflow.sip.uri import Uri


@dataclass(frozen=True, slots=True)
class Account:
    """Who registers, and what for."""

    user: str = field(repr=False)
    password: str = field(repr=False)
    domain: str
    """The registrar's name as it stands in the Request-URI, whatever address it is reached at."""
    contact: Uri = field(repr=False)
    """Where calls for the account are to come."""
    expires: int = 300
    """Seconds asked for."""
    login: str = field(default="", repr=False)
    """The name for the digest where it is not the user."""
    agent: str = ""
    """What User-Agent says, if anything."""

    @property
    def registrar(self) -> str:
        """The Request-URI."""
        return f"sip:{self.domain}"

    def request(
        self, call_id: str, tag: str, cseq: int, expires: int, authorization: list[tuple[str, str]]
    ) -> Request:
        """A REGISTER (RFC 3261 §10.2), without a Via; `expires` in seconds, 0 to unregister."""
        address = f"<sip:{self.user}@{self.domain}>"
        fields = [
            ("max-forwards", "70"),
            ("from", f"{address};tag={tag}"),
            ("to", address),
            ("call-id", call_id),
            ("cseq", f"{cseq} REGISTER"),
            ("contact", f"<{self.contact}>"),
            ("expires", str(expires)),
            *authorization,
        ]
        if self.agent:
            fields.append(("user-agent", self.agent))
        return Request(Headers(fields), b"", "REGISTER", self.registrar)

    def granted(self, response: Response, asked: int) -> int:
        """Seconds that a 2xx registers us for (§10.2.4); at most `asked`, 0 where we are not registered.

        By our own Contact, else by Expires, else as asked.
        """
        for text in (self._expires_of_ours(response), response.headers.get("expires")):
            if text is not None and (granted := number(text)) is not None:
                return min(granted, asked)
        return asked

    def _expires_of_ours(self, response: Response) -> str | None:
        """What the 2xx says of our own Contact; it lists those of other phones too."""
        for text in response.headers.all("contact"):
            try:
                contact = NameAddress.parse(text)
            except PeerError:
                # Another phone's, and not ours to judge.
                continue
            if _place(contact.uri) == _place(self.contact):
                return contact.params.get("expires")
        return None


def _place(uri: Uri) -> tuple[str, str, int | None]:
    """What two URIs of one Contact have in common: registrars add parameters of their own."""
    return uri.user, uri.host, uri.port
