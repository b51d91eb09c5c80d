"""What Prometheus and a supervisor of processes get from the web side."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from callflow.adapters.http import HttpServer
from callflow.adapters.metrics import Metrics
from callflow.config import Setup
from callflow.facts import Fact

pytestmark = pytest.mark.sockets


class Served:
    """A server on a free port, and a client that asks it."""

    def __init__(self, setup: Setup) -> None:
        self.ready = True
        self.metrics = Metrics(setup.flow.name, setup.house)
        self.server = HttpServer(("127.0.0.1", 0), self.metrics, lambda: "" if self.ready else "draining")

    async def ask(self, path: str, method: str = "GET") -> tuple[int, str, str]:
        """Status, content type, text."""
        host, port = self.server.address
        async with (
            aiohttp.ClientSession() as client,
            client.request(method, f"http://{host}:{port}{path}") as got,
        ):
            return got.status, got.headers["Content-Type"], await got.text()


@pytest.fixture
async def served(setup: Setup) -> AsyncIterator[Served]:
    served = Served(setup)
    await served.server.start()
    yield served
    await served.server.close()


async def test_a_scrape_gets_the_metrics_of_that_moment(served: Served) -> None:
    for calls in range(3):
        status, kind, text = await served.ask("/metrics")
        assert (status, kind.partition(";")[0]) == (200, "text/plain")
        assert "version=" in kind
        families = {family.name: family for family in text_string_to_metric_families(text)}
        (active,) = families["callflow_calls_active"].samples
        assert (active.labels, active.value) == ({"flow": "hotline"}, calls)
        served.metrics.fact(Fact(0.0, f"c{calls}", "caller", "call.arrived", None, {}))


async def test_a_service_that_drains_lives_on_and_is_not_ready(served: Served) -> None:
    assert (await served.ask("/livez"))[::2] == (200, "alive\n")
    assert (await served.ask("/readyz"))[::2] == (200, "ready\n")
    served.ready = False
    assert (await served.ask("/readyz"))[::2] == (503, "draining\n")
    assert (await served.ask("/livez"))[::2] == (200, "alive\n")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/", 404), ("POST", "/metrics", 405)])
async def test_nothing_else_is_served(served: Served, method: str, path: str, status: int) -> None:
    assert (await served.ask(path, method))[0] == status


async def test_an_address_that_is_taken_is_told_and_a_closed_server_has_none(served: Served) -> None:
    second = HttpServer(served.server.address, served.metrics, lambda: "")
    with pytest.raises(OSError, match="address already in use"):
        await second.start()
    await second.close()
    with pytest.raises(RuntimeError, match="not running"):
        _ = second.address
