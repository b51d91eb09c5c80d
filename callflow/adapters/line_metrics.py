"""How callers' lines are, and what came of checking them, as Prometheus sees it: made from facts alone."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from callflow.etiquette.seats_check import SeatsCheck
from callflow.events import LineState
from callflow.facts import Fact

_ENDED: Final = "ended"
_OUTCOMES: Final = (_ENDED, "sound", "speech", "key", "opinion", "seat")
"""How checks mostly end: by the release, by a sign of life, by the seat."""


class LineMetrics:
    """The series of all lines."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._checks = Counter(
            "callflow_line_checks_total",
            "Checks of a caller's line that had begun, by what ended them.",
            ["rule", "outcome"],
            registry=registry,
        )
        self._states = Counter(
            "callflow_line_states_total", "What callers' lines were found to be.", ["state"],
            registry=registry,
        )  # fmt: skip
        self._opinions = Counter(
            "callflow_opinions_total", "Second opinions before a release.", ["answer"], registry=registry
        )
        self._one_way = Gauge(
            "callflow_trunk_one_way", "Whether nothing is heard from a trunk.", ["trunk"], registry=registry
        )
        for rule in SeatsCheck.rules:
            for outcome in _OUTCOMES:
                self._checks.labels(rule, outcome)
        for state in LineState:
            self._states.labels(state)
        for answer in ("alive", "nobody", "late"):
            self._opinions.labels(answer)

    def fact(self, fact: Fact) -> None:
        match fact.fact:
            case "line_check.stopped":
                self._checks.labels(fact.rule, fact.details["why"]).inc()
            case "line_check.ended":
                self._checks.labels(fact.rule, _ENDED).inc()
            case "line.judged":
                self._states.labels(fact.details["state"]).inc()
            case "opinion.given":
                self._opinions.labels("alive" if fact.details["alive"] else "nobody").inc()
            case "opinion.late":
                self._opinions.labels("late").inc()
            case "trunk.one_way" | "trunk.heard_again":
                lost = fact.fact == "trunk.one_way"
                self._one_way.labels(fact.leg.removeprefix("trunk ")).set(int(lost))
