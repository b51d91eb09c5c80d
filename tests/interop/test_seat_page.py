"""The seat's page as a person has it: in a browser."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from callflow import config, resources
from callflow.adapters.seat_pages import SeatPages
from callflow.adapters.seat_sessions import IDLE, SeatSessions
from callflow.call.desk_view import Act, Asked, View
from callflow.config import with_flow
from callflow.config_seats import SeatsConfig
from callflow.demo.stage import on_free_ports
from callflow.service import running
from callflow.sip.guesses import FREE
from tests.support.browser import CHROMIUM, Page, browser

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium"),
]

READY = View("8001", "ready", 3.0)
TALKING = View("8001", "talking", 40.0, "13800000000", "10086")
ASKED = View("8001", "talking", 46.0, "13800000000", "10086", "asked", 6.0)
AT_DESK = View("8001", "away", 3.0, phone="desk", reason="午休")
GONE = View("8001", "offline", 3.0)
CHECKED = View("8001", "talking", 46.0, "13800000000", "10086", "line_checked", 6.0)
OF_THE_LINE = {"louder", "softer", "apologise", "lift_handset", "too_quiet", "too_noisy", "silent"}
"""What may be asked for about the line of a caller whom the seat speaks with."""
REFUSED = View("8001", "talking", 52.0, "13800000000", "10086", "will_not_wait", 2.0)
GREETED = View("8001", "talking", 2.0, "13800000000", "10086", unheard=True)
RINGS = View("8001", "ringing", 2.0, "13800000000", "10086")
OFFERED = View(
    "8001", "ringing", 2.0, "13800000000", "10086", "target_rings", 2.0,
    surname="王", about="报修", comes_from="8002", target=True,
)  # fmt: skip
BRIEFED = replace(OFFERED, state="talking", matter="target_asked", unheard=True)
COMES = View("8001", "ringing", 2.0, "13800000000", surname="王", about="报修", comes_from="8002")
WAITS = View("8001", "holding", 12.0, "13800000000", "10086", "waits", 12.0, 18.0)


class Seat:
    """What the page is shown, and what it asked for."""

    def __init__(self) -> None:
        self.view = READY
        self.asked: list[Asked] = []
        self.port = 0
        self.why = ""
        """Why it cannot have what it asks for."""
        self.sessions = SeatSessions()
        self._news = asyncio.Event()

    async def has_asked(self, times: int) -> None:
        while len(self.asked) < times:
            self._news.clear()
            await self._news.wait()

    async def serve(self) -> web.AppRunner:
        pages = SeatPages(
            {"8001": "sesame"}, lambda seat: self.view, self._do, lambda *asked: self.why, self.sessions
        )
        app = web.Application()
        app.add_routes(pages.routes())
        runner = web.AppRunner(app, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        self.port = runner.addresses[0][1]
        return runner

    def _do(self, seat: str, asked: Asked) -> None:
        self.asked.append(asked)
        self._news.set()


async def logs_in(page: Page, password: str) -> None:
    await page.run(
        "document.querySelector('[name=seat]').value = '8001';"
        f"document.querySelector('[name=password]').value = '{password}';"
        "document.querySelector('form').requestSubmit()"
    )


async def can(page: Page) -> set[str]:
    """The buttons that may be pressed."""
    free = "[...document.querySelectorAll('[data-act]')].filter(b => !b.disabled).map(b => b.dataset.act)"
    return set(await page.run(free))


async def test_a_seat_logs_in_and_sees_where_the_question_stands(tmp_path: Path) -> None:
    seat = Seat()
    runner = await seat.serve()
    try:
        async with asyncio.timeout(60), browser(tmp_path) as page:
            await page.go(f"http://127.0.0.1:{seat.port}/seat")
            await logs_in(page, "wrong")
            await page.until("document.getElementById('fault').textContent")
            await logs_in(page, "sesame")
            await page.until("!document.getElementById('call').hidden")
            assert await page.text("#who") == "座席 8001"
            assert await can(page) == {"away"}
            seat.view = TALKING
            await page.until("document.getElementById('caller').textContent.startsWith('13800000000')")
            assert await can(page) == {"hold", "transfer", "describe", "nuisance", *OF_THE_LINE}
            await page.run("document.getElementById('minutes').value = '5'")
            await page.click("[data-act=hold]")
            seat.view = ASKED
            await page.until("document.getElementById('matter').className === 'asked'")
            assert await page.text("#matter") == "已询问 – 6 秒"
            assert await can(page) == {"resume", "yes", "no", "describe"}
            await page.click("[data-act=yes]")
            seat.view = WAITS
            await page.until("document.getElementById('matter').className === 'waits'")
            assert await page.text("#matter") == "客户等候中 – 12 秒，18 秒后提醒"
            assert await can(page) == {"resume", "transfer", "describe"}
            await page.click("[data-act=resume]")
            await seat.has_asked(3)
            await page.run("document.getElementById('target').value = '8002'")
            await page.run("document.getElementById('own_words').checked = true")
            await page.click("[data-act=transfer]")
            await seat.has_asked(4)
            await page.run("document.getElementById('surname').value = '王'")
            await page.run("document.getElementById('about').value = '报修'")
            await page.click("[data-act=describe]")
            await seat.has_asked(5)
            seat.view = COMES
            await page.until("document.getElementById('known').textContent")
            assert await page.text("#known") == "由 8002 转来，客户姓王，报修"
        asked = [asked.act for asked in seat.asked]
        assert asked == [Act.HOLD, Act.YES, Act.RESUME, Act.TRANSFER, Act.DESCRIBE]
        assert (seat.asked[0].minutes, seat.asked[3].target, seat.asked[3].own_words) == (5, "8002", True)
        assert (seat.asked[4].surname, seat.asked[4].matter) == ("王", "报修")
    finally:
        await runner.cleanup()


async def test_a_seat_has_its_caller_s_line_checked(tmp_path: Path) -> None:
    seat = Seat()
    runner = await seat.serve()
    try:
        async with asyncio.timeout(60), browser(tmp_path) as page:
            await page.go(f"http://127.0.0.1:{seat.port}/seat")
            seat.view = TALKING
            await logs_in(page, "sesame")
            await page.until("!document.getElementById('call').hidden")
            await page.click("[data-act=too_noisy]")
            await page.until("document.getElementById('refused').textContent === '现在不能办理'")
            seat.view = CHECKED
            await page.until("document.getElementById('matter').className === 'line_checked'")
            assert await page.text("#matter") == "正在提示客户线路问题，无人应答将结束通话 – 6 秒"
            assert await can(page) == {"stop", "hold", "transfer", "describe", "nuisance", *OF_THE_LINE}
            await page.click("[data-act=too_quiet]")
            await seat.has_asked(2)
            await page.until("document.getElementById('refused').textContent === ''")
            await page.click("[data-act=louder]")
            await seat.has_asked(3)
        assert [asked.act for asked in seat.asked] == [Act.TOO_NOISY, Act.TOO_QUIET, Act.LOUDER]
    finally:
        await runner.cleanup()


async def test_a_seat_goes_from_one_phone_to_another(tmp_path: Path) -> None:
    seat = Seat()
    runner = await seat.serve()
    try:
        async with asyncio.timeout(60), browser(tmp_path) as page:
            await page.go(f"http://127.0.0.1:{seat.port}/seat")
            seat.view = AT_DESK
            await page.run("document.querySelector('form [name=phone]').value = 'desk'")
            await logs_in(page, "sesame")
            await page.until("document.getElementById('who').textContent === '座席 8001 @ desk'")
            assert "（午休）" in await page.text("#state")
            assert await can(page) == {"ready", "logout"}
            await page.click("[data-act=logout]")
            await page.until("document.getElementById('refused').textContent === '现在不能办理'")
            seat.view = GONE
            await page.until("document.getElementById('who').textContent === '座席 8001'")
            assert await can(page) == {"login"}
            await page.run("document.getElementById('phone').value = 'cellar'")
            await page.click("[data-act=login]")
            await seat.has_asked(3)
        first, second, third = seat.asked
        assert (first.act, first.phone, second.act) == (Act.LOGIN, "desk", Act.LOGOUT)
        assert (third.act, third.phone) == (Act.LOGIN, "cellar")
    finally:
        await runner.cleanup()


@asynccontextmanager
async def logged_in(folder: Path, view: View) -> AsyncIterator[tuple[Seat, Page, web.AppRunner]]:
    """A seat that sees `view` in its browser."""
    seat = Seat()
    seat.view = view
    runner = await seat.serve()
    try:
        async with asyncio.timeout(90), browser(folder) as page:
            await page.go(f"http://127.0.0.1:{seat.port}/seat")
            await logs_in(page, "sesame")
            await page.until("!document.getElementById('call').hidden")
            yield seat, page, runner
    finally:
        await runner.cleanup()


async def test_after_a_refused_hold_the_buttons_work_again(tmp_path: Path) -> None:
    async with logged_in(tmp_path, ASKED) as (seat, page, _):
        seat.view = REFUSED
        await page.until("document.getElementById('matter').className === 'will_not_wait'")
        assert await can(page) == {"hold", "transfer", "describe", "nuisance", *OF_THE_LINE}
        await page.click("[data-act=hold]")
        await seat.has_asked(1)
        # By its phone's own key it is deaf until it comes back.
        seat.view = replace(REFUSED, deaf=True)
        await page.until("document.querySelector('[data-act=hold]').disabled")
        assert await can(page) == {"resume", "transfer", "describe"}


async def test_who_is_not_heard_yet_is_told_so(tmp_path: Path) -> None:
    async with logged_in(tmp_path, GREETED) as (seat, page, _):
        assert await page.text("#heard") == "正在播放问候语，客户还听不到您"
        assert "通话中" not in await page.text("#state")
        assert await can(page) == {"describe"}
        seat.view = TALKING
        await page.until("document.getElementById('heard').textContent === ''")
        assert (await page.text("#state")).startswith("通话中")


async def test_the_receiving_seat_of_a_transfer_reads_who_comes_and_answers(tmp_path: Path) -> None:
    async with logged_in(tmp_path, OFFERED) as (seat, page, _):
        comes = "座席 8002 请您接听：客户姓王，事由：报修"
        assert (await page.text("#comes")).startswith(comes)
        assert await can(page) == {"decline"}
        seat.view = BRIEFED
        await page.until("!document.querySelector('[data-act=accept]').disabled")
        assert await page.text("#heard") == "正在向您说明来电，客户还听不到您"
        assert await can(page) == {"accept", "decline"}
        # It need not wait for the words that it can read: its answer counts as soon as it may.
        seat.why = "brief_plays"
        await page.click("[data-act=accept]")
        await page.until("document.getElementById('pending').textContent.startsWith('已选择接受')")
        assert seat.asked == []
        seat.why, seat.view = "", replace(BRIEFED, asked=True)
        await seat.has_asked(1)
        seat.view = TALKING
        await page.until("document.getElementById('transfer').hidden")
        assert [asked.act for asked in seat.asked] == [Act.ACCEPT]


async def test_a_lost_connection_is_told_and_what_was_typed_stays(tmp_path: Path) -> None:
    async with logged_in(tmp_path, TALKING) as (seat, page, runner):
        await page.run("document.getElementById('surname').value = '王'")
        await runner.cleanup()
        begun = asyncio.get_running_loop().time()
        await page.until("!document.getElementById('lost').hidden")
        assert asyncio.get_running_loop().time() - begun < 3.0
        assert await can(page) == set()
        # The service is there again, and knows nobody any more.
        seat.sessions = SeatSessions()
        again = await seat.serve()
        try:
            await page.until("!document.getElementById('login').hidden")
            assert await page.text("#fault") == "会话已结束，请重新登录"
            await logs_in(page, "sesame")
            await page.until("!document.getElementById('call').hidden")
            assert await page.run("document.getElementById('surname').value") == "王"
            assert "hold" in await can(page)
        finally:
            await again.cleanup()


async def test_a_short_interruption_ends_no_session(tmp_path: Path) -> None:
    async with logged_in(tmp_path, TALKING) as (seat, page, runner):
        await runner.cleanup()
        await page.until("!document.getElementById('lost').hidden")
        again = await seat.serve()
        try:
            await page.until("document.getElementById('lost').hidden")
            assert "hold" in await can(page)
            assert await page.run("document.getElementById('login').hidden")
        finally:
            await again.cleanup()


async def test_a_call_that_rings_is_seen_in_the_title_and_heard(tmp_path: Path) -> None:
    async with logged_in(tmp_path, READY) as (seat, page, _):
        assert await page.run("document.title") == "座席 8001"
        seat.view = RINGS
        await page.until("document.title === '☎ 来电 13800000000'")
        await page.until("Number(document.body.dataset.rung) >= 2")
        seat.view = TALKING
        await page.until("document.title === '座席 8001'")


async def test_a_seat_leaves_its_page_and_an_idle_one_is_left(tmp_path: Path) -> None:
    now = [0.0]
    async with logged_in(tmp_path, TALKING) as (seat, page, _):
        seat.sessions._clock = lambda: now[0]
        await page.click("#leave")
        await page.until("!document.getElementById('login').hidden")
        assert await page.run("fetch('/seat/me').then(told => told.status)") == 401
        assert await page.run("document.querySelector('[name=password]').value") == ""
        now[0] = 0.0
        await logs_in(page, "sesame")
        await page.until("!document.getElementById('call').hidden")
        # That it looks is no sign that somebody is there; that it takes a call is one.
        now[0] = 0.9 * IDLE
        seat.view = RINGS
        await page.until("document.title.startsWith('☎')")
        now[0] = 1.5 * IDLE
        assert await page.run("fetch('/seat/me').then(told => told.status)") == 200
        now[0] = 2.0 * IDLE
        await page.until("document.getElementById('fault').textContent === '会话已结束，请重新登录'")


@pytest.mark.parametrize(
    ("why", "told"),
    [
        ("caller_is_asked", "正在询问客户，请稍候"),
        ("no_such_target", "没有这个工号或队列"),
        ("news", "现在不能办理"),
    ],
)
async def test_what_is_refused_says_why(tmp_path: Path, why: str, told: str) -> None:
    async with logged_in(tmp_path, TALKING) as (seat, page, _):
        seat.why = why
        await page.click("[data-act=hold]")
        await page.until(f"document.getElementById('refused').textContent === '{told}'")
        seat.why = ""
        await page.click("[data-act=louder]")
        await page.until("document.getElementById('refused').textContent === ''")


async def test_the_page_of_a_running_service_logs_in_and_waits_after_too_many_guesses(tmp_path: Path) -> None:
    """With its own headers, Host and Origin checked, and the seat's own password."""
    setup = config.default()
    seats = {"at": {"8001": {"phone": "desk", "password": "sesame"}}, "queues": {"service": {}}}
    people = setup.config.model_copy(update={"seats": SeatsConfig.model_validate(seats)})
    setup = with_flow(replace(setup, config=people), resources.FLOWS / "service.yaml")
    setup = on_free_ports(setup, "unused")
    setup = replace(setup, accounts={"desk": "parsley"}, passwords={"8001": "sesame"})
    async with asyncio.timeout(90), running(setup) as service, browser(tmp_path) as page:
        host, port = service.http.address
        await page.go(f"http://{host}:{port}/seat")
        await logs_in(page, "parsley")
        await page.until("document.getElementById('fault').textContent === '工号或密码不对'")
        await logs_in(page, "sesame")
        await page.until("!document.getElementById('call').hidden")
        assert await can(page) == {"logout"}
        await page.click("[data-act=logout]")
        await page.until("!document.querySelector('[data-act=login]').disabled")
        await page.click("#leave")
        await page.until("!document.getElementById('login').hidden")
        for _ in range(FREE + 1):
            await page.run("document.getElementById('fault').textContent = ''")
            await logs_in(page, "guess")
            await page.until("document.getElementById('fault').textContent")
        await page.run("document.getElementById('fault').textContent = ''")
        await logs_in(page, "guess")
        await page.until("document.getElementById('fault').textContent.startsWith('尝试次数过多，请 ')")
