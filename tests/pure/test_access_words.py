"""What docs/access.md and the example say of access is what holds."""

import re
from pathlib import Path

import pytest

from callflow import config
from callflow.adapters.refusal_help import HELP
from callflow.sip import guesses
from callflow.sip.refused import KINDS

pytestmark = pytest.mark.pure

ROOT = Path(__file__).parents[2]
ACCESS = (ROOT / "docs" / "access.md").read_text(encoding="utf-8")
EXAMPLE = (ROOT / "deploy" / "callflow.example.yaml").read_text(encoding="utf-8")


def test_every_kind_of_refusal_is_documented_and_has_help() -> None:
    assert {*KINDS} <= {*HELP}
    assert [kind for kind in HELP if f"`{kind}`" not in ACCESS] == []
    assert all(1 <= len(text) <= 200 and text.isprintable() for text in HELP.values())


def test_the_limits_are_the_documented_ones() -> None:
    limits = config.default().config.limits
    one = limits.per_source
    per_second, rest = f"{one.calls_per_second:g}", f"burst: {one.burst}, connections: {one.connections}"
    for text in (ACCESS, EXAMPLE):
        assert f"per_source: {{calls_per_second: {per_second}, {rest}}}" in text
        assert re.search(rf"\bcalls: {limits.calls}\b", text)
    assert f"judged after {guesses.FIRST:g} s" in ACCESS
    assert f"and {guesses.LONGEST:g} s from then on" in ACCESS
    assert f"one each {guesses.NEWCOMERS:g} s" in ACCESS
    assert (guesses.FREE, guesses.FORGOTTEN) == (5, 600.0)


def test_the_example_is_good_and_its_commented_lines_too(tmp_path: Path) -> None:
    lines = EXAMPLE.splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("http:"))
    wanted = [re.sub(r"^  # ", "  ", line) for line in lines[begin : begin + 6]]
    path = tmp_path / "callflow.yaml"
    path.write_text("callflow-config: 1\n" + "\n".join(wanted) + "\n", encoding="utf-8")
    http = config.read(path).config.http
    assert (http.names, http.proxies, http.tls) == (("desk.example.net",), ("127.0.0.1/32",), True)
    assert str(http.control) == "/run/callflow/own.sock"
