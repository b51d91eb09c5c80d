"""The Prometheus metrics: made from facts, and from what the signalling and the plane count."""

from collections.abc import Callable
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from callflow import __version__
from callflow.adapters.line_metrics import LineMetrics
from callflow.adapters.media_metrics import MediaMetrics
from callflow.adapters.metric_words import ENDINGS, OTHER
from callflow.adapters.process_metrics import ProcessMetrics
from callflow.adapters.refusals import Refusals
from callflow.adapters.seat_metrics import SeatMetrics
from callflow.adapters.sip_metrics import SipMetrics
from callflow.adapters.wrong_passwords import WrongPasswords
from callflow.etiquette.audit import judge
from callflow.etiquette.house import CARRIED, House
from callflow.etiquette.modes import Modes
from callflow.etiquette.rulebook import Rulebook
from callflow.etiquette.verdict import Judgement, Verdict
from callflow.facts import Fact
from callflow.sinks import FactSink
from callflow.sip.happenings import Counted

_ANSWER: Final = (0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 8, 12, 20, 30)
_TICKETS: Final = {"ticket.opened": "opened", "ticket.failed": "failed"}
_DURATION: Final = (5, 15, 30, 60, 120, 180, 300, 600, 1200, 1800, 3600)


class Metrics(FactSink):
    """One controller's registry. Its methods are called as things happen and never raise for facts."""

    def __init__(
        self, flow: str, house: House, modes: Modes | None = None, rulebook: Rulebook | None = None
    ) -> None:
        """`modes`: which rules are in force for some queues and trunks; `rulebook`: what holds for all."""
        self.on_broken: Callable[[Fact], object] = lambda fact: None
        """Told of each rule that a call has broken, when the call is over."""
        # When a series began is nothing that anybody graphs.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        registry = self.registry = CollectorRegistry()
        self.sip = SipMetrics(registry)
        self.refusals = Refusals(registry)
        self.wrong_passwords = WrongPasswords(registry)
        self.media = MediaMetrics(registry)
        self.seats = SeatMetrics(registry)
        self.processes = ProcessMetrics(registry)
        self._lines = LineMetrics(registry)
        self._flow = flow
        self._house = house
        self._modes = modes or Modes()
        self._rulebook = rulebook
        self._ledgers: dict[str, list[Fact]] = {}
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
        self._rules = Counter(
            "callflow_rule_outcomes_total", "Rules by what became of them.", ["rule", "outcome"],
            registry=registry,
        )  # fmt: skip
        self._tickets = Counter(
            "callflow_tickets_total", "What callers left, by kind, and whether it was kept.",
            ["kind", "outcome"], registry=registry,
        )  # fmt: skip
        Gauge("callflow_build_info", "Version.", ["version"], registry=registry).labels(__version__).set(1)
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        # A rate over a series that was not there before its first event misses that event.
        for metric in (self._active, self._duration, self._answer):
            metric.labels(self._flow)
        for ending in (*ENDINGS, OTHER):
            self._calls.labels(self._flow, ending)
        for kind, outcome in (("callback", "opened"), ("message", "opened"), ("message", "failed")):
            self._tickets.labels(kind, outcome)
        for rule in CARRIED:
            for outcome in Judgement:
                self._rules.labels(rule, outcome)
                if self._modes.may_observe(self._house, rule):
                    self._rules.labels(rule, f"would_be_{outcome}")

    def expose(self) -> bytes:
        """The text that Prometheus scrapes."""
        return generate_latest(self.registry)

    def fact(self, fact: Fact) -> None:
        if fact.fact == "leg.quality":
            # It comes after the call's end: there is no ledger to add it to.
            self.media.quality(fact.details)
            return
        if fact.fact == "rule.broken":
            # Ours, and counted already.
            return
        if fact.fact in _TICKETS:
            # A message may be kept after the call's end.
            self._tickets.labels(fact.details["kind"], _TICKETS[fact.fact]).inc()
            if fact.call not in self._ledgers:
                return
        self.seats.fact(fact)
        self._lines.fact(fact)
        if not fact.call:
            # What a seat does, or a trunk, is no call's.
            return
        ledger = self._ledgers.setdefault(fact.call, [])
        ledger.append(fact)
        match fact.fact:
            case "call.arrived" | "call.dialled":
                self._active.labels(self._flow).inc()
            case "call.answered":
                self._answer.labels(self._flow).observe(fact.at - ledger[0].at)
            case "prompt.overdue":
                self.sip.counted(Counted("fault", "prompt_overdue"))
            case "prompt.started":
                self.media.prompt_late.observe(float(fact.details.get("waited") or 0.0))
            case "call.ended":
                self._ended(self._ledgers.pop(fact.call), fact)

    def _ended(self, ledger: list[Fact], ended: Fact) -> None:
        outcome = str(ended.details["reason"] or f"{ended.details['by']}_hung_up")
        self._calls.labels(self._flow, outcome if outcome in ENDINGS else OTHER).inc()
        self._active.labels(self._flow).dec()
        self._duration.labels(self._flow).observe(ended.at - ledger[0].at)
        house = self._modes.house_of(self._house, ledger)
        for verdict in judge(ledger, house, self._rulebook):
            self._rules.labels(verdict.rule, verdict.judgement).inc()
            if verdict.judgement is Judgement.BROKEN:
                self.on_broken(_broken(verdict, ended))
        if not house.observes_any:
            return
        for verdict in judge(ledger, house.as_if_enforced, self._rulebook):
            self._rules.labels(verdict.rule, f"would_be_{verdict.judgement}").inc()


def _broken(verdict: Verdict, ended: Fact) -> Fact:
    return Fact(ended.at, ended.call, ended.leg, "rule.broken", verdict.rule, {"why": verdict.why})
