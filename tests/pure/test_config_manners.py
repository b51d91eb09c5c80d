"""Which rules are in force: what is named and changes nothing, or never begins, is noted at `check`."""

from pathlib import Path

import pytest

from callflow import config

pytestmark = pytest.mark.pure


def notes(folder: Path, manners: str, house: str = "csr-standard") -> list[str]:
    text = f"""\
callflow-config: 1
manners: {manners}
flow: serve.yaml
sip:
  accounts: {{p: {{password: secret}}}}
  trunks: {{pbx: {{at: 192.0.2.1}}}}
seats: {{at: {{"8001": {{phone: p, password: another}}}}, queues: {{service: {{}}}}}}
"""
    flow = f"""\
callflow: 1
name: serve
title: 人工服务
house: {house}
start: serve
steps:
  serve: {{do: seat, queue: service, nobody: close, next: close}}
  close: {{do: close, more: serve}}
"""
    (folder / "callflow.yaml").write_text(text, encoding="utf-8")
    (folder / "serve.yaml").write_text(flow, encoding="utf-8")
    return [f"{note.line}:{note.column}: {note.what}" for note in config.read(folder / "callflow.yaml").notes]


NEVER = "never begins by itself: it follows {0}, which is enforced nowhere; enforce {0} too"


@pytest.mark.parametrize(
    ("manners", "house", "told"),
    [
        (
            "{default: off, rules: {csr-04: enforce}}",
            "csr-standard",
            "2:33: csr-04 " + NEVER.format("csr-01"),
        ),
        (
            "{default: observe, rules: {gas-05: enforce}}",
            "gas-hotline",
            "2:37: gas-05 " + NEVER.format("csr-01"),
        ),
        ("{rules: {csr-01: off, csr-06: enforce}}", "csr-standard", "2:32: csr-06 " + NEVER.format("csr-01")),
        (
            "{default: off, trunks: {pbx: {csr-07: enforce}}}",
            "csr-standard",
            "2:40: csr-07 " + NEVER.format("csr-01"),
        ),
        (
            "{default: off, queues: {service: {crs-04: enforce}}}",
            "service-course",
            "2:44: crs-04 " + NEVER.format("crs-03"),
        ),
        (
            "{rules: {gas-10: off}}",
            "csr-standard",
            "2:19: this changes nothing: the house 'csr-standard' has csr-23 in place of gas-10",
        ),
        (
            "{rules: {csr-04: off}}",
            "gas-hotline",
            "2:19: this changes nothing: the house 'gas-hotline' has gas-05 in place of csr-04",
        ),
        (
            "{queues: {service: {log-04: observe}}}",
            "csr-standard",
            "2:30: this changes nothing: the house 'csr-standard' has no part that stands under log-04",
        ),
    ],
)
def test_a_mode_without_effect_is_noted(tmp_path: Path, manners: str, house: str, told: str) -> None:
    assert notes(tmp_path, manners, house) == [told]


@pytest.mark.parametrize(
    ("manners", "house"),
    [
        ("enforce", "csr-standard"),
        (
            "{default: off, rules: {csr-01: enforce, csr-04: enforce, csr-36: enforce, csr-25: off}}",
            "csr-standard",
        ),
        ("{default: off, rules: {csr-04: enforce}, trunks: {pbx: {csr-01: enforce}}}", "csr-standard"),
        (
            "{default: off, queues: {service: {csr-23: enforce, csr-16: enforce, crs-02: enforce}}}",
            "csr-standard",
        ),
        ("{rules: {csr-06: enforce, csr-07: enforce, crs-06: off, crs-10: observe}}", "csr-standard"),
        ("{rules: {gas-06: enforce, gas-09: off, csr-24: observe}}", "gas-hotline"),
    ],
)
def test_a_mode_with_effect_is_not(tmp_path: Path, manners: str, house: str) -> None:
    assert notes(tmp_path, manners, house) == []
