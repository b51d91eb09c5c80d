"""The log tells what happened and not to whom."""

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from callflow.adapters import logs
from callflow.adapters.logs import FactLog, mask, mask_personal_data
from callflow.call.call import Call
from callflow.call.ledger import Ledger
from callflow.errors import IllegalEvent
from callflow.etiquette.house import House
from callflow.events import (
    CallAnswered,
    CallArrived,
    CallConfirmed,
    DigitPressed,
    Event,
    HungUp,
    Party,
    PromptFinished,
    PromptStarted,
)
from callflow.facts import Fact
from callflow.flow.model import Flow
from callflow.sip.happenings import Counted

pytestmark = pytest.mark.pure

CALLER = "+8613912345678"
CALLED = "4008123123"


@pytest.fixture(autouse=True)
def _structlog_as_it_was() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("13812345678", "138****5678"),
        ("+8613912345678", "+86****5678"),
        ("8001", "8****1"),
        ("10086", "1****86"),
        ("138****5678", "138****5678"),
        ("****13812345678", "*******5678"),
        ("42", "**"),
        ("", ""),
    ],
)
def test_a_number_keeps_only_its_ends(number: str, shown: str) -> None:
    assert mask(number) == shown


def test_no_more_than_two_thirds_of_a_number_are_shown() -> None:
    for length in range(40):
        assert sum(each == "7" for each in mask("7" * length)) * 3 <= 2 * length


def test_keys_pressed_are_not_shown_at_all() -> None:
    event: dict[str, Any] = {"event": "x", "digit": "7", "digits": "4711", "caller": CALLER, "rule": "csr-01"}
    assert mask_personal_data(None, "info", event) == {
        "event": "x",
        "digit": "*",
        "digits": "****",
        "caller": "+86****5678",
        "rule": "csr-01",
    }


def test_a_whole_call_is_told_without_personal_data(
    hotline: Flow, house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(as_json=True, verbose=True)
    call = Call(hotline, house, Ledger("c1", FactLog().fact))
    happenings: list[tuple[float, Event]] = [
        (0.0, CallArrived(CALLER, CALLED)),
        (0.1, CallAnswered()),
        (0.2, CallConfirmed()),
        (0.5, PromptStarted("greeting")),
        (3.0, PromptFinished("greeting")),
        (4.0, DigitPressed("2")),
        (4.0, PromptStarted("contact_details")),
        (5.0, DigitPressed("D")),
        (6.0, HungUp(Party.CALLER)),
    ]
    for at, event in happenings:
        call.tick(at)
        call.receive(event, at)
    text = capsys.readouterr().err
    told = [json.loads(line) for line in text.splitlines()]
    assert [line["event"] for line in told] == [fact.fact for fact in call.ledger]
    assert {(line["call"], line["leg"]) for line in told} == {("c1", "caller")}
    assert (told[0]["caller"], told[0]["called"]) == ("+86****5678", "400****123")
    assert [line["digit"] for line in told if "digit" in line] == ["*", "*"]
    assert not [secret for secret in ("13912345678", "139123", CALLED, '"2"', '"D"') if secret in text]


def test_whatever_else_logs_a_number_or_whoever_else_writes_the_log_it_is_masked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure(as_json=True)
    structlog.get_logger().info("other", caller=CALLER)
    assert lines(capsys)[0]["caller"] == "+86****5678"
    with capture_logs() as captured:
        Ledger("c1", FactLog().fact).write(0.0, "call.arrived", caller=CALLER, called=CALLED)
    assert [(line["caller"], line["called"]) for line in captured] == [("+86****5678", "400****123")]
    with capture_logs() as captured:
        Ledger("c1", FactLog().fact).write(0.0, "ticket.opened", kind="callback", number="13912345678")
    assert [line["number"] for line in captured] == ["139****5678"]


def test_every_prompt_is_told_only_to_who_wants_to_know(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(as_json=True)
    ledger = Ledger("c1", FactLog().fact)
    ledger.write(0.0, "call.answered", "csr-01")
    ledger.write(0.1, "prompt.started", "csr-01", prompt="greeting")
    ledger.write(0.2, "call.ended", by="caller", reason="")
    assert [line["event"] for line in lines(capsys)] == ["call.answered", "call.ended"]


def test_a_trunk_from_which_nothing_is_heard_is_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(as_json=True)
    FactLog().fact(Fact(1.0, "", "trunk provider", "trunk.one_way", None, {"calls": 3}))
    assert [(line["level"], line["event"], line["leg"]) for line in lines(capsys)] == [
        ("warning", "trunk.one_way", "trunk provider")
    ]


def test_a_fault_of_ours_is_an_error_and_what_peers_do_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(as_json=True, verbose=True)
    log = FactLog()
    for what in ("fault", "odd", "dropped", "rejected", "request", "response"):
        log.counted(Counted(what, "kind"))
    assert [(line["level"], line["event"]) for line in lines(capsys)] == [
        ("error", "fault"),
        ("debug", "sip.odd"),
        ("debug", "sip.dropped"),
        ("debug", "sip.rejected"),
    ]


def test_what_broke_is_told_with_its_place_and_without_personal_data(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure(as_json=True)
    for event in (CallArrived(CALLER, CALLED), DigitPressed("7")):
        try:
            raise IllegalEvent(event, "Phase.DONE")
        except IllegalEvent as error:
            FactLog().broke(error)
    arrived, pressed = lines(capsys)
    assert "IllegalEvent: CallArrived" in arrived["exception"]
    assert "in Phase.DONE" in arrived["exception"]
    assert __file__ in arrived["exception"]
    assert not [secret for secret in (CALLER, CALLED) if secret in arrived["exception"]]
    assert "'7'" not in pressed["exception"]


def test_json_is_written_where_no_person_watches(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for watched in (False, True):
        monkeypatch.setattr(sys.stderr, "isatty", lambda watched=watched: watched)
        logs.configure()
        structlog.get_logger().info("serving")
        assert capsys.readouterr().err.startswith("{") is not watched
