"""The clocks of a connection, by a clock and a transport that are not the machine's: exact, and in no time.

`test_connections.py` shows the same over real sockets.
"""

import json
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from fieldguide.server import connections
from fieldguide.server.connections import GRACE_SECONDS, SWEEP_SECONDS, protocol_for, sweep
from fieldguide.server.settings import Settings

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
BEGUN = 1000.0


class Loop:
    """Keeps what is to be done later, and begins a task when it is told to."""

    def __init__(self):
        self.later, self.tasks = [], []

    def call_later(self, seconds, call):
        self.later.append((seconds, call))
        return SimpleNamespace(cancel=lambda: None)

    def create_task(self, task):
        self.tasks.append(task)
        return Mock()

    def run(self):
        """Let the oldest task run to its end; it waits for nothing."""
        with pytest.raises(StopIteration):
            self.tasks.pop(0).send(None)

    def pass_by(self, seconds):
        """Do what was to be done after exactly so many seconds."""
        due = [call for after, call in self.later if after == seconds]
        self.later = [(after, call) for after, call in self.later if after != seconds]
        for call in due:
            call()


class Transport:
    """A connection's other end, which takes nothing away while `buffered` says so."""

    def __init__(self, peer=("192.0.2.7", 5)):
        self.peer, self.written, self.buffered, self.closed, self.aborted = peer, b"", 0, False, False

    def get_extra_info(self, name):
        return self.peer if name == "peername" else None

    def get_write_buffer_size(self):
        return self.buffered

    def write(self, data):
        self.written += data or b""

    def close(self):
        self.closed = True

    def abort(self):
        self.aborted = True

    def is_closing(self):
        return self.closed or self.aborted

    def pause_reading(self):
        pass

    def resume_reading(self):
        pass


async def answering(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


class House:
    """A server's connections, the clock and the loop that they share, and what was told of them."""

    def __init__(self, monkeypatch, **settings):
        self.now, self.loop, self.state, self.cut, self.told = BEGUN, Loop(), ServerState(), [], []
        self.config = Config(answering, log_config=None)
        self.config.load()
        closed = SimpleNamespace(
            labels=lambda reason: SimpleNamespace(inc=lambda: self.cut.append(reason)),
        )
        self.protocol = protocol_for(Settings(**settings), SimpleNamespace(closed=closed))
        monkeypatch.setattr(connections, "time", SimpleNamespace(monotonic=lambda: self.now))
        monkeypatch.setattr(connections, "event", lambda name, **fields: self.told.append((name, fields)))

    def connect(self, at=BEGUN, *received, **transport):
        """A new connection, and the bytes that came on it at the same time."""
        self.now = at
        made = self.protocol(self.config, self.state, {}, self.loop)
        made.connection_made(Transport(**transport))
        for data in received:
            made.data_received(data)
        return made


@pytest.fixture
def house(monkeypatch):
    made = House(monkeypatch, read_seconds=8.0, write_seconds=3.0)
    yield made
    for task in made.loop.tasks:
        task.close()


def test_a_request_has_to_arrive_within_its_time_from_the_connection_on(house):
    connection = house.connect()
    assert connection.overdue(BEGUN + 8) is None
    assert connection.overdue(BEGUN + 8.1) == "slow_sender"
    for later, data in ((3, b"GET / HT"), (5, b"TP/1.1\r\nHost: a\r\n")):
        house.now = BEGUN + later
        connection.data_received(data)
        assert connection.reading_since == BEGUN
    connection.data_received(b"\r\n")
    assert connection.reading_since is None
    assert connection.overdue(BEGUN + 999) is None


def test_the_next_request_has_its_time_from_its_first_byte_on(house):
    connection = house.connect(BEGUN, GET)
    house.loop.run()
    assert connection.transport.written.endswith(b"\r\n\r\nok")
    assert connection.reading_since is None
    for later in (20, 25):
        house.now = BEGUN + later
        connection.data_received(b"G")
        assert connection.reading_since == BEGUN + 20
    assert connection.overdue(BEGUN + 28) is None
    assert connection.overdue(BEGUN + 28.1) == "slow_sender"


def test_a_body_has_to_arrive_within_the_time_of_its_request(house):
    connection = house.connect(BEGUN, POST)
    house.now = BEGUN + 7
    connection.data_received(b"abc")
    assert connection.reading_since == BEGUN
    connection.data_received(b"de")
    assert connection.reading_since is None


def test_a_request_that_waits_for_the_answer_of_another_has_no_clock_until_then(house):
    connection = house.connect(BEGUN, GET + b"GET /mo")
    assert connection.reading_since is None
    house.now = BEGUN + 50
    house.loop.run()
    assert connection.reading_since == BEGUN + 50


def test_an_answer_has_to_be_taken_away_within_its_time(house):
    connection = house.connect(BEGUN, GET)
    connection.transport.buffered = 1
    assert [connection.overdue(BEGUN + later) for later in (10, 13)] == [None, None]
    assert connection.overdue(BEGUN + 13.1) == "slow_reader"
    connection.transport.buffered = 0
    assert connection.overdue(BEGUN + 14) is None
    connection.transport.buffered = 9
    assert [connection.overdue(BEGUN + later) for later in (15, 18)] == [None, None]
    assert connection.overdue(BEGUN + 18.1) == "slow_reader"


@pytest.mark.parametrize("begun", [b"GET / HT", POST, POST + b"abc"])
def test_who_began_a_request_and_is_too_slow_is_told_so(house, begun):
    connection = house.connect(BEGUN, begun)
    connection.cut("slow_sender")
    transport = connection.transport
    head, _, body = transport.written.partition(b"\r\n\r\n")
    lines = head.decode("ascii").split("\r\n")
    assert lines[0] == "HTTP/1.1 408 too_slow"
    assert lines[1:] == [
        "content-type: application/json",
        f"content-length: {len(body)}",
        "x-content-type-options: nosniff",
        "connection: close",
    ]
    assert json.loads(body)["error"]["code"] == "too_slow"
    assert transport.closed and not transport.aborted
    house.loop.pass_by(1.0)
    assert transport.aborted


def test_who_is_answered_instead_of_the_routes_is_gone_for_them(house):
    connection = house.connect(BEGUN, POST + b"abc")
    connection.cut("slow_sender")
    assert connection.cycle.disconnected and connection.cycle.message_event.is_set()


def test_an_answer_that_began_is_not_answered_once_more(house):
    class Never:
        def __await__(self):
            yield

    async def beginning(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok", "more_body": True})
        await Never()

    house.config.loaded_app = beginning
    connection = house.connect(BEGUN, POST + b"abc")
    house.loop.tasks[0].send(None)
    written = connection.transport.written
    assert b"ok" in written
    connection.cut("slow_sender")
    assert connection.transport.written == written and connection.transport.closed


@pytest.mark.parametrize(
    ("received", "reason"), [([], "slow_sender"), ([b"GET / HT"], "slow_reader"), ([POST], "too_many")]
)
def test_others_are_cut_off_without_a_word(house, received, reason):
    connection = house.connect(BEGUN, *received)
    connection.cut(reason)
    assert connection.transport.aborted and connection.transport.written == b""
    assert house.cut == [reason]
    assert house.told == [("connection_closed", {"reason": reason, "client": "192.0.2.7"})]


def test_a_client_without_an_address_is_cut_off_too(house):
    house.connect(BEGUN, peer=None).cut("slow_reader")
    assert house.told == [("connection_closed", {"reason": "slow_reader", "client": ""})]


def test_what_is_no_http_is_answered_and_ends(house):
    connection = house.connect(BEGUN, b"\x16\x03\x01\r\n\r\n")
    assert connection.transport.written.startswith(b"HTTP/1.1 400 malformed\r\n")
    assert b"this is not HTTP/1.1 that the server can read" in connection.transport.written
    assert connection.transport.closed


def test_the_order_to_stop_ends_an_idle_connection_after_its_grace(house):
    connection = house.connect()
    connection.shutdown()
    assert not connection.transport.closed
    house.loop.pass_by(GRACE_SECONDS)
    assert connection.transport.closed


def test_after_the_order_to_stop_a_request_is_answered_and_one_more_may_be_on_its_way(house):
    connection = house.connect(BEGUN, GET)
    connection.shutdown()
    house.loop.pass_by(GRACE_SECONDS)
    assert not connection.transport.closed
    house.loop.run()
    assert connection.transport.written.endswith(b"ok") and not connection.transport.closed
    connection.data_received(GET)
    house.loop.pass_by(GRACE_SECONDS)
    assert not connection.transport.closed
    house.loop.run()
    house.loop.pass_by(GRACE_SECONDS)
    assert connection.transport.closed


def test_without_the_order_to_stop_an_answered_connection_is_kept(house):
    connection = house.connect(BEGUN, GET)
    house.loop.run()
    assert [seconds for seconds, _ in house.loop.later] == [house.config.timeout_keep_alive]
    assert not connection.transport.closed


@pytest.fixture
def narrow(monkeypatch):
    """Room for two connections."""
    return House(monkeypatch, connections=2)


def aborted(*connections_):
    return [connection.transport.aborted for connection in connections_]


def test_the_one_that_has_sent_for_longest_makes_room_for_one_too_many(narrow):
    late, early = narrow.connect(BEGUN + 1), narrow.connect(BEGUN)
    assert aborted(late, early) == [False, False]
    newest = narrow.connect(BEGUN + 2)
    assert aborted(late, early, newest) == [False, True, False]
    assert narrow.cut == ["too_many"]
    assert aborted(late, narrow.connect(BEGUN + 3)) == [True, False], "one that is closing makes no room"


def test_an_idle_one_makes_room_where_no_other_is_sending(narrow):
    idle = [narrow.connect(BEGUN, GET) for _ in range(2)]
    for _ in idle:
        narrow.loop.run()
    newest = narrow.connect(BEGUN + 1)
    assert sorted(aborted(*idle)) == [False, True] and aborted(newest) == [False]


def test_one_that_is_sending_makes_room_before_an_idle_one(narrow):
    idle, sending = narrow.connect(BEGUN, GET), narrow.connect(BEGUN + 1)
    narrow.loop.run()
    newest = narrow.connect(BEGUN + 2)
    assert aborted(idle, sending, newest) == [False, True, False]


def test_where_all_are_being_answered_the_new_one_has_to_go(narrow):
    busy = [narrow.connect(BEGUN, GET) for _ in range(2)]
    newest = narrow.connect(BEGUN + 1)
    assert aborted(*busy, newest) == [False, False, True]
    for _ in busy:
        narrow.loop.run()
    assert [one.transport.written[-2:] for one in busy] == [b"ok", b"ok"]


def test_a_sweep_closes_what_is_overdue_and_one_that_fails_saves_no_other(house, monkeypatch):
    connections_ = [house.connect(BEGUN), house.connect(BEGUN), house.connect(BEGUN + 5)]

    def failing(reason):
        raise OSError("half closed")

    connections_[0].cut = failing
    slept = []

    async def sleep(seconds):
        slept.append(seconds)
        house.now = BEGUN + 4 * len(slept) + 0.5
        if len(slept) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(connections, "asyncio", SimpleNamespace(sleep=sleep))
    with pytest.raises(KeyboardInterrupt):
        sweep(house.state).send(None)
    assert slept == [SWEEP_SECONDS] * 4
    assert aborted(*connections_) == [False, True, False]
