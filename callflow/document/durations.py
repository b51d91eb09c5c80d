"""Spans of time as YAML has them: with a unit, as `5s`, `300ms` or `1m30s`."""

import re
from typing import Annotated, Final

import pydantic

from callflow.suggestions import as_typed, shown

_ZEROS: Final = re.compile(r"0+(?=\d)", re.ASCII)
"""Before the first number; 1m05s is how people write five seconds."""
_FORM: Final = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?", re.ASCII)
_LOOSE: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)", re.ASCII)
_UNITS: Final = (
    (r"毫秒|msecs?|milliseconds?", "ms"),
    (r"秒钟?|seconds?|secs?", "s"),
    (r"分钟?|minutes?|mins?", "m"),
    (r"小时|时|hours?|hrs?", "h"),
)
_SECONDS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def seconds(text: object) -> float:
    """The seconds in `5s`, `2m`, `1m30s` or `300ms`; a bare number has no unit and is refused."""
    match = _FORM.fullmatch(text) if isinstance(text, str) else None
    if match is None or not match[0] or _ZEROS.match(match[0]):
        meant = _meant(text) if isinstance(text, str) else ""
        right = f"write {meant}" if meant else "write it with its unit, as 5s, 300ms or 2m"
        raise ValueError(f"{shown(text)} is not a duration; {right}")
    hours, minutes, secs, millis = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + secs + millis / 1000


Duration = Annotated[float, pydantic.BeforeValidator(seconds)]
"""Seconds, written in YAML with a unit."""


def duration_text(value: float) -> str:
    """How `value` seconds are written."""
    if value != 0 and abs(value) < 1:
        return f"{value * 1000:g}ms"
    for unit, size in (("h", 3600), ("m", 60)):
        if value >= size and value % size == 0:
            return f"{value / size:g}{unit}"
    if value > 60:
        return f"{value // 60:g}m{value % 60:g}s"
    return f"{value:g}s"


def _meant(text: str) -> str:
    """The duration that `text` was meant for: in full-width digits, with a unit's name, with blanks."""
    narrow = re.sub(r"\s", "", as_typed(text)).lower()
    for names, unit in _UNITS:
        narrow = re.sub(rf"(?<=\d)(?:{names})", unit, narrow)
    parts = _LOOSE.findall(narrow)
    if not parts or "".join(number + unit for number, unit in parts) != narrow or len(narrow) > 20:
        return ""
    return duration_text(sum(float(number) * _SECONDS[unit] for number, unit in parts))
