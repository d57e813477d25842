"""Overload, deadlines, clients that leave, bombs: the accepted are answered soon, nothing is left of it."""

import concurrent.futures
import gc
import os
import resource
import socket
import struct
import threading
import time

import httpx

from server_made import RED, noisy, photo, running, until


def slowed(server, seconds):
    """Make the network slow, as a large one is."""
    batcher = server.context.shelf.get("colours").batcher
    before = batcher._run
    batcher._run = lambda *given: (time.sleep(seconds), before(*given))[1]


def flood(server, clients, seconds):
    """Statuses and times of requests from so many clients."""
    found, end = [], time.monotonic() + seconds

    def client():
        with server.client() as http:
            while time.monotonic() < end:
                begun = time.monotonic()
                answer = http.post("/v1/models/colours:predict", files=[("images", ("a", image))])
                found.append(
                    (answer.status_code, time.monotonic() - begun, answer.headers.get("retry-after"))
                )
                if answer.status_code == 503:
                    time.sleep(0.05)

    image = photo(RED)
    with concurrent.futures.ThreadPoolExecutor(clients) as pool:
        for done in [pool.submit(client) for _ in range(clients)]:
            done.result()
    return found


def test_overload_is_answered_with_503_and_the_accepted_are_served_soon(colours):
    with running(colours, queue=8, images=8) as server:
        slowed(server, 0.05)
        found = flood(server, 40, 2.0)
        statuses = {status for status, _, _ in found}
        assert statuses == {200, 503}
        assert all(retry == "1" for status, _, retry in found if status == 503)
        # Eight images in batches of two are four rounds of 0.05 s; the rest is the test's own 40 threads.
        accepted = sorted(seconds for status, seconds, _ in found if status == 200)
        assert accepted[len(accepted) // 2] < 1.0
        assert server.context.desk.waiting == 0
        assert server.predict(photo(RED)).status_code == 200


def test_without_a_bound_nobody_is_told_to_come_back(colours):
    with running(colours, queue=1000) as server:
        slowed(server, 0.05)
        assert {status for status, _, _ in flood(server, 20, 1.0)} == {200}


def test_more_images_than_may_wait_are_refused_whole(colours):
    with running(colours, queue=8, images=8) as server:
        slowed(server, 0.5)
        first = threading.Thread(target=server.predict, args=[photo(RED)] * 6)
        first.start()
        until(lambda: server.context.desk.waiting == 6)
        answer = server.predict(*[photo(RED)] * 4)
        assert answer.status_code == 503 and answer.json()["error"]["code"] == "overloaded"
        assert server.predict(photo(RED)).status_code == 200
        first.join()


def test_a_deadline_that_passes_is_503_and_frees_the_seat(colours):
    with running(colours) as server:
        batcher, gate = server.context.shelf.get("colours").batcher, threading.Event()
        before = batcher._run
        batcher._run = lambda *given: (gate.wait(9), before(*given))[1]
        begun = time.monotonic()
        answer = server.predict(photo(RED), headers={"X-Deadline-Ms": "200"})
        assert answer.status_code == 503 and answer.json()["error"]["code"] == "deadline"
        assert "retry-after" in answer.headers and time.monotonic() - begun < 5
        assert server.context.desk.waiting == 0
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
        until(lambda: server.context.desk.waiting == 0 and server.context.desk.held == 0, 15)
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
