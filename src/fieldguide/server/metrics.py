"""What Prometheus is told. Labels hold only names that the server chose, so that no client can add series."""

from collections.abc import Callable

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


class Metrics:
    """The counters of one server, in a registry of its own so that several can live in one process."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self.requests = Counter(
            "fieldguide_requests", "Requests answered", ("route", "status", "code"), registry=registry
        )
        self.seconds = Histogram(
            "fieldguide_request_seconds",
            "First byte to answer",
            ("route",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.images = Counter(
            "fieldguide_images", "Images, by model and outcome", ("model", "outcome"), registry=registry
        )
        self.batches = Histogram(
            "fieldguide_batch_images",
            "Images that went through the network together",
            ("model",),
            buckets=(1, 2, 3, 4, 6, 8, 16, 32),
            registry=registry,
        )
        self.network = Histogram(
            "fieldguide_network_seconds",
            "Seconds in the network, a batch",
            ("model",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.model = Gauge("fieldguide_model_info", "Models served", ("model", "version"), registry=registry)
        self.reloads = Counter(
            "fieldguide_reloads", "Replaced model files, by outcome", ("model", "outcome"), registry=registry
        )
        self.trouble = Gauge(
            "fieldguide_model_stale",
            "1 where the model's file cannot be used and an older one answers",
            ("model",),
            registry=registry,
        )
        self.closed = Counter(
            "fieldguide_connections_closed",
            "Connections that the server cut, by reason",
            ("reason",),
            registry=registry,
        )

    def watch(self, name: str, help_text: str, value: Callable[[], float]) -> None:
        """Add a gauge that is read when it is asked for."""
        Gauge(f"fieldguide_{name}", help_text, registry=self._registry).set_function(value)

    def page(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self._registry)
