"""The trace over HTTP: `/trace` lists what is kept, `/trace/CALL` gives a call's messages.

Callers' numbers are in it, so it is for this machine only, whatever address the metrics are served at.
"""

import base64
import ipaddress
from collections.abc import Callable

from aiohttp import web

from callflow.adapters.http import Page
from callflow.adapters.trace import TraceRing
from callflow.sip.address import Address


class TracePages:
    """See the module."""

    def __init__(self, ring: TraceRing, own: Callable[[], Address]) -> None:
        self._ring = ring
        self._own = own

    def pages(self) -> list[tuple[str, Page]]:
        return [("/trace", self._list), ("/trace/{call}", self._messages)]

    async def _list(self, request: web.Request) -> web.Response:
        _only_from_here(request)
        names = ("call", "call_id", "began", "messages")
        calls = [dict(zip(names, each, strict=True)) for each in self._ring.calls()]
        return web.json_response({"calls": calls})

    async def _messages(self, request: web.Request) -> web.Response:
        _only_from_here(request)
        messages = self._ring.messages(request.match_info["call"])
        if not messages:
            raise web.HTTPNotFound
        shown = [
            {
                "at": message.at,
                "incoming": message.incoming,
                "peer": message.peer,
                "title": message.title,
                "data": base64.b64encode(message.data).decode(),
            }
            for message in messages
        ]
        return web.json_response({"own": self._own(), "messages": shown})


def _only_from_here(request: web.Request) -> None:
    if not ipaddress.ip_address(request.remote or "0.0.0.0").is_loopback:
        raise web.HTTPForbidden
