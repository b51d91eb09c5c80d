"""The log: one event a line, JSON where no person watches, and no personal data in the clear."""

import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

from callflow.facts import Fact
from callflow.sip.happenings import Counted, Noticed, RegistrationChanged, TrunkChanged

_NUMBERS: Final = ("caller", "called", "number")
_DIGITS: Final = ("digit", "digits")
_MASKED: Final = re.compile(r"[^*]{1,3}\*{4}[^*]{1,4}")
_QUIET: Final = ("prompt.started", "prompt.finished", "line.heard", "line.judged")
_LOUD: Final = ("trunk.one_way",)
"""What somebody should look after."""


def configure(*, as_json: bool | None = None, verbose: bool = False) -> None:
    """Set structlog up once; JSON unless a person's terminal is there or `as_json` says otherwise."""
    if as_json is None:
        as_json = not sys.stderr.isatty()
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False) if as_json else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            mask_personal_data,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(10 if verbose else 20),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


def mask_personal_data(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Numbers keep their ends, digits pressed are not shown at all."""
    for key in _NUMBERS:
        if key in event:
            event[key] = mask(str(event[key]))
    for key in _DIGITS:
        if key in event:
            event[key] = "*" * len(str(event[key]))
    if "surname" in event:
        event["surname"] = "*"
    return event


def mask(number: str) -> str:
    """`13812345678` as `138****5678`, what is shorter with less of its ends; what is masked stays."""
    if _MASKED.fullmatch(number):
        return number
    head, tail = min(3, len(number) // 3), min(4, (len(number) + 1) // 3)
    return f"{number[:head]}****{number[-tail:]}" if head else "*" * len(number)


class FactLog:
    """Writes facts to the log."""

    def __init__(self) -> None:
        # Bound once: the lazy proxy would be bound anew by each line.
        self._log = structlog.get_logger("callflow").bind()

    def fact(self, fact: Fact) -> None:
        write = self._log.debug if fact.fact in _QUIET else self._log.info
        write = self._log.warning if fact.fact in _LOUD else write
        # Masked here too: an application that embeds the service may have its own processors.
        details = mask_personal_data(None, "", dict(fact.details))
        write(fact.fact, call=fact.call, leg=fact.leg, rule=fact.rule, **details)

    def counted(self, counted: Counted) -> None:
        if counted.what == "fault":
            self._log.error("fault", kind=counted.kind)
        elif counted.what in ("dropped", "odd", "rejected"):
            self._log.debug(f"sip.{counted.what}", kind=counted.kind)

    def noticed(self, noticed: Noticed) -> None:
        match noticed:
            case TrunkChanged(trunk=trunk, state=state, round_trip=round_trip):
                write = self._log.error if state == "down" else self._log.info
                write("trunk.changed", trunk=trunk, state=state, round_trip=round_trip)
            case RegistrationChanged(trunk=trunk, state=state, refused_with=refused_with):
                write = self._log.error if state == "failed" else self._log.info
                write("registration.changed", trunk=trunk, state=state, refused_with=refused_with)

    def broke(self, error: Exception) -> None:
        self._log.error("fault", exc_info=error)
