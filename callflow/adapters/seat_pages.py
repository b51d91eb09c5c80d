"""The seat's page: who calls, where the question stands, and the buttons that ask for the same as the keys.

A seat logs in with its number and the password of its page, which is not its phone's; what it sees is its own
call, and nobody else's. It may say at which phone it sits from now on.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

from aiohttp import web

from callflow.adapters.http_forms import bad, read_form
from callflow.adapters.http_peer import Peers
from callflow.adapters.page_logins import PageLogins
from callflow.adapters.seat_sessions import SeatSessions
from callflow.call.desk_view import Act, Asked, Matter, View
from callflow.call.seats import SeatState
from callflow.events import LONGEST_ESTIMATE

_COOKIE: Final = "callflow_session"
_LOOK: Final = 0.5
"""Seconds between two looks at what the page shows."""
_ENDED: Final = "event: ended\ndata:\n\n"
_POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HTML: Final = (Path(__file__).parent / "seat_page.html").read_text(encoding="utf-8")

_TEXTS: Final = ("phone", "reason", "target", "surname", "matter")
_LONGEST: Final = {"phone": 64, "reason": 40, "target": 32, "surname": 20, "matter": 40}
"""Characters."""
_IN_A_CALL: Final = (SeatState.RINGING, SeatState.TALKING, SeatState.HOLDING)

Look = Callable[[str], View]
Do = Callable[[str, Asked], None]
WhyNot = Callable[[str, Asked], str]


class SeatPages:
    """`/seat`, and what it asks for."""

    def __init__(
        self,
        logins: PageLogins | Mapping[str, str],
        look: Look,
        do: Do,
        why_not: WhyNot = lambda seat, asked: "",
        sessions: SeatSessions | None = None,
        peers: Peers | None = None,
    ) -> None:
        """`logins` tells who may log in, or has the passwords by the seats' numbers; `do` carries out what a
        seat wants.

        `why_not` tells why it cannot have it, as a word; `peers` which client is behind a proxy.
        """
        self._logins = logins if isinstance(logins, PageLogins) else PageLogins(logins)
        self._look = look
        self._do = do
        self._why_not = why_not
        self._sessions = sessions or SeatSessions()
        self._peers = peers or Peers()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/seat", self._page),
            web.get("/seat/me", self._me),
            web.get("/seat/events", self._events),
            web.post("/seat/login", self._login),
            web.post("/seat/logout", self._logout),
            web.post("/seat/do", self._act),
        ]

    async def _page(self, request: web.Request) -> web.Response:
        # The page brings its own script, and loads nothing from anywhere.
        headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"}
        return web.Response(text=_HTML, content_type="text/html", headers=headers)

    async def _login(self, request: web.Request) -> web.Response:
        form = await read_form(request)
        for name in ("seat", "password"):
            if name not in form:
                raise bad(f"the form has no {name}; it should have seat and password")
        seat, phone = form["seat"], _text(form, "phone")
        source = self._peers.source(request)
        is_at_home = self._sessions.has(seat, source)
        self._logins.check(seat, form["password"], source, is_at_home=is_at_home)
        if phone:
            self._carry_out(seat, Asked(Act.LOGIN, phone=phone))
        token = self._sessions.open(seat, source)
        answer = web.json_response(asdict(self._look(seat)))
        secure = self._peers.is_secure(request)
        answer.set_cookie(_COOKIE, token, httponly=True, samesite="Strict", path="/", secure=secure)
        return answer

    async def _logout(self, request: web.Request) -> web.Response:
        """The page is left; where the seat sits, and what it does, stays as it is."""
        self._sessions.close(_token(request))
        answer = web.Response(status=204)
        answer.del_cookie(_COOKIE, path="/")
        return answer

    async def _me(self, request: web.Request) -> web.Response:
        return web.json_response(asdict(self._look(self.seat(request))))

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: the view, whenever it is another, and else a sign that we are here.

        A page that hears nothing for two seconds has lost us.
        """
        seat, token = self.seat(request), _token(request)
        stream = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await stream.prepare(request)
        shown, state = "", ""
        while request.transport is not None and not request.transport.is_closing():
            view = self._look(seat)
            if view.state != state:
                # Whoever takes calls is there, whether or not the page is touched.
                state = view.state
                self._sessions.used(token)
            text = json.dumps(asdict(view), ensure_ascii=False)
            told = f"data: {text}\n\n" if text != shown else "event: beat\ndata:\n\n"
            is_over = self._sessions.seat(token) is None
            try:
                await stream.write((_ENDED if is_over else told).encode())
            except ConnectionResetError:
                break
            if is_over:
                break
            shown = text
            await asyncio.sleep(_LOOK)
        return stream

    async def _act(self, request: web.Request) -> web.Response:
        seat, form = self.seat(request), await read_form(request)
        self._sessions.used(_token(request))
        try:
            act = Act(form.get("act", ""))
        except ValueError:
            raise bad(f"act should be one of {', '.join(Act)}") from None
        told = {name: _text(form, name) for name in _TEXTS}
        own_words = bool(form.get("own_words"))
        self._carry_out(seat, Asked(act, _minutes(form), own_words=own_words, **told))
        return web.Response(status=204)

    def _carry_out(self, seat: str, asked: Asked) -> None:
        """Raises `HTTPConflict` where the seat has not got what it asked for; its last word says why."""
        why = self._why_not(seat, asked)
        if not why:
            self._do(seat, asked)
            why = "" if _came_true(asked, self._look(seat)) else "not_now"
        if why:
            raise web.HTTPConflict(text=f"{asked.act} is not possible now: {why}")

    def seat(self, request: web.Request) -> str:
        """Who asks. Raises `HTTPUnauthorized`."""
        seat = self._sessions.seat(_token(request))
        if seat is None:
            raise web.HTTPUnauthorized(text="log in at /seat first")
        return seat


def _token(request: web.Request) -> str:
    return request.cookies.get(_COOKIE, "")


def _minutes(form: Mapping[str, str]) -> int | None:
    """Raises `HTTPBadRequest`."""
    text = form.get("minutes", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= LONGEST_ESTIMATE):
        raise bad(f"minutes should be a number from 1 to {LONGEST_ESTIMATE}")
    return int(text)


def _text(form: Mapping[str, str], name: str) -> str:
    """The value of a field without surrounding white space. Raises `HTTPBadRequest`."""
    text, longest = form.get(name, "").strip(), _LONGEST[name]
    if len(text) > longest or not text.isprintable():
        raise bad(f"{name} should have at most {longest} characters, all of them printable")
    return text


def _came_true(asked: Asked, view: View) -> bool:
    """Whether a seat is where it wanted to be; what it wants of its caller is told by the view."""
    match asked.act:
        case Act.LOGIN:
            return view.phone == asked.phone if asked.phone else bool(view.phone)
        case Act.LOGOUT:
            return not view.phone
        case Act.TRANSFER:
            return view.matter == Matter.TRANSFER_ASKED
        case Act.TOO_QUIET | Act.TOO_NOISY | Act.SILENT:
            return view.matter == Matter.LINE_CHECKED
        case Act.STOP:
            return view.matter != Matter.LINE_CHECKED
        case Act.AWAY:
            return view.state == SeatState.AWAY
        case Act.READY:
            return bool(view.phone) and view.state not in _IN_A_CALL
    return True
