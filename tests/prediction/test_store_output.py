"""store_output.py: a file is written here and put there; test_store_inputs.py does so with a real server."""

from pathlib import Path

import pytest

from fieldguide.errors import DataError, OutputError
from fieldguide.files import cache_folder
from fieldguide.prediction import store_output
from fieldguide.prediction.store_output import local_file_for, send
from fieldguide.storage.object_store import ObjectUrl

URL = ObjectUrl("s3://b/x.csv")


def test_a_file_of_this_machine_is_itself(tmp_path):
    with local_file_for(tmp_path / "x.csv") as place:
        assert place == tmp_path / "x.csv"
        place.write_bytes(b"rows")
        send(place, place)
    assert place.read_bytes() == b"rows"


def test_an_object_is_put_at_the_end_and_its_file_removed(monkeypatch):
    put = {}
    monkeypatch.setattr(store_output, "exists", lambda url: False)
    monkeypatch.setattr(store_output, "write_object", lambda url, file: put.update({url: file.read_bytes()}))
    with local_file_for(URL) as place:
        place.write_bytes(b"rows")
        assert put == {}
        send(URL, place)
    assert put == {URL: b"rows"}
    assert not place.parent.exists()
    assert place.is_relative_to(cache_folder())


def test_what_cannot_be_put_is_kept_and_named(monkeypatch):
    def fail(url, file):
        raise OutputError(f"{url}: cannot be written: no answer in time")

    monkeypatch.setattr(store_output, "exists", lambda url: False)
    monkeypatch.setattr(store_output, "write_object", fail)
    with pytest.raises(OutputError, match="the results are in ") as caught, local_file_for(URL) as place:
        place.write_bytes(b"rows")
        send(URL, place)
    assert Path(str(caught.value).rpartition(" ")[2]).read_bytes() == b"rows"


def test_a_store_that_does_not_answer_is_told_before_the_work(monkeypatch):
    def fail(url):
        raise DataError("no answer")

    monkeypatch.setattr(store_output, "exists", fail)
    with pytest.raises(DataError), local_file_for(URL):
        raise AssertionError("the work began")
