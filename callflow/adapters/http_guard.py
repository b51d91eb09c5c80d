"""Checks each HTTP request before its page, sets the security headers of each answer, and reports faults.

A request with a foreign Host, or from a page of another site, is refused. An exception in a page is one line
of the log, and 500 for the client. `/metrics`, `/livez` and `/readyz` are open: they show no data of callers.
"""

import logging
from collections.abc import Callable
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware

from callflow.adapters.http_names import Names
from callflow.adapters.http_peer import Peers
from callflow.adapters.page_logins import WrongPassword

OPEN: Final = frozenset({"/metrics", "/livez", "/readyz"})
"""Scrapers and probes use whatever name the machine has."""
_LOOKS: Final = ("GET", "HEAD")
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Set on every answer, unless the page has set them itself."""

Refused = Callable[[str, int, str], object]
"""Told of each refusal: the client's address, the status and the reason."""
Broke = Callable[[Exception], object]


class Guard:
    """A middleware before all pages."""

    def __init__(self, names: Names, peers: Peers, refused: Refused, broke: Broke) -> None:
        """`broke` is told each fault of ours; it writes the log."""
        self._names = names
        self._peers = peers
        self._refused = refused
        self._broke = broke

    def watch(self, app: web.Application) -> None:
        """Install the checks and headers; call it before the app starts."""
        app.middlewares.append(self._middleware())
        app.on_response_prepare.append(_dress)

    def _middleware(self) -> Middleware:
        @web.middleware
        async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._pass(request, handler)

        return guarded

    async def _pass(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            self._check(request)
            return await handler(request)
        except web.HTTPException as refusal:
            if refusal.status >= 400 and not isinstance(refusal, WrongPassword):
                self._refused(self._peers.source(request), refusal.status, refusal.text or refusal.reason)
            raise
        except ConnectionError:
            # The client has gone: there is nobody to answer.
            raise
        except Exception as error:
            self._broke(error)
            if request.writer.output_size:
                # The answer has begun, and can only break off.
                raise ConnectionResetError from None
            raise web.HTTPInternalServerError(text="a fault of callflow; its log says which") from None

    def _check(self, request: web.Request) -> None:
        """Raises `HTTPForbidden`."""
        if request.path in OPEN and request.method in _LOOKS:
            return
        hosts = request.headers.getall("Host", [])
        if len(hosts) != 1 or not self._names.knows(hosts[0], _local(request)):
            raise web.HTTPForbidden(
                text="Host is no name of this service; add the name that you ask by to http.names"
            )
        if request.method in _LOOKS and "Upgrade" not in request.headers:
            return
        origin, site = (request.headers.get(name) for name in ("Origin", "Sec-Fetch-Site"))
        if len(request.headers.getall("Origin", [])) > 1 or not self._names.may_ask(origin, site, hosts[0]):
            raise web.HTTPForbidden(
                text="Origin is a page of another site; if it is ours, add its name to http.names"
            )


async def _dress(_request: web.Request, response: web.StreamResponse) -> None:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)


def _local(request: web.Request) -> str:
    """The address that the connection came to."""
    here = request.transport.get_extra_info("sockname") if request.transport else None
    return str(here[0]) if isinstance(here, tuple) else ""


def logger(refused: Refused, broke: Broke) -> logging.Logger:
    """A logger for aiohttp, which logs unparsable requests with a traceback: here each is one line."""
    own = logging.Logger("callflow.http", logging.WARNING)
    own.addHandler(_OneLine(refused, broke))
    return own


class _OneLine(logging.Handler):
    def __init__(self, refused: Refused, broke: Broke) -> None:
        super().__init__()
        self._refused = refused
        self._broke = broke

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, web.RequestPayloadError | ConnectionError):
            # The body cannot be decoded, and the page has refused it already; or the client has gone.
            return
        if isinstance(error, HttpProcessingError):
            source = str(record.args[0]) if isinstance(record.args, tuple) and record.args else ""
            self._refused(source, error.code, error.message.partition("\n")[0])
        else:
            self._broke(error if isinstance(error, Exception) else RuntimeError(record.getMessage()))
