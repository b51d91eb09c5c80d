"""The seat's page as a person has it: in a browser."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from callflow.adapters.seat_pages import SeatPages
from callflow.call.desk import Act, Asked, View
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
COMES = View("8001", "ringing", 2.0, "13800000000", surname="王", about="报修", comes_from="8002")
WAITS = View("8001", "holding", 12.0, "13800000000", "10086", "waits", 12.0, 18.0)


class Seat:
    """What the page is shown, and what it asked for."""

    def __init__(self) -> None:
        self.view = READY
        self.asked: list[Asked] = []
        self.port = 0
        self._news = asyncio.Event()

    async def has_asked(self, times: int) -> None:
        while len(self.asked) < times:
            self._news.clear()
            await self._news.wait()

    async def serve(self) -> web.AppRunner:
        pages = SeatPages({"8001": "sesame"}, lambda seat: self.view, self._do)
        app = web.Application()
        app.add_routes(pages.routes())
        runner = web.AppRunner(app, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
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
