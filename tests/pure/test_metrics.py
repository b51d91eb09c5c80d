"""Facts go in, the text that Prometheus scrapes comes out; nothing of it tells who called."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from callflow import __version__
from callflow.adapters.metrics import Metrics
from callflow.call.call import Call
from callflow.call.ledger import Ledger
from callflow.call.simulate import Act, Simulation, hangs_up, presses, speaks
from callflow.etiquette.house import CARRIED, House
from callflow.facts import Detail, Fact
from callflow.flow.model import Flow
from callflow.sip.happenings import Counted

pytestmark = pytest.mark.pure

CALLER = "+8613912345678"
CALL_ID = "01jq7distinctive"

Series = dict[str, float]


@pytest.fixture
def metrics(hotline: Flow, house: House) -> Metrics:
    return Metrics(hotline.name, house)


def series(metrics: Metrics) -> Series:
    """Every series by its whole name, but for the buckets of histograms."""
    found: Series = {}
    for family in text_string_to_metric_families(metrics.expose().decode()):
        for sample in family.samples:
            labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
            if not sample.name.endswith("_bucket"):
                found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def counted(metrics: Metrics) -> Series:
    """The series that are not zero."""
    return {name: value for name, value in series(metrics).items() if value and "build_info" not in name}


def facts_of(flow: Flow, house: House, *acts: Act) -> list[Fact]:
    """A call of 3 s a prompt, by a caller who can be told from everybody."""
    ledger = Ledger(CALL_ID)
    Simulation(Call(flow, house, ledger), lambda prompt: 3.0, acts).run()
    arrived, *rest = ledger
    return [replace(arrived, details={"caller": CALLER, "called": "4008123123"}), *rest]


def tell(metrics: Metrics, facts: list[Fact]) -> None:
    for fact in facts:
        metrics.fact(fact)


def test_before_the_first_call_every_series_is_there_and_zero(metrics: Metrics) -> None:
    found = series(metrics)
    assert found.pop(f"callflow_build_info{{version={__version__}}}") == 1
    assert set(found.values()) == {0}
    rules = {
        f"callflow_rule_outcomes_total{{outcome={o},rule={r}}}" for r in CARRIED for o in ("kept", "broken")
    }
    assert rules <= found.keys()
    assert "callflow_calls_active{flow=hotline}" in found
    assert "callflow_calls_total{flow=hotline,outcome=silent_line}" in found
    assert "callflow_faults_total{kind=illegal_event}" in found


def test_a_silent_line_is_counted_as_kept(metrics: Metrics, hotline: Flow, house: House) -> None:
    facts = facts_of(hotline, house)
    tell(metrics, facts[:5])
    assert counted(metrics)["callflow_calls_active{flow=hotline}"] == 1
    tell(metrics, facts[5:])
    assert counted(metrics) == {
        "callflow_calls_total{flow=hotline,outcome=silent_line}": 1,
        # 0.2 s, and three times a prompt of 3 s and a pause of 5 s.
        "callflow_call_duration_seconds_count{flow=hotline}": 1,
        "callflow_call_duration_seconds_sum{flow=hotline}": pytest.approx(24.2),
        "callflow_answer_delay_seconds_count{flow=hotline}": 1,
        "callflow_prompt_start_lateness_seconds_count": 3,
        "callflow_rule_outcomes_total{outcome=kept,rule=csr-01}": 1,
        "callflow_rule_outcomes_total{outcome=kept,rule=csr-04}": 1,
        "callflow_line_checks_total{outcome=ended,rule=csr-04}": 1,
        "callflow_opinions_total{answer=nobody}": 1,
    }


def test_how_lines_are_and_what_came_of_it_is_counted(metrics: Metrics) -> None:
    told: list[tuple[str, str | None, dict[str, Detail]]] = [
        ("line.judged", None, {"state": "faint", "level": -48.0, "floor": -60.0}),
        ("line_check.stopped", "csr-06", {"why": "speech"}),
        ("line_check.ended", "csr-07", {"by": "late"}),
        ("opinion.given", "csr-07", {"alive": True}),
        ("opinion.late", "csr-07", {"times": 1}),
    ]
    for name, rule, details in told:
        metrics.fact(Fact(1.0, CALL_ID, "caller", name, rule, details))
    found = counted(metrics)
    assert {name: found[name] for name in found if "active" not in name} == {
        "callflow_line_states_total{state=faint}": 1,
        "callflow_line_level_dbfs_count": 1,
        "callflow_line_signal_to_noise_db_count": 1,
        "callflow_line_checks_total{outcome=speech,rule=csr-06}": 1,
        "callflow_line_checks_total{outcome=ended,rule=csr-07}": 1,
        "callflow_opinions_total{answer=alive}": 1,
        "callflow_opinions_total{answer=late}": 1,
    }
    exposed = metrics.expose().decode()
    for bucket in ('line_signal_to_noise_db_bucket{le="15.0"} 1.0', 'line_level_dbfs_bucket{le="-45.0"} 1.0'):
        assert bucket in exposed
    for bucket in ('line_signal_to_noise_db_bucket{le="10.0"} 0.0', 'line_level_dbfs_bucket{le="-50.0"} 0.0'):
        assert bucket in exposed


def test_a_trunk_from_which_nothing_is_heard_is_shown_until_something_is(metrics: Metrics) -> None:
    for name, shown in (("trunk.one_way", 1), ("trunk.heard_again", 0)):
        metrics.fact(Fact(1.0, "", "trunk provider", name, None, {"calls": 3}))
        assert series(metrics)["callflow_trunk_one_way{trunk=provider}"] == shown


def late(facts: list[Fact], name: str, prompt: str, seconds: float) -> list[Fact]:
    """The same call with all that follows this fact so much later."""
    at = next(i for i, fact in enumerate(facts) if fact.fact == name and fact.details.get("prompt") == prompt)
    return [*facts[:at], *(replace(fact, at=fact.at + seconds) for fact in facts[at:])]


def test_a_pause_that_is_too_long_breaks_its_rule_and_no_other(
    metrics: Metrics, hotline: Flow, house: House
) -> None:
    tell(metrics, late(facts_of(hotline, house), "prompt.started", "no_sound", 0.2))
    assert {name: value for name, value in counted(metrics).items() if "rule_" in name} == {
        "callflow_rule_outcomes_total{outcome=kept,rule=csr-01}": 1,
        "callflow_rule_outcomes_total{outcome=broken,rule=csr-04}": 1,
    }


def test_what_callers_leave_is_counted_also_when_they_are_gone(
    metrics: Metrics, hotline: Flow, house: House
) -> None:
    facts = facts_of(hotline, house, hangs_up(1.0))
    callback = Fact(0.5, CALL_ID, "caller", "ticket.opened", "csr-25", {"kind": "callback"})
    tell(metrics, [*facts[:-1], callback, facts[-1]])
    for name in ("ticket.opened", "ticket.failed", "ticket.failed"):
        metrics.fact(Fact(2.0, CALL_ID, "caller", name, None, {"kind": "message"}))
    assert {name: value for name, value in counted(metrics).items() if "tickets" in name} == {
        "callflow_tickets_total{kind=callback,outcome=opened}": 1,
        "callflow_tickets_total{kind=message,outcome=opened}": 1,
        "callflow_tickets_total{kind=message,outcome=failed}": 2,
    }
    # What comes after a call's end begins no other.
    assert metrics._ledgers == {}


def test_a_late_answer_breaks_csr_01(metrics: Metrics, hotline: Flow, house: House) -> None:
    arrived, *rest = facts_of(hotline, house, hangs_up(1.0))
    tell(metrics, [arrived, *(replace(fact, at=fact.at + 3.2) for fact in rest)])
    assert counted(metrics)["callflow_rule_outcomes_total{outcome=broken,rule=csr-01}"] == 1
    assert counted(metrics)["callflow_answer_delay_seconds_sum{flow=hotline}"] == pytest.approx(3.2)


def every_kind_of_call(flow: Flow, house: House) -> Iterator[list[Fact]]:
    help_wanted = presses("1", 1.0, mark="greeting")
    yield facts_of(flow, house)
    yield facts_of(flow, house, hangs_up(1.0))
    yield facts_of(flow, house, help_wanted)
    yield facts_of(flow, house, help_wanted, *speaks(1.0, mark="press_1_for_help"))
    yield facts_of(flow, house, *(presses("9", 5.0 * each) for each in range(1, 361)))
    for by, reason in (("caller", "cancelled"), ("callflow", "no_ack"), ("callflow", "service_stops")):
        *facts, ended = facts_of(flow, house)
        yield [*facts, replace(ended, rule=None, details={"by": by, "reason": reason})]


def test_no_call_brings_a_series_that_was_not_there(metrics: Metrics, hotline: Flow, house: House) -> None:
    before = series(metrics).keys()
    for facts in every_kind_of_call(hotline, house):
        tell(metrics, facts)
    assert series(metrics).keys() == before
    ended = {
        name: value for name, value in counted(metrics).items() if name.startswith("callflow_calls_total")
    }
    assert set(ended.values()) == {1}
    assert len(ended) == 8


def test_nothing_tells_who_called_or_which_call_it_was(metrics: Metrics, hotline: Flow, house: House) -> None:
    for facts in every_kind_of_call(hotline, house):
        tell(metrics, facts)
    text = metrics.expose().decode()
    assert not re.search(rf"{CALL_ID}|12345678|8123123", text)
    # Labels are words; digits are in them only where a rule, a version, a bucket, a SIP status or a feature
    # code is meant.
    labels = set(re.findall(r'(\w+)="([^"]*\d[^"]*)"', text))
    assert {name for name, _ in labels} == {"rule", "le", "version", "status", "code_class", "kind"}
    assert all(value.startswith("feature_code_") for name, value in labels if name == "kind")


@pytest.mark.parametrize(
    ("what", "kind", "name"),
    [
        ("request", "INVITE", "callflow_sip_requests_total{method=INVITE}"),
        ("response", "2xx", "callflow_sip_responses_total{code_class=2xx}"),
        ("rejected", "486", "callflow_sip_rejected_total{status=486}"),
        ("dropped", "not_sip", "callflow_sip_dropped_total{cause=not_sip}"),
        ("odd", "stray_ack", "callflow_sip_odd_total{kind=stray_ack}"),
        ("fault", "illegal_event", "callflow_faults_total{kind=illegal_event}"),
    ],
)
def test_what_the_signalling_counts_is_shown(metrics: Metrics, what: str, kind: str, name: str) -> None:
    metrics.sip.counted(Counted(what, kind))
    metrics.sip.counted(Counted(what, kind))
    assert counted(metrics) == {name: 2}


def test_the_plane_s_counts_are_read_when_somebody_looks(metrics: Metrics) -> None:
    counts = {"received": 0}
    metrics.media.watch(lambda: counts)
    counts |= {"received": 5, "sent": 7, "dropped_not_rtp": 2, "late_command": 1}
    assert counted(metrics) == {
        "callflow_rtp_packets_total{direction=received}": 5,
        "callflow_rtp_packets_total{direction=sent}": 7,
        "callflow_rtp_dropped_total{cause=not_rtp}": 2,
        "callflow_rtp_odd_total{kind=late_command}": 1,
    }


def test_a_tick_before_its_time_is_not_late(metrics: Metrics) -> None:
    metrics.media.tick_lateness(-0.004)
    metrics.media.tick_lateness(0.004)
    assert counted(metrics) == {
        "callflow_media_tick_lateness_seconds_count": 2,
        "callflow_media_tick_lateness_seconds_sum": pytest.approx(0.004),
    }


def test_transfers_by_what_came_of_them(metrics: Metrics) -> None:
    tale: list[tuple[float, str, dict[str, Detail]]] = [
        (0.0, "transfer.asked", {"target": "8002"}),
        (9.0, "transfer.declined", {"why": "declined"}),
        (20.0, "transfer.asked", {"target": "8003"}),
        (32.0, "transfer.accepted", {"target": "8003"}),
        (34.0, "transfer.completed", {"target": "8003"}),
        (50.0, "transfer.refused", {"why": "too_often"}),
    ]
    tell(metrics, [Fact(at, CALL_ID, "caller", name, "csr-24", details) for at, name, details in tale])
    assert counted(metrics) == {
        "callflow_transfers_total{outcome=declined}": 1,
        "callflow_transfers_total{outcome=completed}": 1,
        "callflow_transfers_total{outcome=too_often}": 1,
        "callflow_transfer_agreement_seconds_count": 1,
        "callflow_transfer_agreement_seconds_sum": 12,
    }
