"""Hot-desking by page and by command: `callflow seat` against a running controller."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest
from click.testing import CliRunner, Result

from callflow import config, resources
from callflow.call.seats import SeatState
from callflow.cli import main
from callflow.config import with_flow
from callflow.config_seats import SeatsConfig
from callflow.demo.stage import on_free_ports
from callflow.service import Service, running

pytestmark = pytest.mark.sockets

SEATS = {
    "phones": ["spare"],
    "at": {"8001": {"phone": "desk", "password": "sesame"}, "8002": {"password": "hers"}},
    "queues": {"service": {}},
}


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    setup = config.default()
    people = setup.config.model_copy(update={"seats": SeatsConfig.model_validate(SEATS)})
    setup = with_flow(replace(setup, config=people), resources.FLOWS / "service.yaml")
    accounts = {"desk": "parsley", "spare": "thyme"}
    passwords = {"8001": "sesame", "8002": "hers"}
    setup = replace(on_free_ports(setup, "unused"), accounts=accounts, passwords=passwords)
    async with running(setup) as one:
        yield one


async def asked(service: Service, *words: str, password: str = "hers") -> Result:
    host, port = service.http.address
    command = ["seat", *words, "--at", f"http://{host}:{port}"]
    environment = {"CALLFLOW_SEAT_PASSWORD": password}
    return await asyncio.to_thread(CliRunner().invoke, main, command, env=environment)


def told(result: Result) -> str:
    """What the command printed; the service's log may stand before it."""
    return result.stdout.splitlines()[-1]


def seat(service: Service, number: str = "8002") -> tuple[str | None, SeatState]:
    one = service.controller.switchboard.seats[number]
    return one.phone, one.state


async def test_a_seat_comes_works_and_goes_by_command(service: Service) -> None:
    came = await asked(service, "8002", "login", "--phone", "spare")
    assert (came.exit_code, told(came)) == (0, "seat 8002 at spare: offline for 0 s")
    assert seat(service) == ("spare", SeatState.READY)
    away = await asked(service, "8002", "away", "--reason", "午休", "--json")
    assert json.loads(told(away))["reason"] == "午休"
    assert seat(service) == ("spare", SeatState.AWAY)
    assert (await asked(service, "8002", "ready")).exit_code == 0
    assert seat(service) == ("spare", SeatState.READY)
    left = await asked(service, "8002", "logout", "--json")
    assert (json.loads(told(left))["state"], json.loads(told(left))["phone"]) == ("offline", "")
    shown = await asked(service, "8002", "show")
    assert told(shown) == "seat 8002: offline for 0 s"


async def test_whose_phone_is_taken_is_logged_out(service: Service) -> None:
    assert (await asked(service, "8002", "login", "--phone", "desk")).exit_code == 0
    assert seat(service, "8001") == (None, SeatState.OFFLINE)
    # Its own phone is where it goes when it names none.
    assert (await asked(service, "8001", "login", password="sesame")).exit_code == 0
    assert (seat(service, "8001"), seat(service)) == (("desk", SeatState.READY), (None, SeatState.OFFLINE))


@pytest.mark.parametrize(
    ("words", "password", "why"),
    [
        (("8002", "login", "--phone", "spare"), "wrong", "no such seat, or a wrong password"),
        (("8009", "show"), "hers", "no such seat, or a wrong password"),
        (("8002", "login", "--phone", "cellar"), "hers", "login is not possible now"),
        (("8002", "login"), "hers", "login is not possible now"),
        (("8002", "ready"), "hers", "ready is not possible now"),
        (("8002", "logout"), "hers", ""),
    ],
)
async def test_what_cannot_be_is_told(
    service: Service, words: tuple[str, ...], password: str, why: str
) -> None:
    result = await asked(service, *words, password=password)
    assert result.exit_code == (1 if why else 0)
    assert why in result.output
    assert seat(service) == (None, SeatState.OFFLINE)


async def test_a_seat_that_talks_stays_where_it_is(service: Service) -> None:
    service.controller.switchboard.seats.turn("8001", SeatState.TALKING, 0.0)
    for words in (("8001", "logout"), ("8001", "away"), ("8001", "login", "--phone", "spare")):
        result = await asked(service, *words, password="sesame")
        assert (result.exit_code, "is not possible now" in result.output) == (1, True)
    taken = await asked(service, "8002", "login", "--phone", "desk")
    assert taken.exit_code == 1
    assert seat(service, "8001") == ("desk", SeatState.TALKING)


@pytest.mark.parametrize(
    "words",
    [("8002", "dance"), ("8002",), ("8002", "away", "--phone", "x"), ("8002", "ready", "--reason", "x")],
)
async def test_who_calls_it_wrongly_is_told_so(service: Service, words: tuple[str, ...]) -> None:
    assert (await asked(service, *words)).exit_code == 2


async def test_without_a_password_or_a_controller_nothing_is_asked() -> None:
    missing = CliRunner().invoke(main, ["seat", "8001", "show", "--password-env", "NOBODY_HAS_THIS"])
    assert (missing.exit_code, "NOBODY_HAS_THIS" in missing.output) == (2, True)
    nowhere = ["seat", "8001", "show", "--at", "http://127.0.0.1:9"]
    unreachable = await asyncio.to_thread(
        CliRunner().invoke, main, nowhere, env={"CALLFLOW_SEAT_PASSWORD": "x"}
    )
    assert unreachable.exit_code == 1


async def test_the_page_logs_in_at_a_phone_and_says_where(service: Service) -> None:
    host, port = service.http.address
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(f"http://{host}:{port}", cookie_jar=jar) as browser:
        form = {"seat": "8002", "password": "hers", "phone": "spare"}
        async with browser.post("/seat/login", data=form) as answer:
            assert (answer.status, (await answer.json())["phone"]) == (200, "spare")
        async with browser.post("/seat/login", data={**form, "phone": "cellar"}) as answer:
            assert answer.status == 409
        async with browser.post("/seat/do", data={"act": "away", "reason": "x" * 41}) as answer:
            assert answer.status == 400
        async with browser.post("/seat/do", data={"act": "logout"}) as answer:
            assert answer.status == 204
    assert seat(service) == (None, SeatState.OFFLINE)
