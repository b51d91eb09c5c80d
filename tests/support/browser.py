"""A headless Chromium, driven over its DevTools protocol: what a person would see and click."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

CHROMIUM = shutil.which("chromium")
_PATIENCE = 20.0
"""Seconds that it has to start, and that anything on a page has to come true."""
_LOOK = 0.05


class Page:
    """One tab."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._count = 0

    async def go(self, url: str) -> None:
        await self._command("Page.navigate", url=url)
        await self.until("document.readyState === 'complete'")

    async def run(self, script: str) -> Any:
        """What a JavaScript expression is worth on the page. Raises `AssertionError` where it throws."""
        told = await self._command(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    async def until(self, condition: str) -> None:
        """Wait until a JavaScript condition is true. Raises `TimeoutError`."""
        for _ in range(int(_PATIENCE / _LOOK)):
            if await self.run(f"Boolean({condition})"):
                return
            await asyncio.sleep(_LOOK)
        raise TimeoutError(condition)

    async def text(self, selector: str) -> str:
        return str(await self.run(f"document.querySelector({selector!r}).textContent"))

    async def click(self, selector: str) -> None:
        await self.run(f"document.querySelector({selector!r}).click()")

    async def _command(self, method: str, **params: Any) -> dict[str, Any]:
        self._count += 1
        await self._socket.send_json({"id": self._count, "method": method, "params": params})
        while True:
            told = await self._socket.receive_json()
            if told.get("id") == self._count:
                result: dict[str, Any] = told["result"]
                return result


@asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Page]:
    """A browser with one tab; `folder` is its own."""
    assert CHROMIUM is not None
    process = await asyncio.create_subprocess_exec(
        CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0",
        f"--user-data-dir={folder}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with aiohttp.ClientSession() as session:
            url = await _tab(session, folder / "DevToolsActivePort")
            async with session.ws_connect(url, max_msg_size=0) as socket:
                yield Page(socket)
    finally:
        process.terminate()
        await process.wait()


async def _tab(session: aiohttp.ClientSession, told: Path) -> str:
    """Where the first tab listens, once the browser has said so."""
    for _ in range(int(_PATIENCE / _LOOK)):
        if port := _port(told):
            async with session.get(f"http://127.0.0.1:{port}/json") as answer:
                tabs = [tab for tab in await answer.json() if tab["type"] == "page"]
            if tabs:
                return str(tabs[0]["webSocketDebuggerUrl"])
        await asyncio.sleep(_LOOK)
    raise TimeoutError("the browser did not start")


def _port(told: Path) -> str:
    return told.read_text().split("\n")[0] if told.exists() else ""
