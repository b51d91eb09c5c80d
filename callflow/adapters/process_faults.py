"""What befalls the processes of ours, told to the metrics and the log."""

from collections.abc import Callable
from typing import Final

import structlog

from callflow.net.kept_process import KeptProcess
from callflow.sip.happenings import Counted

_MOST_WORDS: Final = 4_000
"""Characters of what a process writes that are kept of one piece."""


def tell_faults(
    process: KeptProcess,
    name: str,
    counted: Callable[[Counted], object],
    broke: Callable[[Exception], object],
) -> None:
    """Count each death, hang and failed start as a fault of `name`, and log what the process writes."""

    def failed(error: Exception) -> None:
        counted(Counted("fault", f"{name}_failed"))
        # By its class: each kind of failure is one fault to the log, however often it comes.
        log().error("process.failed", kind=name, error=f"{type(error).__name__}: {error}")

    process.on_death = lambda: counted(Counted("fault", f"{name}_died"))
    process.on_hung = lambda: counted(Counted("fault", f"{name}_hung"))
    process.on_failed = failed
    process.on_broke = broke
    process.on_words = lambda text: log().warning("process.words", kind=name, text=text[:_MOST_WORDS])


def log() -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.get_logger("callflow")
    return logger
