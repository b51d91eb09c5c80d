"""Finds the client of an HTTP request, and whether it used TLS, also behind a proxy.

X-Forwarded-For and X-Forwarded-Proto are read only from the networks that the configuration names as proxies.
"""

import ipaddress
from collections.abc import Iterable

from aiohttp import web


class Peers:
    """The proxies in front of us."""

    def __init__(self, proxies: Iterable[str] = (), *, tls: bool = False) -> None:
        """`proxies` are IPv4 networks; `tls`: every request has come by TLS."""
        self._proxies = [ipaddress.IPv4Network(each) for each in proxies]
        self._tls = tls

    def source(self, request: web.Request) -> str:
        """The client's IP address: the last one in X-Forwarded-For that is not a proxy of ours.

        The client can write anything before that one.
        """
        source = request.remote or ""
        lines = request.headers.getall("X-Forwarded-For", [])
        hops = [hop.strip() for line in lines for hop in line.split(",")]
        while hops and self._is_proxy(source):
            try:
                source = str(ipaddress.ip_address(hops.pop()))
            except ValueError:
                break
        return source

    def is_secure(self, request: web.Request) -> bool:
        """Whether the client spoke TLS."""
        if self._tls or request.secure:
            return True
        said = request.headers.getall("X-Forwarded-Proto", [])
        return self._is_proxy(request.remote or "") and [each.strip().lower() for each in said] == ["https"]

    def _is_proxy(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._proxies)
