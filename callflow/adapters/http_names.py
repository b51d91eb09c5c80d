"""Checks the Host and Origin of HTTP requests, so that pages of other sites can do nothing here.

DNS rebinding leads a browser to this machine under a foreign name, which the Host header shows. A foreign
page can send a form here with the seat's cookie, which Origin shows.
"""

import ipaddress
import re
from collections.abc import Iterable
from typing import Final

_HOST: Final = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\[\]:/?#@\\\s]+)(?::([0-9]{1,5}))?")
_USUAL_PORTS: Final = {"http": 80, "https": 443}
_LOCAL: Final = "localhost"
_OWN_SITE: Final = ("same-origin", "none")
"""The values of Sec-Fetch-Site for a page's own request, and for an address that a person has typed."""

Place = tuple[str, int | None]
"""Host in lower case, and port where one is given."""


class Names:
    """The host names of this service."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        """`names` are host names, beside `localhost` and the address that the connection came to."""
        self._names = frozenset(names)

    def knows(self, host: str, local: str) -> bool:
        """Whether a Host header names us; `local` is the address that the connection came to."""
        place = _place(host)
        return place is not None and self._is_ours(place[0], local)

    def may_ask(self, origin: str | None, site: str | None, host: str) -> bool:
        """Whether a request may change something, by its Origin, Sec-Fetch-Site and Host.

        Programs that are no browsers send neither of the first two.
        """
        if origin is None:
            return site is None or site.strip().lower() in _OWN_SITE
        asking, asked = _origin(origin), _place(host)
        if asking is None or asked is None:
            return False
        scheme, (name, port) = asking
        usual = _USUAL_PORTS[scheme]
        if name == asked[0] and (port or usual) == (asked[1] or usual):
            return True
        # A proxy may put an address into Host, while Origin has the name that the browser has used.
        return name in self._names and (port or usual) == usual

    def _is_ours(self, name: str, local: str) -> bool:
        if name in (_LOCAL, local) or name in self._names:
            return True
        try:
            return ipaddress.ip_address(name.strip("[]")).is_loopback
        except ValueError:
            return False


def _place(host: str) -> Place | None:
    found = _HOST.fullmatch(host)
    if found is None:
        return None
    return found[1].lower().removesuffix("."), int(found[2]) if found[2] else None


def _origin(text: str) -> tuple[str, Place] | None:
    """Scheme and place of an origin; None for `null` and for anything but http and https."""
    scheme, separator, place = text.partition("://")
    parsed = _place(place)
    if not separator or scheme.lower() not in _USUAL_PORTS or parsed is None:
        return None
    return scheme.lower(), parsed
