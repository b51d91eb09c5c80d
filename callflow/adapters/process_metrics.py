"""How the service itself fares, as Prometheus sees it: its log, its journal, its processes."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector


class ProcessMetrics:
    """The series of one controller; each is read whenever somebody looks."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._cut_off = Counter(
            "callflow_calls_cut_off_total",
            "Calls of an earlier life of the program that were ended at the start.",
            registry=registry,
        )

    def cut_off(self) -> None:
        """A call of an earlier life has been ended."""
        self._cut_off.inc()

    def watch_log(self, dropped: Callable[[], int]) -> None:
        """How many lines of the log were lost, as nobody read it or its disk was full."""
        text = "Lines of the log that were lost: nobody read it, or its disk was full."
        self._registry.register(_Count("callflow_log_dropped", text, dropped))

    def watch_journal(self, lost: Callable[[], int]) -> None:
        """How many changes the journal's disk was too slow for, or refused."""
        text = "Changes that are not in the journal: its disk was too slow, full or broken."
        self._registry.register(_Count("callflow_journal_lost", text, lost))

    def watch_media(self, is_up: Callable[[], bool], is_detector_up: Callable[[], bool]) -> None:
        """Whether the audio's process works, and the voice detector's."""
        text = "1 while the process works that has the calls' audio; without it no call is taken."
        self._registry.register(_Flag("callflow_media_up", text, is_up))
        text = "1 while the voice detector works; without it the strictest reckoning decides."
        self._registry.register(_Flag("callflow_voice_detector_up", text, is_detector_up))


class _Count(Collector):
    def __init__(self, name: str, text: str, value: Callable[[], int]) -> None:
        self._name, self._text, self._value = name, text, value

    def collect(self) -> Iterator[CounterMetricFamily]:
        yield CounterMetricFamily(self._name, self._text, value=self._value())


class _Flag(Collector):
    def __init__(self, name: str, text: str, value: Callable[[], bool]) -> None:
        self._name, self._text, self._value = name, text, value

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield GaugeMetricFamily(self._name, self._text, value=float(self._value()))
