"""Models replaced while they answer: no request fails, and no bad file takes the place of a good one."""

import concurrent.futures
import threading
import time

import httpx
import numpy as np
import pytest

from fieldguide.errors import OptionError
from fieldguide.server import models, trial
from fieldguide.server.models import named
from fieldguide.server.trial import Trial
from server_made import RED, photo, running, until
from tiny_model import card, seal, tiny_model, tiny_proto, with_card

NAMES = [["red", "green", "blue"], ["rosso", "verde", "blu"], ["rouge", "vert", "bleu"]]


@pytest.fixture
def trusting(monkeypatch):
    """No trial in another process, which takes a second each: what it does has tests of its own."""
    monkeypatch.setattr(Trial, "__call__", lambda *_: None)


def replace(path, content):
    """As a careful writer does it."""
    fresh = path.with_suffix(".new")
    fresh.write_bytes(content)
    fresh.replace(path)


def answer_of(server):
    answer = server.predict(photo(RED))
    assert answer.status_code == 200, answer.text
    content = answer.json()
    return content["predictions"][0]["label"], content["model"]["version"]


def ready(server):
    return httpx.get(f"{server.url}/v1/health/ready").json()["models"][0]


def test_a_replaced_file_is_loaded(path):
    with running(path) as server:
        label, version = answer_of(server)
        assert label == "red"
        replace(path, tiny_model(classes=NAMES[1]))
        until(lambda: answer_of(server)[0] == "rosso", 20)
        assert ready(server)["version"] == answer_of(server)[1] != version
        page = httpx.get(f"{server.url}/metrics").text
        assert 'fieldguide_reloads_total{model="colours",outcome="loaded"} 1.0' in page
        assert page.count("fieldguide_model_info{") == 1


BAD = {
    "no model": lambda content: b"not a model",
    "empty": lambda content: b"",
    "cut": lambda content: content[: len(content) // 2],
    "flipped": lambda content: content[:500] + bytes([content[500] ^ 1]) + content[501:],
    "no numbers": lambda content: seal(
        with_card(tiny_proto(weights=np.full((3, 3), 3e38, np.float32)), card(classes=NAMES[1]))
    ),
}


@pytest.mark.parametrize("spoil", BAD.values(), ids=BAD)
def test_a_bad_file_leaves_the_old_model_and_says_so(path, spoil, trusting, caplog):
    with running(path) as server:
        before = answer_of(server)
        replace(path, spoil(tiny_model(classes=NAMES[1])))
        until(lambda: ready(server)["trouble"] is not None)
        assert answer_of(server) == before and ready(server)["ready"] is True
        assert str(path.parent) not in ready(server)["trouble"]
        assert 'fieldguide_model_stale{model="colours"} 1.0' in httpx.get(f"{server.url}/metrics").text
        assert any(record.getMessage() == "reload_refused" for record in caplog.records)
        replace(path, tiny_model(classes=NAMES[2]))
        until(lambda: answer_of(server)[0] == "rouge")
        assert ready(server)["trouble"] is None
        assert 'fieldguide_model_stale{model="colours"} 0.0' in httpx.get(f"{server.url}/metrics").text


def test_a_file_that_is_taken_away_leaves_the_old_model(path, trusting):
    with running(path) as server:
        path.unlink()
        until(lambda: ready(server)["trouble"] is not None)
        assert answer_of(server)[0] == "red"


def test_a_file_that_is_still_being_written_is_not_judged(path, trusting):
    with running(path, poll_seconds=0.2) as server:
        content = tiny_model(classes=NAMES[1])
        with path.open("wb") as file:
            for place in range(0, len(content), len(content) // 8 + 1):
                file.write(content[place : place + len(content) // 8 + 1])
                file.flush()
                time.sleep(0.1)
        until(lambda: answer_of(server)[0] == "rosso")
        page = httpx.get(f"{server.url}/metrics").text
        assert 'outcome="refused"' not in page


def reloaded_under_load(path, reloads, clients):
    """Versions seen and statuses, while files are replaced, every fifth by junk."""
    statuses, pairs, over = [], set(), threading.Event()

    def ask(server):
        with server.client() as client:
            while not over.is_set():
                answer = client.post("/v1/models/colours:predict", files=[("images", ("a", image))])
                statuses.append(answer.status_code)
                if answer.status_code == 200:
                    content = answer.json()
                    pairs.add((content["model"]["version"], content["predictions"][0]["label"]))

    image = photo(RED)
    with running(path, poll_seconds=0.01) as server, concurrent.futures.ThreadPoolExecutor(clients) as pool:
        asking = [pool.submit(ask, server) for _ in range(clients)]
        total = server.context.metrics.reloads
        for number in range(reloads):
            good = number % 5 != 4
            replace(path, tiny_model(classes=NAMES[number % 3], seed=number) if good else b"junk" * number)
            outcome = total.labels("colours", "loaded" if good else "refused")._value.get
            expected = number - number // 5 if good else number // 5
            until(lambda outcome=outcome, expected=expected: outcome() > expected, 20)
        over.set()
        for one in asking:
            one.result()
        threads = [thread.name for thread in threading.enumerate()].count("network")
    return statuses, pairs, threads


def test_no_request_fails_while_models_come_and_go(path, trusting):
    statuses, pairs, threads = reloaded_under_load(path, 20, 8)
    assert set(statuses) == {200} and len(statuses) > 50
    assert len(pairs) == len({version for version, _ in pairs}) >= 10, "each version has one set of names"
    assert threads <= 2, "the threads of old models have ended"


@pytest.mark.long
def test_no_request_fails_over_a_hundred_reloads(path, trusting):
    statuses, _, _ = reloaded_under_load(path, 100, 16)
    assert set(statuses) == {200}


def test_a_model_that_is_ended_too_early_would_fail_requests(path, trusting, monkeypatch):
    monkeypatch.setattr(models.Model, "used", lambda self: __import__("contextlib").nullcontext(self))
    with running(path, deadline=1.0) as server:
        model = server.context.registry.get("colours")
        decoders, gate = server.context.admission._decoders, threading.Event()
        before = decoders.prepare
        decoders.prepare = lambda source, **how: (gate.wait(5), before(source, **how))[1]
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(server.predict, photo(RED))
            until(lambda: server.context.admission.waiting == 1)
            replace(path, tiny_model(classes=NAMES[1]))
            until(lambda: server.context.registry.get("colours") is not model)
            until(lambda: not model.batcher.alive)
            gate.set()
            assert waiting.result().status_code == 503


def test_a_stop_does_not_wait_for_a_trial(path, monkeypatch):
    monkeypatch.setattr(trial, "attempt_code", lambda path: "import time; time.sleep(60)")
    with running(path) as server:
        replace(path, tiny_model(classes=NAMES[1]))
        registry = server.context.registry
        until(lambda: registry._trial._process is not None)
        begun = time.monotonic()
    assert time.monotonic() - begun < 9


def test_names_of_models():
    assert list(named(["a/b.onnx", "x=c d.onnx"])) == ["b", "x"]
    for wrong in (["a b.onnx"], ["a.onnx", "c/a.onnx"], ["ü.onnx"]):
        with pytest.raises(OptionError, match="NAME=PATH"):
            named(wrong)
