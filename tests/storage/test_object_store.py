"""object_store.py against a real S3 server over HTTP, and a proxy that fails as networks do."""

import pickle

import pytest

pytest.importorskip("obstore")
pytest.importorskip("moto.server")

from fieldguide.errors import DataError, OptionError, OutputError, RefusedInput
from fieldguide.images.decoding import read_bytes
from fieldguide.storage import object_store
from fieldguide.storage.object_store import (
    ObjectUrl,
    Patience,
    check_url,
    exists,
    list_objects,
    read_object,
    write_object,
)
from object_server import object_server

MOST = 1_000_000
REASONS = {
    "error": "the store answers with status 500",
    "dropped": "the connection failed",
    "half": "the connection failed",
    "slow": "no answer in time",
}
CONTENT = bytes(range(256)) * 40


@pytest.fixture(scope="module")
def started():
    with pytest.MonkeyPatch.context() as patch, object_server(patch.setenv) as server:
        server.put("a.bin", CONTENT)
        yield server


@pytest.fixture
def server(started, monkeypatch):
    impatient = Patience(connect_seconds=1, request_seconds=0.5, retries=3, retry_seconds=10)
    monkeypatch.setattr(object_store, "PATIENCE", impatient)
    started.fail("")
    return started


def code_of(url):
    with pytest.raises(RefusedInput) as caught:
        read_object(ObjectUrl(url), MOST)
    return caught.value.code


@pytest.mark.parametrize("fault", ["error", "dropped", "half", "slow"])
def test_a_fault_that_passes_costs_only_time(fault, server):
    server.fail("a.bin", fault, fault, slow_seconds=0.8)
    assert read_object(ObjectUrl("s3://photos/a.bin"), MOST) == CONTENT
    assert len(server.seen) == 3


@pytest.mark.parametrize("fault", ["error", "dropped", "half", "slow"])
def test_a_fault_that_stays_is_a_refusal(fault, server):
    server.fail("a.bin", "always", fault, slow_seconds=0.8)
    with pytest.raises(RefusedInput) as caught:
        read_object(ObjectUrl("s3://photos/a.bin"), MOST)
    assert caught.value.code == "unreachable"
    assert caught.value.message.startswith(REASONS[fault])


def test_what_is_not_there_or_not_allowed_is_refused_by_name(server):
    assert code_of("s3://photos/none.jpg") == "missing"
    assert code_of("s3://nobody/a.bin") == "missing"
    assert code_of("s3://photos/d//e.jpg") == "unreadable"
    assert code_of("s3://photos/../a.bin") == "unreadable"


def test_too_large_an_object_is_not_fetched(server):
    with pytest.raises(RefusedInput) as caught:
        read_object(ObjectUrl("s3://photos/a.bin"), len(CONTENT) - 1)
    assert caught.value.code == "too_large"


def test_only_a_marked_url_is_fetched(server):
    assert read_bytes(ObjectUrl("s3://photos/a.bin")) == CONTENT
    before = len(server.seen)
    with pytest.raises(RefusedInput) as caught:
        read_bytes("s3://photos/a.bin")
    assert caught.value.code == "missing"
    assert len(server.seen) == before


def test_names_are_exact(server):
    names = ["n/a b.jpg", "n/x%20y.jpg", "n/ä+?.jpg"]
    for name in names:
        write_object(ObjectUrl(f"s3://photos/{name}"), name.encode())
    listed = list(list_objects(ObjectUrl("s3://photos/n/")))
    assert [one.url.key for one in listed] == sorted(names)
    assert [read_object(one.url, MOST).decode() for one in listed] == sorted(names)
    assert [one.size for one in listed] == [len(name.encode()) for name in sorted(names)]


@pytest.mark.long
def test_a_listing_is_a_stream(server):
    for number in range(1003):  # a page of S3 has 1000 names
        server.put(f"many/{number:04}", b"")
    server.fail("")
    stream = list_objects(ObjectUrl("s3://photos/many"))
    next(stream)
    assert len([line for line in server.seen if "list-type" in line]) == 1
    assert sum(1 for _ in stream) == 1002
    assert len([line for line in server.seen if "list-type" in line]) == 2


def test_a_listing_survives_faults_and_says_when_it_cannot(server):
    server.fail("list-type", "error", "half", "dropped", "half")
    assert [one.url.key for one in list_objects(ObjectUrl("s3://photos"))][:1] == ["a.bin"]
    server.fail("list-type", "always", "error")
    with pytest.raises(DataError, match="s3://photos/x: cannot be listed: the store answers with status 500"):
        list(list_objects(ObjectUrl("s3://photos/x")))
    server.fail("")
    with pytest.raises(DataError, match="there is no such object; check the bucket"):
        list(list_objects(ObjectUrl("s3://nobody/x")))


def test_writing_survives_faults_and_says_when_it_cannot(server, tmp_path):
    file = tmp_path / "x"
    file.write_bytes(CONTENT)
    server.fail("w.bin", "error", "dropped")
    write_object(ObjectUrl("s3://photos/w.bin"), file)
    assert server.get("w.bin") == CONTENT
    assert exists(ObjectUrl("s3://photos/w.bin"))
    assert not exists(ObjectUrl("s3://photos/v.bin"))
    server.fail("v.bin", "always", "error")
    with pytest.raises(OutputError, match=r"s3://photos/v\.bin: cannot be written"):
        write_object(ObjectUrl("s3://photos/v.bin"), CONTENT)


def test_a_url_must_name_a_bucket():
    with pytest.raises(OptionError, match="got no name of a bucket"):
        check_url("s3:///a.jpg")


def test_a_url_keeps_its_kind_between_processes():
    url = ObjectUrl("gs://b/a.jpg")
    assert type(pickle.loads(pickle.dumps(url))) is ObjectUrl
