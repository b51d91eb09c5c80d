"""Sends to the log what Python would write to standard error by itself: that must not block a loop either.

Warnings, the standard library's logging (aiohttp's and asyncio's), exceptions that nobody caught in a thread,
a destructor or a callback of the loop.
"""

import asyncio
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import structlog


@contextmanager
def captured() -> Iterator[None]:
    """Until the block is left."""
    before = warnings.showwarning, sys.unraisablehook, threading.excepthook
    root, handler = logging.getLogger(), _ToLog()
    warnings.showwarning = _warned
    sys.unraisablehook = _unraisable
    threading.excepthook = _thread_broke
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        warnings.showwarning, sys.unraisablehook, threading.excepthook = before


def loop_broke(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """An exception handler for the loop (`loop.set_exception_handler`)."""
    _log().error("loop.broke", kind=context.get("message", ""), exc_info=context.get("exception"))


class _ToLog(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno < logging.WARNING:
            return
        write = _log().error if record.levelno >= logging.ERROR else _log().warning
        place = f"{record.name}:{record.module}:{record.lineno}"
        error = record.exc_info[1] if record.exc_info else None
        write("library.log", source=place, text=record.getMessage(), exc_info=error)


def _warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """`file` and `line` are for who prints it."""
    _log().warning("python.warning", kind=category.__name__, source=f"{filename}:{lineno}", text=str(message))


def _unraisable(broken: "sys.UnraisableHookArgs") -> None:
    _log().error("fault", kind="unraisable", exc_info=broken.exc_value)


def _thread_broke(broken: threading.ExceptHookArgs) -> None:
    name = broken.thread.name if broken.thread else ""
    _log().error("fault", kind="thread", source=name, exc_info=broken.exc_value)


def _log() -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.get_logger("callflow")
    return logger
