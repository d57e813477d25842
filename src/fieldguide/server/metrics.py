"""What Prometheus is told. Labels hold only names that the server chose, so that no client can add series."""

from collections.abc import Callable, Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

_SECONDS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0)
_IMAGES = (1, 2, 3, 4, 6, 8, 16, 32)


class Metrics:
    """The counters of one server, in a registry of its own so that several can live in one process."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self.requests: Counter = self._counter("requests", "Requests answered", "route", "status", "code")
        self.seconds: Histogram = self._histogram(
            "request_seconds", "From a request's headers to its answer", _SECONDS, "route"
        )
        self.images: Counter = self._counter("images", "Images, by model and outcome", "model", "outcome")
        self.batches: Histogram = self._histogram(
            "batch_images", "Images in the network together", _IMAGES, "model"
        )
        self.network: Histogram = self._histogram(
            "network_seconds", "In the network, a batch", _SECONDS, "model"
        )
        self.model: Gauge = self._gauge("model_info", "Models served", "model", "version")
        self.reloads: Counter = self._counter(
            "reloads", "Replaced model files, by outcome", "model", "outcome"
        )
        self.trouble: Gauge = self._gauge(
            "model_stale", "1 where the file cannot be used and an older answers", "model"
        )
        self.decoders: Counter = self._counter(
            "decoders_ended", "Processes that crashed or hung while decoding", "how"
        )
        self.closed: Counter = self._counter(
            "connections_closed", "Connections that the server cut", "reason"
        )

    def watch(self, name: str, help_text: str, value: Callable[[], float]) -> None:
        """Add a gauge that is read when it is asked for."""
        Gauge(f"fieldguide_{name}", help_text, registry=self._registry).set_function(value)

    def page(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self._registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"fieldguide_{name}", text, labels, registry=self._registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"fieldguide_{name}", text, labels, registry=self._registry)

    def _histogram(self, name: str, text: str, buckets: Sequence[float], *labels: str) -> Histogram:
        return Histogram(f"fieldguide_{name}", text, labels, registry=self._registry, buckets=buckets)
