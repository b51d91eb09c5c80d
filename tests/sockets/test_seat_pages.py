"""The seat's page over HTTP: who may see it, what it shows, what it asks for."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from callflow import config, resources
from callflow.config import with_flow
from callflow.config_seats import SeatsConfig
from callflow.demo.stage import on_free_ports
from callflow.service import Service, running

pytestmark = pytest.mark.sockets

SEATS = {"at": {"8001": {"phone": "desk", "password": "sesame"}}, "queues": {"service": {}}}


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    setup = config.default()
    people = setup.config.model_copy(update={"seats": SeatsConfig.model_validate(SEATS)})
    setup = with_flow(replace(setup, config=people), resources.FLOWS / "service.yaml")
    setup = replace(on_free_ports(setup, "unused"), accounts={"desk": "phone"}, passwords={"8001": "sesame"})
    async with running(setup) as one:
        yield one


@pytest.fixture
async def browser(service: Service) -> AsyncIterator[aiohttp.ClientSession]:
    host, port = service.http.address
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(f"http://{host}:{port}", cookie_jar=jar) as session:
        yield session


async def logs_in(browser: aiohttp.ClientSession, password: str = "sesame", seat: str = "8001") -> int:
    async with browser.post("/seat/login", data={"seat": seat, "password": password}) as answer:
        return answer.status


async def shown(browser: aiohttp.ClientSession) -> dict[str, Any]:
    async with browser.get("/seat/me") as answer:
        assert answer.status == 200
        view: dict[str, Any] = await answer.json()
        return view


async def asks(browser: aiohttp.ClientSession, **form: str) -> int:
    async with browser.post("/seat/do", data=form) as answer:
        return answer.status


async def test_the_page_is_for_everybody_and_what_it_shows_for_the_seat(
    browser: aiohttp.ClientSession,
) -> None:
    async with browser.get("/seat") as page:
        assert page.status == 200
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert "http://" not in await page.text()
    for path in ("/seat/me", "/seat/events"):
        async with browser.get(path) as answer:
            assert answer.status == 401
    assert await asks(browser, act="hold") == 401


@pytest.mark.parametrize(("seat", "password"), [("8001", "wrong"), ("8002", "sesame"), ("", "")])
async def test_a_wrong_password_opens_nothing(
    browser: aiohttp.ClientSession, seat: str, password: str
) -> None:
    assert await logs_in(browser, password, seat) == 403
    async with browser.get("/seat/me") as answer:
        assert answer.status == 401


async def test_a_seat_sees_itself_and_says_what_it_does(browser: aiohttp.ClientSession) -> None:
    assert await logs_in(browser) == 200
    # Its phone has not registered yet.
    assert (await shown(browser))["state"] == "offline"
    assert await asks(browser, act="away") == 204
    assert (await shown(browser))["state"] == "away"
    assert await asks(browser, act="ready") == 204
    assert (await shown(browser))["state"] == "offline"
    # Without a call there is nothing to hold.
    assert await asks(browser, act="hold", minutes="2") == 409


@pytest.mark.parametrize(
    "form", [{"act": "dance"}, {}, {"act": "hold", "minutes": "0"}, {"act": "hold", "minutes": "x"}]
)
async def test_what_makes_no_sense_is_told(browser: aiohttp.ClientSession, form: dict[str, str]) -> None:
    await logs_in(browser)
    assert await asks(browser, **form) == 400


async def test_changes_come_by_themselves(browser: aiohttp.ClientSession) -> None:
    await logs_in(browser)
    states: list[str] = []
    async with asyncio.timeout(10), browser.get("/seat/events") as stream:
        assert stream.content_type == "text/event-stream"
        async for line in stream.content:
            if line.startswith(b"data: "):
                states.append(json.loads(line[6:])["state"])
                if len(states) == 1:
                    await asks(browser, act="away")
                if states[-1] == "away":
                    break
    assert states[0] == "offline"
