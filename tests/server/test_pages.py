"""What can be asked about the server itself."""

import fieldguide
from answers_made import error_of
from server_made import RED, photo


def test_models_are_listed_with_their_cards(server, colours):
    with server.client() as client:
        (entry,) = client.get("/v1/models").json()["models"]
        assert entry["name"] == "colours" and entry["classes"] == 3 and entry["recipe"] == "linear-probe"
        card = client.get("/v1/models/colours").json()
        own = fieldguide.load(colours).card
        assert card["card"] == {**own, "data": {k: v for k, v in own["data"].items() if k != "contents"}}
        assert card["version"] == entry["version"]
        assert error_of(client.get("/v1/models/other")) == "not_found"


def test_health_and_metrics(server):
    server.predict(photo(RED), b"junk")
    with server.client() as client:
        assert client.get("/v1/health/live").json() == {"live": True}
        ready = client.get("/v1/health/ready").json()
        assert ready["ready"] is True and ready["models"][0]["name"] == "colours"
        page = client.get("/metrics").text
    assert 'fieldguide_images_total{model="colours",outcome="refused"}' in page
    assert "fieldguide_queue_limit_images 40.0" in page
    assert "process_open_fds" in page
    labels = [line for line in page.splitlines() if line.startswith("fieldguide_requests_total")]
    assert any('route="/v1/models/{name}:predict"' in line for line in labels)
