"""The log: one event a line, JSON where no person watches, and no personal data in the clear."""

import json
import re
import sys
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from callflow.adapters.log_repeats import Repeats
from callflow.adapters.log_writer import LogWriter
from callflow.adapters.plain_text import plain
from callflow.call.journal import CallEntry
from callflow.facts import Fact
from callflow.sinks import FactSink
from callflow.sip.happenings import Counted, Noticed, RegistrationChanged, TrunkChanged

_NUMBERS: Final = ("caller", "called", "number")
_DIGITS: Final = ("digit", "digits")
_MASKED: Final = re.compile(r"[^*]{1,3}\*{4}[^*]{1,4}")
_QUIET: Final = ("prompt.started", "prompt.finished", "line.heard", "line.judged")
_OF_LINES: Final = ("exception", "text")
"""What has several lines by its nature."""
_LOUD: Final = ("trunk.one_way", "leg.lost", "rule.broken", "prompt.unknown", "prompt.overdue")
"""What somebody should look after."""


def configure(
    *,
    as_json: bool | None = None,
    verbose: bool = False,
    writer: LogWriter | None = None,
    repeats: Repeats | None = None,
) -> None:
    """Set structlog up once; JSON unless a person's terminal is there or `as_json` says otherwise.

    Without a `writer` standard error is written to at once; `repeats` keeps faults from being told too often.
    """
    as_json = _is_json(as_json)
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False) if as_json else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            *([repeats] if repeats else []),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            mask_personal_data,
            structlog.processors.format_exc_info,
            without_control_characters,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(10 if verbose else 20),
        logger_factory=_lines_to(writer) if writer else structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


@contextmanager
def unblocking(*, as_json: bool | None = None, verbose: bool = False) -> Iterator[LogWriter]:
    """The log of a service: whoever reads standard error, or does not, nobody waits for it.

    What waits is written when the block is left, within two seconds.
    """
    as_json = _is_json(as_json)
    repeats = Repeats()
    writer = LogWriter(sys.stderr.fileno(), dropped_line=_dropped_as_json if as_json else _dropped_as_text)
    writer.on_look = lambda: tell_due(repeats)
    configure(as_json=as_json, verbose=verbose, writer=writer, repeats=repeats)
    try:
        yield writer
    finally:
        tell_due(repeats, now=True)
        writer.close()


def tell_due(repeats: Repeats, *, now: bool = False) -> None:
    """Write how often what was left out has happened."""
    log = structlog.get_logger("callflow")
    for event in repeats.due(now=now):
        level, words = event.pop("level"), event.pop("event")
        getattr(log, level)(words, **event)


def _lines_to(writer: LogWriter) -> Callable[..., "_LineLogger"]:
    return lambda *_names: _LineLogger(writer)


class _LineLogger:
    """What structlog gives its rendered lines to."""

    def __init__(self, writer: LogWriter) -> None:
        self._writer = writer

    def msg(self, text: str) -> None:
        self._writer.write(text + "\n")

    debug = info = warning = error = critical = msg


def _is_json(asked: bool | None) -> bool:
    return not sys.stderr.isatty() if asked is None else asked


def _dropped_as_json(lines: int) -> str:
    told = {"event": "log.dropped", "lines": lines, "level": "warning", "timestamp": _timestamp()}
    return json.dumps(told) + "\n"


def _dropped_as_text(lines: int) -> str:
    return f"{_timestamp()} [warning  ] log.dropped lines={lines}\n"


def _timestamp() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def without_control_characters(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """What peers have written must not steer the terminal that the log is read in."""
    for key, value in event.items():
        event[key] = _plain(value, keep="\n\t" if key in _OF_LINES else "")
    return event


def _plain(value: Any, keep: str = "") -> Any:
    match value:
        case str():
            return plain(value, keep=keep)
        case list() | tuple():
            return [_plain(one) for one in value]
        case dict():
            return {key: _plain(one) for key, one in value.items()}
    return value


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


class FactLog(FactSink):
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

    def cut_off(self, entry: CallEntry, consents: list[str]) -> None:
        """A call of an earlier life of the program has been ended."""
        self._log.info("call.cut_off", call=entry.call, legs=len(entry.legs), consents=consents)

    def no_control(self, error: OSError) -> None:
        """There is no control socket; everything else works."""
        helps = "callflow trace needs --seat; or name a path of your own under http.control"
        self._log.warning("control.unavailable", error=str(error), help=helps)

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
