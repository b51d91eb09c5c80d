"""The small pieces of SIP's grammar that several headers share (RFC 3261 §25.1)."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from callflow.errors import PeerError

NO_PARAMS: Final[Mapping[str, str | None]] = {}
PLAIN_PORT: Final = "[1-5][0-9]{4}|[1-9][0-9]{1,3}"
"""What most ports look like; the others are read digit by digit."""
_PLAIN: Final = re.compile(r'[^\s;,"<>]+')
"""What a parameter's value may be without quotes."""


def split_list(value: str) -> list[str]:
    """Split at the commas that stand outside quotes and angle brackets."""
    if "," not in value:
        return [value.strip()] if value.strip() else []
    if '"' not in value and "<" not in value:
        return [part.strip() for part in value.split(",") if part.strip()]
    parts, start, quoted, angled, escaped = [], 0, False, False, False
    for index, char in enumerate(value):
        if escaped:
            escaped = False
        elif quoted:
            escaped = char == "\\"
            quoted = char != '"'
        elif char == '"':
            quoted = True
        elif char in "<>":
            angled = char == "<"
        elif char == "," and not angled:
            parts.append(value[start:index].strip())
            start = index + 1
    parts.append(value[start:].strip())
    return [part for part in parts if part]


def tokens(values: Iterable[str]) -> set[str]:
    """The words of lists such as Supported, in lower case and without their parameters."""
    return {part.partition(";")[0].strip().lower() for value in values for part in split_list(value)}


def parse_params(text: str, separator: str = ";") -> dict[str, str | None]:
    """`a=1;b;c="x"` as a dictionary with lower-case names; quotes are taken off."""
    if not text:
        return {}
    found: dict[str, str | None] = {}
    quoted = '"' in text
    for part in _split_unquoted(text, separator) if quoted else text.split(separator):
        name, equals, value = part.partition("=")
        if name := name.strip().lower():
            value = value.strip()
            found[name] = (unquote(value) if quoted else value) if equals else None
    return found


def params_text(params: Mapping[str, str | None]) -> str:
    """`;a=1;b` for {a: 1, b: None}."""
    return "".join(f";{name}{_value(value)}" for name, value in params.items())


def unquote(text: str) -> str:
    """A quoted string's content; anything else as it is."""
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
        if "\\" in text:
            text = text.replace("\\\\", "\0").replace("\\", "").replace("\0", "\\")
    return text


def quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def displayable(text: str) -> str:
    """Text of a peer's as it may be written anywhere: what was no UTF-8 is replaced."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def split_host_port(text: str) -> tuple[str, int | None]:
    """`host`, `host:port` or `[v6]:port`. Raises `PeerError(400)` for a port that cannot be."""
    text = text.strip()
    if text.startswith("["):
        host, _, rest = text.partition("]")
        host, port = f"{host}]", rest.removeprefix(":")
    else:
        host, _, port = text.partition(":")
    return host.strip().lower(), port_number(port) if port else None


def port_number(text: str) -> int:
    """A port that can be sent to. Raises `PeerError(400)`."""
    text = text.strip()
    # A digit may be of any script for `isdigit`, and a number of any length for `int`.
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535):
        raise PeerError(400, "Bad Port")
    return int(text)


def _value(text: str | None) -> str:
    if text is None:
        return ""
    return f"={text}" if _PLAIN.fullmatch(text) else f"={quote(text)}"


def _split_unquoted(text: str, separator: str) -> list[str]:
    parts, start, quoted, escaped = [], 0, False, False
    for index, char in enumerate(text):
        if escaped:
            escaped = False
        elif quoted and char == "\\":
            escaped = True
        elif char == '"':
            quoted = not quoted
        elif char == separator and not quoted:
            parts.append(text[start:index])
            start = index + 1
    parts.append(text[start:])
    return parts
