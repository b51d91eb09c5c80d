"""The Prometheus metrics: made from facts, and from what the signalling and the plane count."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from callflow import __version__
from callflow.etiquette.audit import Judgement, judge
from callflow.etiquette.house import CARRIED, House
from callflow.facts import Fact
from callflow.sip.happenings import Counted

_ANSWER: Final = (0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 8, 12, 20, 30)
_LATE: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5)
_ENDINGS: Final = (
    "caller_hung_up", "cancelled", "no_ack", "silent_line",
    "said_goodbye", "caller_stayed", "call_limit", "service_stops",
)  # fmt: skip
"""Every way in which a call can end."""
_DURATION: Final = (5, 15, 30, 60, 120, 180, 300, 600, 1200, 1800, 3600)


class Metrics:
    """One controller's registry. Its methods are called as things happen and never raise for facts."""

    def __init__(self, flow: str, house: House) -> None:
        # When a series began is nothing that anybody graphs.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._flow = flow
        self._house = house
        self._ledgers: dict[str, list[Fact]] = {}
        registry = self.registry
        self._calls = Counter(
            "callflow_calls_total", "Calls that are over.", ["flow", "outcome"], registry=registry
        )
        self._active = Gauge("callflow_calls_active", "Calls that are not over.", ["flow"], registry=registry)
        self._duration = Histogram(
            "callflow_call_duration_seconds",
            "Arrival to end.",
            ["flow"],
            buckets=_DURATION,
            registry=registry,
        )
        self._answer = Histogram(
            "callflow_answer_delay_seconds",
            "Arrival to answer.",
            ["flow"],
            buckets=_ANSWER,
            registry=registry,
        )
        self._prompt_late = Histogram(
            "callflow_prompt_start_lateness_seconds",
            "From wanting a prompt to its first packet.",
            buckets=_LATE,
            registry=registry,
        )
        self._tick_late = Histogram(
            "callflow_media_tick_lateness_seconds", "How late ticks begin.", buckets=_LATE, registry=registry
        )
        self._rules = Counter(
            "callflow_rule_outcomes_total",
            "Rules by what became of them.",
            ["rule", "outcome"],
            registry=registry,
        )
        self._sip_requests = Counter(
            "callflow_sip_requests_total", "Requests received.", ["method"], registry=registry
        )
        self._sip_responses = Counter(
            "callflow_sip_responses_total", "Responses sent.", ["code_class"], registry=registry
        )
        self._sip_rejected = Counter(
            "callflow_sip_rejected_total", "Requests refused, by status.", ["status"], registry=registry
        )
        self._sip_dropped = Counter(
            "callflow_sip_dropped_total",
            "Datagrams that nobody was answered for.",
            ["cause"],
            registry=registry,
        )
        self._sip_odd = Counter(
            "callflow_sip_odd_total", "What peers do and should not.", ["kind"], registry=registry
        )
        self._media = Counter(
            "callflow_media_events_total", "What befell the audio of legs.", ["kind"], registry=registry
        )
        self._faults = Counter("callflow_faults_total", "Faults of our own.", ["kind"], registry=registry)
        Gauge("callflow_build_info", "Version.", ["version"], registry=registry).labels(__version__).set(1)
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        # A rate over a series that was not there before its first event misses that event.
        for metric in (self._active, self._duration, self._answer):
            metric.labels(self._flow)
        for ending in _ENDINGS:
            self._calls.labels(self._flow, ending)
        self._faults.labels("illegal_event")
        for rule in CARRIED:
            for outcome in Judgement:
                self._rules.labels(rule, outcome)

    def watch(self, collect: Callable[[], Mapping[str, int]]) -> None:
        """Show the plane's own counts, read whenever somebody looks."""
        self.registry.register(_PlaneCounts(collect))

    def expose(self) -> bytes:
        """The text that Prometheus scrapes."""
        return generate_latest(self.registry)

    def fact(self, fact: Fact) -> None:
        ledger = self._ledgers.setdefault(fact.call, [])
        ledger.append(fact)
        match fact.fact:
            case "call.arrived":
                self._active.labels(self._flow).inc()
            case "call.answered":
                self._answer.labels(self._flow).observe(fact.at - ledger[0].at)
            case "prompt.started":
                self._prompt_late.observe(float(fact.details.get("waited") or 0.0))
            case "call.ended":
                self._ended(self._ledgers.pop(fact.call), fact)

    def counted(self, counted: Counted) -> None:
        match counted.what:
            case "request":
                self._sip_requests.labels(counted.kind).inc()
            case "response":
                self._sip_responses.labels(counted.kind).inc()
            case "rejected":
                self._sip_rejected.labels(counted.kind).inc()
            case "dropped":
                self._sip_dropped.labels(counted.kind).inc()
            case "odd":
                self._sip_odd.labels(counted.kind).inc()
            case "media":
                self._media.labels(counted.kind).inc()
            case "fault":
                self._faults.labels(counted.kind).inc()

    def tick_lateness(self, seconds: float) -> None:
        self._tick_late.observe(max(seconds, 0.0))

    def _ended(self, ledger: list[Fact], ended: Fact) -> None:
        outcome = str(ended.details["reason"] or f"{ended.details['by']}_hung_up")
        self._calls.labels(self._flow, outcome).inc()
        self._active.labels(self._flow).dec()
        self._duration.labels(self._flow).observe(ended.at - ledger[0].at)
        for verdict in judge(ledger, self._house):
            self._rules.labels(verdict.rule, verdict.judgement).inc()


class _PlaneCounts(Collector):
    """RTP packets by what became of them, straight from the plane."""

    def __init__(self, collect: Callable[[], Mapping[str, int]]) -> None:
        self._collect = collect

    def collect(self) -> Iterator[CounterMetricFamily]:
        counts = self._collect()
        packets = CounterMetricFamily("callflow_rtp_packets", "Packets by direction.", labels=["direction"])
        dropped = CounterMetricFamily("callflow_rtp_dropped", "Packets dropped.", labels=["cause"])
        other = CounterMetricFamily("callflow_rtp_odd", "What should not happen.", labels=["kind"])
        for name, value in sorted(counts.items()):
            if name in ("received", "sent"):
                packets.add_metric([name], value)
            elif name.startswith("dropped_"):
                dropped.add_metric([name.removeprefix("dropped_")], value)
            else:
                other.add_metric([name], value)
        yield from (packets, dropped, other)
