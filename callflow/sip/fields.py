"""The header fields of a message as text, under their long names (RFC 3261 §7.3)."""

from collections.abc import Iterable, Iterator
from typing import Final

from callflow.errors import PeerError
from callflow.sip.grammar import split_list, tokens

_COMPACT: Final = {
    "a": "accept-contact", "b": "referred-by", "c": "content-type", "d": "request-disposition",
    "e": "content-encoding", "f": "from", "i": "call-id", "j": "reject-contact", "k": "supported",
    "l": "content-length", "m": "contact", "o": "event", "r": "refer-to", "s": "subject", "t": "to",
    "u": "allow-events", "v": "via", "x": "session-expires",
}  # fmt: skip
_USUAL: Final = (
    "Accept", "Allow", "Authorization", "Call-ID", "Contact", "Content-Length", "Content-Type", "CSeq",
    "Date", "Expires", "From", "Max-Forwards", "Min-Expires", "Min-SE", "P-Asserted-Identity", "RAck",
    "Reason", "Record-Route", "Require", "Retry-After", "Route", "RSeq", "Server", "Session-Expires",
    "Supported", "To", "Unsupported", "User-Agent", "Via", "WWW-Authenticate",
)  # fmt: skip
# Both tables are fixed: one that learnt names from peers would grow with what they send.
_WRITTEN: Final = {name.lower(): name for name in _USUAL}
LONG: Final = {
    **{written: lower for lower, written in _WRITTEN.items()},
    **{lower: lower for lower in _WRITTEN},
    **_COMPACT,
}
"""By the usual ways of writing; `long` knows them all."""

Field = tuple[str, str]
"""Name and value."""


class Headers:
    """The header fields of a message, in order. Names are matched in any case and compact or long."""

    __slots__ = ("_fields", "_first", "_text")

    def __init__(self, fields: Iterable[Field] = (), *, named: bool = False) -> None:
        """`named` promises that the names are long and in lower case already."""
        self._fields: list[Field] | None = (
            [*fields] if named else [(LONG.get(name) or long(name), value) for name, value in fields]
        )
        self._first: dict[str, str] | None = None
        self._text = ""

    @classmethod
    def of_text(cls, text: str) -> "Headers":
        """Of lines as they go out: our responses are written, and hardly ever asked what is in them."""
        headers = cls(named=True)
        headers._fields, headers._text = None, text
        return headers

    def __iter__(self) -> Iterator[Field]:
        return iter(self._all())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._all() == other._all()

    def __contains__(self, name: str) -> bool:
        return name in (self._first or self._index())

    def get(self, name: str) -> str | None:
        """The first value of `name` (long, lower case)."""
        return (self._first or self._index()).get(name)

    def lines(self, name: str) -> list[str]:
        """The value of every line of that name."""
        first = self._first or self._index()
        if name not in first:
            return []
        fields = self._all()
        if len(first) == len(fields):
            return [first[name]]
        return [value for known, value in fields if known == name]

    def all(self, name: str) -> list[str]:
        """Every value of a field that may be a list, whether in one line or in several."""
        return [part for line in self.lines(name) for part in split_list(line)]

    def tokens(self, name: str) -> set[str]:
        """The words of a list such as Supported, in lower case and without their parameters."""
        return tokens(self.lines(name)) if name in self else set()

    def count(self, name: str) -> int:
        """How many lines have that name."""
        return len(self.lines(name))

    def repeats(self, names: tuple[str, ...]) -> bool:
        """Whether one of them stands in more than one line."""
        first = self._first or self._index()
        return len(first) < len(self._all()) and any(self.count(name) > 1 for name in names)

    def need(self, name: str) -> str:
        """The first value of `name`; raises `PeerError(400)` where it is missing."""
        value = (self._first or self._index()).get(name)
        if not value:
            raise PeerError(400, f"Missing {written(name)}")
        return value

    def text(self) -> str:
        """The lines as they go out, each with its end."""
        return self._text or text_of(self._all())

    def _all(self) -> list[Field]:
        if self._fields is None:
            lines = [line.partition(": ") for line in self._text.split("\r\n")[:-1]]
            self._fields = [(long(name), value) for name, _, value in lines]
        return self._fields

    def _index(self) -> dict[str, str]:
        """Name → first value."""
        self._first = dict(reversed(self._all()))
        return self._first


def text_of(fields: Iterable[Field]) -> str:
    """The lines of header fields, each with its end."""
    return "".join([f"{_WRITTEN.get(name) or written(name)}: {value}\r\n" for name, value in fields])


def written(name: str) -> str:
    """The name as it is usually written."""
    name = long(name)
    return _WRITTEN.get(name) or name.title()


def long(name: str) -> str:
    """The long name in lower case; both forms stand for the same field (§7.3.3)."""
    lower = name.strip().lower()
    return LONG.get(lower, lower)
