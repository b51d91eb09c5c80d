"""What seats do and how callers wait, as Prometheus sees it: made from facts alone."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from callflow.adapters.metric_words import CONSENTS, OTHER, TRANSFERS
from callflow.call.seats import SeatState
from callflow.facts import Fact

_SECONDS: Final = (5, 10, 20, 30, 60, 120, 180, 300, 600)
_LATE: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_PROMISED: Final = 20.0
"""Seconds within which a call counts as answered in time for the service level."""


class SeatMetrics:
    """The series of one house's people."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._states = Gauge("callflow_seats", "Seats by what they do.", ["state"], registry=registry)
        self._waiting = Gauge("callflow_queue_waiting", "Callers who wait for a seat.", registry=registry)
        self._waits = Histogram(
            "callflow_queue_wait_seconds", "From the queue to the seat.", buckets=_SECONDS, registry=registry
        )
        self._in_time = Counter(
            "callflow_service_level_total",
            "Calls for a seat, by whether one picked up within 20 s.",
            ["in_time"],
            registry=registry,
        )
        self._holds = Histogram(
            "callflow_hold_seconds", "From the thanks to the return.", buckets=_SECONDS, registry=registry
        )
        self._late = Histogram(
            "callflow_hold_reminder_lateness_seconds",
            "How late a waiting caller's word began.",
            buckets=_LATE,
            registry=registry,
        )
        self._consents = Counter(
            "callflow_consents_total", "Questions to callers, by answer and way.", ["answer", "how"],
            registry=registry,
        )  # fmt: skip
        self._transfers = Counter(
            "callflow_transfers_total", "Transfers that were asked for, by what came of them.", ["outcome"],
            registry=registry,
        )  # fmt: skip
        self._agreed = Histogram(
            "callflow_transfer_agreement_seconds",
            "From the seat's wish to the target's word.",
            buckets=_SECONDS,
            registry=registry,
        )
        self._asked: dict[str, float] = {}
        """When a transfer was asked for."""
        self._seat: dict[str, str] = {}
        self._queued: set[str] = set()
        self._held: dict[str, float] = {}
        for state in SeatState:
            self._states.labels(state)
        for answer, how in CONSENTS:
            self._consents.labels(answer, how)
        for outcome in (*TRANSFERS, OTHER):
            self._transfers.labels(outcome)
        for in_time in ("yes", "no"):
            self._in_time.labels(in_time)

    def fact(self, fact: Fact) -> None:
        match fact.fact:
            case "seat.state":
                self._turned(fact)
            case "queue.entered":
                self._queued.add(fact.call)
            case "seat.answered":
                self._served(fact)
            case "queue.left" | "call.ended":
                self._left(fact)
            case "hold.started":
                self._held[fact.call] = fact.at
            case "hold.resumed" | "hold.ended":
                self._resumed(fact)
            case name if name.startswith("transfer."):
                self._transferred(name.removeprefix("transfer."), fact)
            case name if name.startswith("consent."):
                how = str(fact.details.get("how") or "none")
                self._consents.labels(name.removeprefix("consent."), how).inc()
        if fact.fact == "prompt.started" and fact.call in self._held:
            self._late.observe(max(float(fact.details.get("waited") or 0.0), 0.0))
        self._waiting.set(len(self._queued))

    def _transferred(self, what: str, fact: Fact) -> None:
        match what:
            case "asked":
                self._asked[fact.call] = fact.at
            case "accepted":
                self._agreed.observe(fact.at - self._asked.get(fact.call, fact.at))
            case "completed":
                self._transfers.labels("completed").inc()
                self._asked.pop(fact.call, None)
            case "failed" | "declined" | "refused":
                why = str(fact.details["why"])
                self._transfers.labels(why if why in TRANSFERS else OTHER).inc()
                self._asked.pop(fact.call, None)

    def _turned(self, fact: Fact) -> None:
        before = self._seat.get(fact.leg)
        if before is not None:
            self._states.labels(before).dec()
        now = self._seat[fact.leg] = str(fact.details["state"])
        self._states.labels(now).inc()

    def _served(self, fact: Fact) -> None:
        self._queued.discard(fact.call)
        waited = float(fact.details.get("waited") or 0.0)
        self._waits.observe(waited)
        self._in_time.labels("yes" if waited <= _PROMISED else "no").inc()

    def _left(self, fact: Fact) -> None:
        if fact.call in self._queued:
            self._queued.discard(fact.call)
            self._in_time.labels("no").inc()
        self._resumed(fact)

    def _resumed(self, fact: Fact) -> None:
        since = self._held.pop(fact.call, None)
        if since is not None:
            self._holds.observe(fact.at - since)
