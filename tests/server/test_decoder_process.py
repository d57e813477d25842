"""What a process that decodes does: an order and a file in, a square out."""

import json
import socket
import threading

import numpy as np
import pytest

from fieldguide.images.decoding import open_image
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.server import decoder_process
from fieldguide.server.decoder_process import READY, exactly, order_of, preprocessing_of, received, sent
from server_made import RED, photo

SQUARE = Preprocessing(16, "crop", mean=(0.1, 0.2, 0.3), std=(0.5, 0.5, 0.5))


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(10)
        theirs.settimeout(10)
        yield ours, theirs


def test_a_message_comes_whole_however_it_is_cut(pair):
    ours, theirs = pair
    content = bytes(range(256)) * 4000
    sender = threading.Thread(target=sent, args=(ours, b"{}", content))
    sender.start()
    assert received(theirs) == (b"{}", bytearray(content))
    sender.join()


def test_an_end_within_a_message_is_seen(pair):
    ours, theirs = pair
    ours.sendall(b"abc")
    ours.close()
    with pytest.raises(EOFError):
        exactly(theirs, 4)


def test_an_order_says_all_of_the_preprocessing():
    assert preprocessing_of(order_of(SQUARE)) == SQUARE


def test_it_answers_until_the_server_is_gone(pair, monkeypatch):
    """In a thread of this process, hence without the limits that would hold for all of it."""
    monkeypatch.setattr(decoder_process, "_confine", lambda: None)
    ours, theirs = pair
    theirs.setblocking(True)  # a detached descriptor keeps its mode
    worker = threading.Thread(target=decoder_process.work, args=(theirs.detach(),))
    worker.start()
    assert exactly(ours, 1) == READY
    sent(ours, order_of(SQUARE), photo(RED))
    said, pixels = received(ours)
    expected = SQUARE.resize(open_image(photo(RED)))
    assert json.loads(said) == {"shape": [16, 16, 3]}
    assert (np.frombuffer(pixels, np.uint8).reshape(expected.shape) == expected).all()
    sent(ours, order_of(SQUARE), b"<html>")
    said, pixels = received(ours)
    assert json.loads(said)["code"] == "not_an_image" and pixels == b""
    ours.close()
    worker.join(10)
    assert not worker.is_alive()


def test_a_mistake_of_ours_is_told_and_ends_nothing(monkeypatch):
    def broken(content, preprocessing):
        raise ZeroDivisionError("here")

    monkeypatch.setattr(decoder_process, "network_pixels", broken)
    said, pixels = decoder_process._answer(order_of(SQUARE), bytearray(b"x"))
    assert "ZeroDivisionError: here" in json.loads(said)["mistake"] and pixels == b""
