"""The header fields of a message as text, under their long names (RFC 3261 §7.3)."""

from collections.abc import Iterable, Iterator
from typing import Final

from callflow.errors import PeerError
from callflow.sip.grammar import split_list

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
_LONG: Final = {
    **{written: lower for lower, written in _WRITTEN.items()},
    **{lower: lower for lower in _WRITTEN},
    **_COMPACT,
}


class Headers:
    """The header fields of a message, in order. Names are matched in any case and compact or long."""

    __slots__ = ("_fields", "_index")

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields = [(_LONG.get(name) or _long(name), value) for name, value in fields]
        self._index: dict[str, list[str]] | None = None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._fields)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._fields == other._fields

    def get(self, name: str) -> str | None:
        """The first value of `name` (long, lower case)."""
        found = (self._index or self._make_index()).get(name)
        return found[0] if found else None

    def all(self, name: str) -> list[str]:
        """Every value of a field that may be a list, whether in one line or in several."""
        return [
            part for value in (self._index or self._make_index()).get(name, ()) for part in split_list(value)
        ]

    def tokens(self, name: str) -> set[str]:
        """The words of a list such as Supported, in lower case and without their parameters."""
        return {part.partition(";")[0].strip().lower() for part in self.all(name)}

    def count(self, name: str) -> int:
        """How many lines have that name."""
        return len((self._index or self._make_index()).get(name, ()))

    def repeats(self, names: tuple[str, ...]) -> bool:
        """Whether one of them stands in more than one line."""
        index = self._index or self._make_index()
        return bool([name for name in names if len(index.get(name, ())) > 1])

    def need(self, name: str) -> str:
        """The first value of `name`; raises `PeerError(400)` where it is missing."""
        value = self.get(name)
        if not value:
            raise PeerError(400, f"Missing {written(name)}")
        return value

    def text(self) -> str:
        return "".join(
            [f"{_WRITTEN.get(name) or written(name)}: {value}\r\n" for name, value in self._fields]
        )

    def _make_index(self) -> dict[str, list[str]]:
        """Name → values. Made at the first question: most responses are written and never asked."""
        index = self._index = {}
        for name, value in self._fields:
            index.setdefault(name, []).append(value)
        return index


def written(name: str) -> str:
    """The name as it is usually written."""
    return _WRITTEN.get(name) or name.title()


def _long(name: str) -> str:
    lower = name.lower()
    return _LONG.get(lower, lower)
