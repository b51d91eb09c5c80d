"""The trace over HTTP: `/trace` lists what is kept, `/trace/CALL` gives a call's messages.

Callers' numbers are in it: a supervisor who has logged in may see it, and who may open the control socket.
"""

import base64
from collections.abc import Callable, Iterable

from aiohttp import web

from callflow.adapters.trace import TraceRing
from callflow.sip.address import Address


class TracePages:
    """See the module."""

    def __init__(self, ring: TraceRing, own: Callable[[], Address]) -> None:
        """`own` is our SIP address."""
        self._ring = ring
        self._own = own

    def routes(self, check: Callable[[web.Request], object] = lambda request: None) -> list[web.RouteDef]:
        """`check` raises an `HTTPException` for who may not see the trace."""

        async def calls(request: web.Request) -> web.Response:
            check(request)
            return self._list()

        async def messages(request: web.Request) -> web.Response:
            check(request)
            return self._messages(request.match_info["call"])

        return [web.get("/trace", calls), web.get("/trace/{call}", messages)]

    def _list(self) -> web.Response:
        names = ("call", "call_id", "began", "messages")
        calls = [dict(zip(names, each, strict=True)) for each in self._ring.calls()]
        return web.json_response({"calls": calls})

    def _messages(self, call: str) -> web.Response:
        messages = self._ring.messages(call)
        if not messages:
            raise web.HTTPNotFound(text="no such call is kept; /trace lists those that are")
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


def only(seat_of: Callable[[web.Request], str], supervisors: Iterable[str]) -> Callable[[web.Request], None]:
    """A check that lets the pages of these seats pass; `seat_of` raises `HTTPUnauthorized` for no seat."""
    allowed = frozenset(supervisors)

    def check(request: web.Request) -> None:
        if seat_of(request) not in allowed:
            raise web.HTTPForbidden(text="the trace is for seats with `supervisor: true`")

    return check
