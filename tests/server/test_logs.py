"""One line an event, whatever a name holds."""

import json
import logging

import httpx

from fieldguide.server.logs import JsonLines, event
from server_made import until


def test_one_line_an_event_whatever_a_name_holds(server, caplog):
    with caplog.at_level(logging.INFO, "fieldguide.server"):
        httpx.get(f"{server.url}/v1/models/%0d%0a%1b%5d0;x%07%7f%e2%80%ae%c2%9b")
        own = lambda: [record for record in caplog.records if record.name == "fieldguide.server"]  # noqa: E731
        until(own)  # it is written once the answer is out; uvicorn writes one of its own
    line = JsonLines().format(own()[-1])
    assert json.loads(line)["path"] == "/v1/models/\r\n\x1b]0;x\x07\x7f\u202e\x9b"
    assert all(" " <= char <= "~" for char in line)


def test_the_plain_formatter_would_have_broken_the_line():
    record = logging.LogRecord("x", logging.INFO, "", 0, "%s", ("a\r\n\x1b[31m",), None)
    assert "\n" in logging.Formatter().format(record)
    assert all(" " <= char <= "~" for char in JsonLines().format(record))


def test_a_long_text_in_an_event_is_cut():
    records = []
    handler = logging.Handler()
    handler.emit = records.append
    logger = logging.getLogger("fieldguide.server")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    event("test", text="x" * 100_000)
    logger.removeHandler(handler)
    assert len(JsonLines().format(records[0])) < 3000
