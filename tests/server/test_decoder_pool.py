"""Images are decoded in other processes: what crashes or hangs there is refused, and nothing else suffers."""

import concurrent.futures
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from fieldguide.errors import RefusedInput
from fieldguide.images.network_input import network_pixels
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.server import decoder_pool
from fieldguide.server.decoder_pool import Decoders
from server_made import BLUE, RED, noisy, photo, running, until

SQUARE = Preprocessing(64)
CRASH, HANG = b"please crash", b"please hang"

# The real program, with decoders that do on command what a broken one does on a broken file.
BROKEN = """
import os, signal, time
import fieldguide.server.decoder_process as decoder
before = decoder.network_pixels
def network_pixels(content, preprocessing):
    if content == {crash!r}:
        os.kill(os.getpid(), signal.SIGSEGV)
    if content == {hang!r}:
        time.sleep(60)
    return before(content, preprocessing)
decoder.network_pixels = network_pixels
decoder.work({descriptor})
"""


@pytest.fixture
def broken(monkeypatch):
    def program(descriptor):
        return BROKEN.format(crash=CRASH, hang=HANG, descriptor=descriptor)

    monkeypatch.setattr(decoder_pool, "program", program)


@pytest.fixture
def made():
    """Makes decoders, and ends them."""
    several = []

    def make(count=1, seconds=20.0, on_end=lambda code: None):
        several.append(Decoders(count, seconds, on_end))
        return several[-1]

    yield make
    for one in several:
        one.close()


def test_the_square_is_that_of_this_process(made):
    other = made()
    for image in (noisy(), photo(RED, "PNG"), photo(BLUE, "WEBP", (1, 300))):
        for how in (SQUARE, Preprocessing(32, "crop", "bilinear")):
            assert np.array_equal(other.prepare(image, how), network_pixels(image, how))


def test_a_refusal_comes_with_its_code_and_ends_nothing(made):
    ended = []
    other = made(on_end=ended.append)
    for image, code in ((b"<html>", "not_an_image"), (noisy()[:9000], "truncated"), (b"", "empty")):
        with pytest.raises(RefusedInput) as refused:
            other.prepare(image, SQUARE)
        assert refused.value.code == code
    assert not ended


def test_a_crash_refuses_the_image_and_the_next_is_decoded(made, broken):
    ended = []
    other = made(on_end=ended.append)
    with pytest.raises(RefusedInput) as refused:
        other.prepare(CRASH, SQUARE)
    assert refused.value.code == "decoder_failed"
    assert ended == [-signal.SIGSEGV] * 2, "tried once more, for it may have been another's fault"
    assert other.prepare(photo(RED), SQUARE).shape == (64, 64, 3)


def test_an_image_is_tried_again_where_its_process_was_ended(made):
    other = made()
    other.prepare(photo(RED), SQUARE)
    other._all[0]._process.kill()
    assert other.prepare(photo(RED), SQUARE).shape == (64, 64, 3)


def test_what_hangs_is_ended(made, broken):
    ended = []
    other = made(seconds=1.0, on_end=ended.append)
    begun = time.monotonic()
    with pytest.raises(RefusedInput, match="decoder_failed"):
        other.prepare(HANG, SQUARE)
    assert ended == [None] and time.monotonic() - begun < 30
    assert other.prepare(photo(RED), SQUARE).shape == (64, 64, 3)


def test_memory_is_bounded(made, monkeypatch):
    limited = "import fieldguide.server.decoder_process as d; d.MEMORY_BYTES = 300_000_000; d.work({})"
    monkeypatch.setattr(decoder_pool, "program", limited.format)
    with pytest.raises((MemoryError, RefusedInput)):
        made(seconds=60.0).prepare(photo(RED, "PNG", (7900, 8000)), SQUARE)


def test_they_leave_the_order_to_stop_to_the_server(made):
    other = made()
    other.prepare(photo(RED), SQUARE)
    before = other._all[0]._process
    for number in (signal.SIGINT, signal.SIGTERM):
        before.send_signal(number)
    other.prepare(photo(RED), SQUARE)
    assert other._all[0]._process is before


def test_they_end_with_the_server(made):
    other = made()
    other.prepare(photo(RED), SQUARE)
    process = other._all[0]._process
    other._all[0]._connection.close()  # as when the server is killed
    assert process.wait(20) == 0


def test_closing_ends_what_is_being_decoded(made, broken):
    other = made(seconds=60.0)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(other.prepare, HANG, SQUARE)
        until(lambda: other._all[0]._begun, 30)
        other.close()
        assert isinstance(hanging.exception(20), RuntimeError)


def test_as_many_work_at_once_as_there_are(made, broken):
    other = made(count=2, seconds=30.0)
    other.start()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(other.prepare, HANG, SQUARE)
        until(lambda: other._free.qsize() == 1)
        assert other.prepare(photo(RED), SQUARE).shape == (64, 64, 3)
        assert not hanging.done()
        other.close()
        assert isinstance(hanging.exception(20), RuntimeError)


def test_a_server_answers_on_after_a_decoder_crashed(colours, broken):
    with running(colours, deadline=20.0) as server:
        answer = server.predict(photo(RED), CRASH, photo(BLUE))
        assert answer.status_code == 200
        rows = answer.json()["predictions"]
        assert [row["label"] for row in rows] == ["red", None, "blue"]
        assert rows[1]["error"]["code"] == "decoder_failed"
        with server.client() as client:
            assert 'fieldguide_decoders_ended_total{how="crashed"} 2.0' in client.get("/metrics").text


def test_where_there_are_no_such_processes_the_server_decodes(monkeypatch):
    monkeypatch.setattr(decoder_pool, "SEPARATE", False)
    monkeypatch.setattr(
        decoder_pool,
        "network_pixels",
        lambda content, way: seen.append(content) or network_pixels(content, way),
    )
    seen = []
    other = Decoders(1, 1.0)
    other.start()
    assert other.prepare(photo(RED), SQUARE).shape == (64, 64, 3)
    assert seen == [photo(RED)] and other._all[0]._process is None


def test_a_server_that_decodes_ends_with_its_decoder():
    code = """if True:
        import os, signal
        from fieldguide.server import decoder_pool
        decoder_pool.SEPARATE = False
        decoder_pool.network_pixels = lambda *given: os.kill(os.getpid(), signal.SIGSEGV)
        decoder_pool.Decoders(1, 1.0).prepare(b"crash", decoder_pool.Preprocessing(8))
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == -signal.SIGSEGV, done.stderr
