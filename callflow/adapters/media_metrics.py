"""What the audio plane counts, as Prometheus sees it: packets, lateness, and how well legs were heard."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from callflow.facts import Detail

LATE: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5)
_LOSS: Final = (0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
_JITTER: Final = (0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5)
_ROUND_TRIP: Final = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)


class MediaMetrics:
    """The series of one plane."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

        def histogram(name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
            return Histogram(name, text, buckets=buckets, registry=registry)

        self.prompt_late = histogram(
            "callflow_prompt_start_lateness_seconds", "From wanting a prompt to its first packet.", LATE
        )
        self.tick_late = histogram("callflow_media_tick_lateness_seconds", "How late ticks begin.", LATE)
        self._loss = histogram("callflow_leg_loss_ratio", "Packets of a leg that did not come.", _LOSS)
        self._missed = Counter(
            "callflow_leg_missed_packets_total",
            "Packets of ours that phones missed, by their RTCP.",
            registry=registry,
        )
        self._jitter = histogram("callflow_leg_jitter_seconds", "Of a leg's packets, at its end.", _JITTER)
        self._round_trip = histogram(
            "callflow_leg_round_trip_seconds", "To the phone and back, by RTCP.", _ROUND_TRIP
        )

    def quality(self, details: Mapping[str, Detail]) -> None:
        """The fact `leg.quality` tells this."""
        packets, lost = float(details["packets"] or 0), float(details["lost"] or 0)
        if packets + lost:
            self._loss.observe(max(lost, 0.0) / (packets + lost))
            self._jitter.observe(float(details["jitter"] or 0) / 1000)
        self._missed.inc(max(float(details.get("missed") or 0), 0.0))
        if details.get("round_trip") is not None:
            self._round_trip.observe(float(details["round_trip"] or 0))

    def tick_lateness(self, seconds: float) -> None:
        self.tick_late.observe(max(seconds, 0.0))

    def watch(self, collect: Callable[[], Mapping[str, int]]) -> None:
        """Show the plane's own counts, read whenever somebody looks."""
        self._registry.register(_PlaneCounts(collect))


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
