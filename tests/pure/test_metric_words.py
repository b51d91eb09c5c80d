"""Every series that can come is there at zero: the words are held against the code that says them."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from prometheus_client.parser import text_string_to_metric_families

import callflow
from callflow.adapters.metric_words import (
    CHECKS,
    CONSENTS,
    ENDINGS,
    OTHER,
    SIGNALLING,
    STATUSES,
    TRANSFERS,
    faults,
)
from callflow.adapters.metrics import Metrics
from callflow.etiquette.consent import Consent
from callflow.etiquette.house import House
from callflow.etiquette.modes import Modes
from callflow.events import Ending, LineState, Party, ending_of
from callflow.facts import Fact
from callflow.flow.model import Flow
from callflow.service import Service
from callflow.sip.happenings import Counted

pytestmark = pytest.mark.pure

PACKAGE = Path(callflow.__file__).parent
TREES = {
    path.relative_to(PACKAGE): ast.parse(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")
}


def calls_of(name: str) -> Iterator[tuple[Path, ast.Call]]:
    """Every call of a function or class of that name, and where."""
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", getattr(node.func, "attr", "")) == name
            ):
                yield path, node


def words(node: ast.expr) -> Iterator[object]:
    """The constants that an argument may be."""
    match node:
        case ast.Constant(value=value):
            yield value
        case ast.IfExp(body=body, orelse=orelse):
            yield from words(body)
            yield from words(orelse)


def series(metrics: Metrics) -> dict[str, float]:
    found = {}
    for family in text_string_to_metric_families(metrics.expose().decode()):
        for sample in family.samples:
            labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


@pytest.fixture
def metrics(hotline: Flow, house: House) -> Metrics:
    return Metrics(hotline.name, house, Modes(queues={"service": {"csr-23": "observe"}}))


def test_every_fault_that_the_code_counts_is_foreseen() -> None:
    known, found = set(faults()), set()
    for _, call in calls_of("Counted"):
        if [*words(call.args[0])] == ["fault"]:
            found |= {*words(call.args[1])}
    assert len(found) >= 5
    assert found <= known


@pytest.mark.parametrize("what", ["dropped", "odd", "media"])
def test_everything_else_that_the_code_counts_is_foreseen(what: str) -> None:
    found = {word for _, call in calls_of("Counted") if [*words(call.args[0])] == [what]
             for word in words(call.args[1])}  # fmt: skip
    if what == "odd":
        found |= {
            word for _, call in calls_of("give_up") if len(call.args) == 4 for word in words(call.args[1])
        }
        assert {"no_ack", "no_refresh"} <= found
    assert len(found) >= 5
    # Each is counted somewhere, but for codes, which are put together.
    assert found == {kind for kind in SIGNALLING[what] if not kind.startswith("feature_code_")}


def test_nothing_is_counted_in_another_way() -> None:
    whats = {str(word) for _, call in calls_of("Counted") for word in words(call.args[0])}
    assert whats == {*SIGNALLING, "fault"}


def test_every_error_of_ours_is_foreseen() -> None:
    # Those of phones for tests and demos are no part of the service.
    own = {
        node.name
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if ".".join(("callflow", *path.with_suffix("").parts)) in sys.modules
        and isinstance(node, ast.ClassDef)
        and any(getattr(base, "id", "") in ("CallflowError", "PeerError") for base in node.bases)
    }
    assert Service.__module__ in sys.modules
    assert {"IllegalEvent", "PeerError", "CannotSpeak"} <= own
    assert own <= set(faults())


def test_every_status_that_the_code_refuses_with_is_foreseen() -> None:
    found = {str(word) for name in ("PeerError", "Refusal") for _, call in calls_of(name) if call.args
             for word in words(call.args[0])}  # fmt: skip
    assert {"400", "480", "503", "603"} <= found
    assert found <= set(STATUSES)


def test_every_end_of_a_call_that_the_code_names_is_foreseen() -> None:
    found = {word for _, call in calls_of("HangUp") for word in words(call.args[0])}
    found |= {word for _, call in calls_of("HungUp") for arg in call.args[1:] for word in words(arg)}
    found |= {word for _, call in calls_of("drop_all") for word in words(call.args[0])}
    for _, call in calls_of("Ended"):
        # What SIP tells becomes one of them.
        found |= {ending_of(str(word)) for arg in call.args[1:2] for word in words(arg)}
    assert {"seat_hung_up", "service_stops", "transferred", "cancelled"} <= found
    assert found - {""} <= set(get_args(Ending)) <= set(ENDINGS)


@pytest.mark.parametrize(
    ("told", "ending"),
    [("bye", ""), ("cancelled", "cancelled"), ("no_refresh", "no_refresh"), ("what is this", "gone")],
)
def test_why_a_session_ended_is_why_its_call_does(told: str, ending: str) -> None:
    assert ending_of(told) == ending


def test_every_answer_and_end_of_a_transfer_that_the_code_names_is_foreseen() -> None:
    notes = [call for _, call in calls_of("Note") if "transfer." in ast.unparse(call.args[0])]
    named = {
        word
        for call in notes
        for node in ast.walk(call)
        if isinstance(node, ast.Dict)
        for key, value in zip(node.keys, node.values, strict=True)
        if key is not None and [*words(key)] == ["why"]
        for word in words(value)
    }
    named |= {word for _, call in calls_of("TargetDeclined") for word in words(call.args[0])}
    assert {"too_often", "busy", "no_answer"} <= named
    assert named <= set(TRANSFERS)
    assert {answer for answer, _ in CONSENTS} == set(Consent)
    assert set(LineState) < set(CHECKS)


def test_every_series_is_there_before_its_first_event(metrics: Metrics) -> None:
    found = series(metrics)
    expected = [
        *(f"callflow_faults_total{{kind={kind}}}" for kind in faults()),
        *(f"callflow_sip_rejected_total{{status={status}}}" for status in STATUSES),
        *(f"callflow_sip_odd_total{{kind={kind}}}" for kind in SIGNALLING["odd"]),
        *(f"callflow_media_events_total{{kind={kind}}}" for kind in SIGNALLING["media"]),
        *(f"callflow_sip_dropped_total{{cause={cause}}}" for cause in SIGNALLING["dropped"]),
        "callflow_media_events_total{kind=leg_lost}",
        "callflow_sip_requests_total{method=INVITE}",
        "callflow_sip_responses_total{code_class=2xx}",
        *(f"callflow_calls_total{{flow=hotline,outcome={ending}}}" for ending in (*ENDINGS, OTHER)),
        *(f"callflow_transfers_total{{outcome={outcome}}}" for outcome in TRANSFERS),
        *(f"callflow_consents_total{{answer={answer},how={how}}}" for answer, how in CONSENTS),
        *(f"callflow_service_level_total{{in_time={each}}}" for each in ("yes", "no")),
        *(f"callflow_line_checks_total{{outcome={outcome},rule=csr-04}}" for outcome in CHECKS),
        *(f"callflow_rule_outcomes_total{{outcome={each},rule=csr-23}}"
          for each in ("kept", "broken", "would_be_kept", "would_be_broken")),
        "callflow_rule_outcomes_total{outcome=would_be_kept,rule=csr-06}",
    ]  # fmt: skip
    assert [name for name in expected if found.get(name) != 0.0] == []
    # A rule that is enforced everywhere would be nothing.
    assert "callflow_rule_outcomes_total{outcome=would_be_kept,rule=csr-01}" not in found


def test_no_fault_and_no_end_brings_a_series_that_was_not_there(metrics: Metrics) -> None:
    before = series(metrics).keys()
    for kind in (*faults(), "NobodyForesawThis", "accept_e2big"):
        metrics.sip.counted(Counted("fault", kind))
    for status in STATUSES:
        metrics.sip.counted(Counted("rejected", status))
    for number, reason in enumerate((*get_args(Ending), "", "nobody_foresaw_this")):
        for party in Party:
            call = f"{number}-{party}"
            metrics.fact(Fact(0.0, call, "caller", "call.arrived", None, {"caller": "1", "called": "2"}))
            metrics.fact(Fact(1.0, call, "caller", "call.ended", None, {"by": party, "reason": reason}))
    for why in (*TRANSFERS, "nobody_foresaw_this"):
        name = "transfer.completed" if why == "completed" else "transfer.failed"
        metrics.fact(Fact(0.0, "c", "caller", name, "csr-24", {"why": why}))
    for answer, how in CONSENTS:
        metrics.fact(Fact(0.0, "c", "caller", f"consent.{answer}", "csr-23", {"how": how}))
    metrics.fact(Fact(0.0, "c", "caller", "prompt.overdue", None, {"prompt": "x"}))
    found = series(metrics)
    assert found.keys() == before
    assert found[f"callflow_faults_total{{kind={OTHER}}}"] == 3
    assert found["callflow_faults_total{kind=prompt_overdue}"] == 2
    assert found[f"callflow_calls_total{{flow=hotline,outcome={OTHER}}}"] == len(Party)
    assert found[f"callflow_transfers_total{{outcome={OTHER}}}"] == 1
