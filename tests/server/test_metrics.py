"""What Prometheus is told."""

import httpx

from fieldguide.server.metrics import Metrics


def test_clients_cannot_make_up_series_of_metrics(server):
    for number in range(30):
        httpx.get(f"{server.url}/v1/models/made-up-{number}")
        httpx.get(f"{server.url}/made-up-{number}")
    assert "made-up" not in httpx.get(f"{server.url}/metrics").text


def test_each_server_counts_for_itself():
    first, second = Metrics(), Metrics()
    first.images.labels("m", "known").inc(3)
    assert b'fieldguide_images_total{model="m",outcome="known"} 3.0' in first.page()
    assert b'model="m"' not in second.page()


def test_a_watched_value_is_read_when_it_is_asked_for():
    metrics, waiting = Metrics(), [1]
    metrics.watch("queue_images", "Waiting", lambda: waiting[0])
    waiting[0] = 7
    assert b"fieldguide_queue_images 7.0" in metrics.page()
