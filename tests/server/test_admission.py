"""Overload, deadlines, clients that leave, bombs: the accepted are answered soon, nothing is left of it."""

import asyncio
import concurrent.futures
import gc
import os
import resource
import socket
import struct
import threading
import time
from types import SimpleNamespace
from unittest.mock import Mock

import httpx
import pytest

from fieldguide.server import admission as admission_module
from fieldguide.server.admission import LARGE_BODY, Admission
from fieldguide.server.problems import Problem
from fieldguide.server.settings import Settings
from server_made import RED, noisy, photo, running, until


@pytest.fixture
def small():
    """Room for two images and ten bytes, three threads."""
    admission = Admission(Settings(queue=2, images=2, buffered_bytes=10, threads=3))
    yield admission
    admission.close()


def test_the_last_seat_is_given_and_no_other(small):
    with small.seats(2):
        assert small.waiting == 2
        with pytest.raises(Problem, match="2 images are being worked on"):
            small.check_room()
        with pytest.raises(Problem, match="2 images are being worked on"), small.seats(1):
            pass
    assert small.waiting == 0
    small.check_room()
    with small.seats(1):
        small.check_room()
        with pytest.raises(Problem, match="only 1 of the 2 images"), small.seats(2):
            pass


def test_memory_is_filled_to_the_last_byte_and_given_back(small):
    small.hold(4)
    small.hold(6)
    with pytest.raises(Problem, match="fill the memory"):
        small.hold(1)
    assert small.held == 10
    small.release(6)
    small.hold(5)
    with pytest.raises(Problem, match="fill the memory"):
        small.hold(2)
    assert small.held == 9


def test_as_many_threads_decode_as_were_asked_for(small):
    assert small._pool._max_workers == 3


def test_small_bodies_are_taken_apart_at_once_and_large_ones_in_a_thread(small):
    async def threads():
        return [await small.parsed(threading.current_thread, size) for size in (LARGE_BODY, LARGE_BODY + 1)]

    here, elsewhere = asyncio.run(threads())
    assert here is threading.current_thread()
    assert elsewhere.name.startswith("decode")


def test_closing_neither_waits_for_what_is_being_decoded_nor_begins_anything_more(small):
    gate, found = threading.Event(), []
    for _ in range(3):  # a thread each
        small._pool.submit(lambda: found.append(gate.wait(30)))
    small._pool.submit(found.append, "begun after the end")
    small.close()
    gate.set()
    for thread in small._pool._threads:
        thread.join()
    assert found == [True] * 3


def test_of_images_that_fail_together_asyncio_has_nothing_to_complain_of(small, monkeypatch):
    tickets, complaints = [], []

    def failing(ticket, prepare, batcher):
        tickets.append(ticket)
        if len(tickets) == 2:
            ticket.future.get_loop().call_soon_threadsafe(fail)

    def fail():
        for ticket in tickets:
            ticket.future.set_exception(ValueError("broken"))

    async def answered():
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        model = SimpleNamespace(batcher=Mock(), predictor=Mock())
        with pytest.raises(ValueError, match="broken"):
            await small.answer(model, [b"a", b"b"])
        assert [ticket.source for ticket in tickets] == [None, None]
        tickets.clear()
        gc.collect()

    monkeypatch.setattr(admission_module, "decode", failing)
    asyncio.run(answered())
    assert complaints == []


def test_an_image_that_nobody_waits_for_any_more_is_given_up(small, monkeypatch):
    tickets = []
    monkeypatch.setattr(admission_module, "decode", lambda ticket, prepare, batcher: tickets.append(ticket))

    async def left():
        model = SimpleNamespace(batcher=Mock(), predictor=Mock())
        task = asyncio.create_task(small.answer(model, [b"a", b"b"]))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert model.batcher.expect.call_count == 2

    asyncio.run(left())
    small._pool.shutdown()
    assert [(ticket.source, ticket.future.cancelled()) for ticket in tickets] == [(None, True)] * 2


def slowed(server, seconds, look=lambda: None):
    """Make the network slow, as a large one is, and look around before each batch."""
    batcher = server.context.registry.get("colours").batcher
    before = batcher._run
    batcher._run = lambda *given: (look(), time.sleep(seconds), before(*given))[2]


def flood(server, clients, seconds):
    """Statuses of requests from so many clients, and when they are told to come back."""
    found, ready = [], threading.Barrier(clients)

    def client():
        with server.client() as http:
            http.timeout = 120
            ready.wait(60)  # a busy machine takes a while to make so many clients
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                answer = http.post("/v1/models/colours:predict", files=[("images", ("a", image))])
                found.append((answer.status_code, answer.headers.get("retry-after")))
                if answer.status_code == 503:
                    time.sleep(0.05)

    image = photo(RED)
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        for done in [pool.submit(client) for _ in range(clients)]:
            done.result()
    return found


def test_overload_is_answered_with_503_and_the_accepted_are_served_soon(colours):
    with running(
        colours, queue=8, images=8, deadline=120.0, write_seconds=120.0, read_seconds=120.0
    ) as server:
        admission, waiting = server.context.admission, []
        slowed(server, 0.05, lambda: waiting.append(admission.waiting))
        found = flood(server, 40, 2.0)
        statuses = {status for status, _ in found}
        assert statuses == {200, 503}
        assert all(retry == "1" for status, retry in found if status == 503)
        # Whoever is accepted waits for seven others at most, however many ask; how long that is on a busy
        # machine is no promise.
        assert 2 <= max(waiting) <= 8
        assert server.context.admission.waiting == 0
        assert server.predict(photo(RED)).status_code == 200


def test_without_a_bound_nobody_is_told_to_come_back(colours):
    with running(colours, queue=1000) as server:
        slowed(server, 0.05)
        assert {status for status, _ in flood(server, 20, 1.0)} == {200}


def test_more_images_than_may_wait_are_refused_whole(colours):
    with running(colours, queue=8, images=8) as server:
        slowed(server, 0.5)
        first = threading.Thread(target=server.predict, args=[photo(RED)] * 6)
        first.start()
        until(lambda: server.context.admission.waiting == 6)
        answer = server.predict(*[photo(RED)] * 4)
        assert answer.status_code == 503 and answer.json()["error"]["code"] == "overloaded"
        assert server.predict(photo(RED)).status_code == 200
        first.join()


def test_a_deadline_that_passes_is_503_and_frees_the_seat(colours):
    with running(colours) as server:
        batcher, gate = server.context.registry.get("colours").batcher, threading.Event()
        before = batcher._run
        batcher._run = lambda *given: (gate.wait(9), before(*given))[1]
        begun = time.monotonic()
        answer = server.predict(photo(RED), headers={"X-Deadline-Ms": "200"})
        assert answer.status_code == 503 and answer.json()["error"]["code"] == "deadline"
        assert "retry-after" in answer.headers and time.monotonic() - begun < 5
        assert server.context.admission.waiting == 0
        gate.set()
        assert server.predict(photo(RED), headers={"X-Deadline-Ms": "0"}).status_code == 400
        assert server.predict(photo(RED)).status_code == 200


def test_a_client_that_leaves_frees_what_it_held(colours):
    with running(colours) as server:
        slowed(server, 0.2)
        files = httpx.Request(
            "POST", f"{server.url}/v1/models/colours:predict", files=[("images", ("a", noisy()))] * 8
        )
        content = files.read()
        head = (
            "POST /v1/models/colours:predict HTTP/1.1\r\nHost: localhost\r\n"
            f"Content-Length: {len(content)}\r\nContent-Type: {files.headers['content-type']}\r\n\r\n"
        ).encode()
        for _ in range(10):
            connection = server.connect()
            connection.sendall(head + content)
            time.sleep(0.05)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()  # with a reset
        until(lambda: server.context.admission.waiting == 0 and server.context.admission.held == 0, 15)
        assert server.predict(photo(RED)).status_code == 200
        assert 'code="client_gone"' in httpx.get(f"{server.url}/metrics").text


def test_nothing_is_left_of_many_requests(colours):
    with running(colours) as server:
        descriptors = f"/proc/{os.getpid()}/fd"
        image = photo(RED)

        def some(count):
            with server.client() as client:
                for number in range(count):
                    hostile = number % 20 == 0
                    content = b"{" if hostile else None
                    files = None if hostile else [("images", ("a", image))]
                    client.post("/v1/models/colours:predict", content=content, files=files)

        some(60)
        gc.collect()
        before = len(os.listdir(descriptors)), threading.active_count()  # noqa: PTH208
        some(160)
        until(lambda: len(server.server.server_state.connections) == 0, 8)
        after = len(os.listdir(descriptors)), threading.active_count()  # noqa: PTH208
        assert after[0] <= before[0] + 1 and after[1] <= before[1]


def bomb():
    """A PNG of 60,000 x 60,000 pixels in a few hundred bytes."""
    import zlib

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_sixteen_bombs_at_once_cost_nothing(server):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: server.predict(bomb()), range(16)))
    # Kilobytes, of this very process; one of them decoded would be ten million.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000
    assert {row["error"]["code"] for answer in answers for row in answer.json()["predictions"]} == {
        "too_many_pixels"
    }
