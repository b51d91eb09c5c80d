"""What the signalling counts, as Prometheus sees it: requests, refusals, oddities, trunks."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from callflow.adapters.metric_words import OTHER, SIGNALLING, faults
from callflow.sip.happenings import Counted, Noticed, RegistrationChanged, TrunkChanged

_TRUNK_STATES: Final = ("unknown", "up", "draining", "down")
_REGISTRATION_STATES: Final = ("trying", "registered", "failed", "stopping", "stopped")
_COUNTERS: Final = {
    "request": ("callflow_sip_requests_total", "Requests received.", "method"),
    "response": ("callflow_sip_responses_total", "Responses sent.", "code_class"),
    "rejected": ("callflow_sip_rejected_total", "Requests refused, by status.", "status"),
    "dropped": ("callflow_sip_dropped_total", "Messages that nobody was answered for.", "cause"),
    "odd": ("callflow_sip_odd_total", "What peers do and should not.", "kind"),
    "media": ("callflow_media_events_total", "What befell the audio of legs.", "kind"),
    "fault": ("callflow_faults_total", "Faults of our own.", "kind"),
}


class SipMetrics:
    """The series of one endpoint."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._counters = {
            what: Counter(name, text, [label], registry=registry)
            for what, (name, text, label) in _COUNTERS.items()
        }
        self._trunks = Gauge(
            "callflow_trunk_state", "1 for the state that it is in.", ["trunk", "state"], registry=registry
        )
        self._round_trip = Gauge(
            "callflow_trunk_round_trip_seconds", "OPTIONS to answer.", ["trunk"], registry=registry
        )
        self._registrations = Gauge(
            "callflow_registration_state", "1 for the state that it is in.", ["trunk", "state"],
            registry=registry,
        )  # fmt: skip
        self._series: dict[tuple[str, str], Counter] = {}
        """By what is counted and its kind: a message counts several times, and to look one up is dear."""
        self._faults = frozenset(faults())
        for kind in sorted(self._faults):
            self._of("fault", kind)
        for what, kinds in SIGNALLING.items():
            for kind in kinds:
                self._of(what, kind)

    def counted(self, counted: Counted) -> None:
        what, kind = counted.what, counted.kind
        foreseen = what != "fault" or kind in self._faults
        self._of(what, kind if foreseen else OTHER).inc()

    def _of(self, what: str, kind: str) -> Counter:
        series = self._series.get((what, kind))
        if series is None:
            series = self._series[what, kind] = self._counters[what].labels(kind)
        return series

    def noticed(self, noticed: Noticed) -> None:
        match noticed:
            case TrunkChanged(trunk=trunk, state=state, round_trip=round_trip):
                for one in _TRUNK_STATES:
                    self._trunks.labels(trunk, one).set(one == state)
                if round_trip is not None:
                    self._round_trip.labels(trunk).set(round_trip)
            case RegistrationChanged(trunk=trunk, state=state):
                for one in _REGISTRATION_STATES:
                    self._registrations.labels(trunk, one).set(one == state)

    def watch_connections(self, collect: Callable[[], Mapping[str, int]]) -> None:
        """Show TCP's own counts, read whenever somebody looks."""
        self._registry.register(_Connections(collect))


class _Connections(Collector):
    def __init__(self, collect: Callable[[], Mapping[str, int]]) -> None:
        self._collect = collect

    def collect(self) -> Iterator[CounterMetricFamily]:
        family = CounterMetricFamily(
            "callflow_sip_tcp", "Connections by how they began and ended, messages unsent.", labels=["kind"]
        )
        for kind, value in sorted(self._collect().items()):
            family.add_metric([kind], value)
        yield family
