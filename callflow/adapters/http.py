"""The web side: what Prometheus scrapes and what a supervisor of processes asks."""

import socket
from collections.abc import Callable, Iterable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from callflow.adapters.http_forms import LARGEST
from callflow.adapters.http_guard import Broke, Guard, Refused, logger
from callflow.adapters.http_names import Names
from callflow.adapters.http_peer import Peers
from callflow.adapters.metrics import Metrics
from callflow.net.acceptor import Acceptor, listen
from callflow.sip.address import Address


class HttpServer:
    """`/metrics`, `/livez`, `/readyz`; and what the service adds."""

    def __init__(
        self,
        address: Address,
        metrics: Metrics,
        why_not: Callable[[], str],
        names: Names | None = None,
        peers: Peers | None = None,
    ) -> None:
        """`why_not` says why new calls are not welcome; empty where they are.

        `names` are the allowed values of Host; `peers` finds the client behind a proxy.
        """
        self._address = address
        self._names = names or Names()
        self._peers = peers or Peers()
        self._metrics = metrics
        self._why_not = why_not
        self._routes: list[web.RouteDef] = []
        self._runner: web.AppRunner | None = None
        self._listening: socket.socket | None = None
        self._acceptor: Acceptor | None = None
        self.on_fault: Callable[[str], object] = lambda kind: None
        """Told what keeps us from accepting connections, as `http_accept_emfile`."""
        self.on_refused: Refused = lambda source, status, reason: None
        """Told of each request that is refused."""
        self.on_crowded: Callable[[], object] = lambda: None
        """Told of each connection that is closed at once, as descriptors run short."""
        self.on_broken: Broke = lambda error: None
        """Told of a fault of ours in a page; the client has got 500."""

    @property
    def address(self) -> Address:
        """Where it really listens; raises `RuntimeError` before `start`."""
        if self._listening is None:
            raise RuntimeError("the HTTP server is not running")
        host, port = self._listening.getsockname()
        return host, port

    def add_routes(self, routes: Iterable[web.RouteDef]) -> None:
        """Serve more; before `start`."""
        self._routes += routes

    async def start(self) -> None:
        """Raises `OSError` where the address is taken."""

        def refused(source: str, status: int, reason: str) -> None:
            self.on_refused(source, status, reason)

        def broke(error: Exception) -> None:
            self.on_broken(error)

        app = web.Application(client_max_size=LARGEST)
        Guard(self._names, self._peers, refused, broke).watch(app)
        app.router.add_get("/metrics", self._get_metrics)
        app.router.add_get("/livez", self._get_livez)
        app.router.add_get("/readyz", self._get_readyz)
        app.add_routes(self._routes)
        # A page that listens for ever must not keep the service from stopping.
        self._runner = web.AppRunner(
            app, access_log=None, logger=logger(refused, broke), shutdown_timeout=1.0
        )
        await self._runner.setup()
        assert self._runner.server is not None
        try:
            self._listening = listen(self._address, backlog=128)
        except OSError:
            await self._runner.cleanup()
            raise
        self._acceptor = Acceptor(self._listening, self._runner.server)
        self._acceptor.on_fault = lambda what: self.on_fault(f"http_accept_{what}")
        self._acceptor.on_refused = lambda: self.on_crowded()
        self._acceptor.start()

    async def close(self) -> None:
        if self._acceptor:
            await self._acceptor.close()
            self._acceptor = self._listening = None
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def _get_metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._metrics.expose(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _get_livez(self, _request: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def _get_readyz(self, _request: web.Request) -> web.Response:
        why_not = self._why_not()
        return web.Response(text=f"{why_not or 'ready'}\n", status=503 if why_not else 200)
