"""The filter that ships with callflow, read as fail2ban reads it."""

import configparser
import re
from pathlib import Path

FILTER = Path(__file__).parents[2] / "deploy" / "fail2ban" / "filter.d" / "callflow.conf"
_HOST = r"(?P<host>\d{1,3}(?:\.\d{1,3}){3})"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")


def banned(line: str) -> str | None:
    """The host that a line of the log has banned; None for none."""
    parser = configparser.ConfigParser(interpolation=_Interpolation())
    parser.read(FILTER, encoding="utf-8")
    # fail2ban takes the time out of the line before it looks for anything else.
    rest = _TIME.sub("", line.rstrip("\n"), count=1)
    for pattern in parser["Definition"]["failregex"].splitlines():
        if found := re.search(pattern.replace("<HOST>", _HOST), rest):
            return found["host"]
    return None


class _Interpolation(configparser.BasicInterpolation):
    """fail2ban writes `%(name)s` for another option, and knows `<HOST>` beside it."""

    def before_read(self, parser: object, section: str, option: str, value: str) -> str:
        return value
