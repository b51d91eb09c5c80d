"""How callers' lines are, and what came of checking them, as Prometheus sees it: made from facts alone."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from callflow.adapters.metric_words import CHECKS
from callflow.etiquette.seats_check import SeatsCheck
from callflow.events import LineState
from callflow.facts import Fact

_LEVELS: Final = (-60, -55, -50, -45, -40, -35, -30, -25, -20, -15, -10)
_RATIOS: Final = (-5, 0, 5, 10, 15, 20, 25, 30, 40, 50)
_PERSONS: Final = (LineState.SPEECH, LineState.FAINT)
_ENDED: Final = "ended"


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
        self._levels = Histogram(
            "callflow_line_level_dbfs", "How loud callers were found to speak.", buckets=_LEVELS,
            registry=registry,
        )  # fmt: skip
        self._ratios = Histogram(
            "callflow_line_signal_to_noise_db", "By how much that was above their lines' noise.",
            buckets=_RATIOS, registry=registry,
        )  # fmt: skip
        self._opinions = Counter(
            "callflow_opinions_total", "Second opinions before a release.", ["answer"], registry=registry
        )
        self._one_way = Gauge(
            "callflow_trunk_one_way", "Whether nothing is heard from a trunk.", ["trunk"], registry=registry
        )
        for rule in SeatsCheck.rules:
            for outcome in CHECKS:
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
                self._judged(fact)
            case "opinion.given":
                self._opinions.labels("alive" if fact.details["alive"] else "nobody").inc()
            case "opinion.late":
                self._opinions.labels("late").inc()
            case "trunk.one_way" | "trunk.heard_again":
                lost = fact.fact == "trunk.one_way"
                self._one_way.labels(fact.leg.removeprefix("trunk ")).set(int(lost))

    def _judged(self, fact: Fact) -> None:
        state, level, floor = (fact.details.get(name) for name in ("state", "level", "floor"))
        self._states.labels(state).inc()
        if state in _PERSONS and level is not None:
            self._levels.observe(float(level))
            if floor is not None:
                self._ratios.observe(float(level) - float(floor))
