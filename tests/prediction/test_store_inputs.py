"""store_inputs.py: what a URL names, and predictions from and into a real S3 server, as of files."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("obstore")
pytest.importorskip("moto.server")

import fieldguide
from fieldguide.errors import DataError, OutputError, Refusal
from fieldguide.files import cache_folder
from fieldguide.prediction.inputs import find_inputs
from fieldguide.storage import object_store
from fieldguide.storage.object_store import ObjectUrl, Patience
from object_server import object_server


@pytest.fixture(scope="module")
def folder(paint_classes, tmp_path_factory):
    folder = paint_classes(tmp_path_factory.mktemp("photos"), {"red": 6, "green": 6, "grey": 3})
    (folder / "red" / "broken.png").write_bytes(b"\x89PNG")
    (folder / "red" / "notes.txt").write_bytes(b"x")
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "a.png").write_bytes(b"x")
    return folder


@pytest.fixture(scope="module")
def started(folder):
    with pytest.MonkeyPatch.context() as patch, object_server(patch.setenv) as server:
        server.put_folder(folder, "set")
        yield server


@pytest.fixture
def server(started, monkeypatch):
    monkeypatch.setattr(object_store, "PATIENCE", Patience(1, 0.5, 3, 10))
    started.fail("")
    return started


def rows_of(path):
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def renamed(rows, folder):
    return [{**row, "path": row["path"].replace("s3://photos/set", str(folder))} for row in rows]


def test_a_prefix_is_walked_like_a_folder(server, folder):
    near, far = find_inputs([folder]), find_inputs(["s3://photos/set"])
    assert [one.replace("s3://photos/set", str(folder)) for one in far.items] == near.items
    assert all(type(one) is ObjectUrl for one in far.items)
    assert [note.partition(": ")[2] for note in far.notes] == [note.partition(": ")[2] for note in near.notes]
    assert server.seen == ["GET /photos?list-type=2&prefix=set%2F"]


def test_an_object_is_tried_as_it_is_and_nothing_is_found_is_said(server):
    assert find_inputs(["s3://photos/set/red/000.png"]).items == ["s3://photos/set/red/000.png"]
    assert server.seen == []
    with pytest.raises(DataError, match="there is no image in it"):
        find_inputs(["s3://photos/nothing/"])


def test_predictions_of_objects_are_those_of_files(server, folder, colours, tmp_path):
    fieldguide.predict(colours, folder, out=tmp_path / "near.jsonl")
    fieldguide.predict(colours, "s3://photos/set", out=tmp_path / "far.jsonl")
    near, far = rows_of(tmp_path / "near.jsonl"), rows_of(tmp_path / "far.jsonl")
    assert renamed(far, folder) == near
    assert [row["error"]["code"] for row in far if row["error"]] == ["truncated"]


def test_each_object_that_stays_unreadable_has_its_row(server, colours, tmp_path):
    server.fail("green/00", "always", "error")
    written = fieldguide.predict(colours, "s3://photos/set", out=tmp_path / "x.jsonl")
    codes = {row["path"][-13:]: row["error"]["code"] for row in rows_of(tmp_path / "x.jsonl") if row["error"]}
    assert written.rows == 16
    assert [code for name, code in codes.items() if "green" in name] == ["unreachable"] * 6
    assert len(codes) == 7


def test_faults_that_pass_change_nothing(server, folder, colours, tmp_path):
    fieldguide.predict(colours, folder, out=tmp_path / "near.jsonl")
    server.fail("photos", "error", "half", "dropped")
    fieldguide.predict(colours, "s3://photos/set", out=tmp_path / "far.jsonl")
    assert renamed(rows_of(tmp_path / "far.jsonl"), folder) == rows_of(tmp_path / "near.jsonl")


def test_a_table_in_a_store_names_objects_of_that_store_and_no_others(server):
    table = "path\nred/000.png\ns3://photos/set/red/001.png\ns3://other/a.png\nhttps://e.org/a.png\n../x.png\n/x\n"
    server.put("set/list.csv", table.encode())
    server.fail("")
    items = find_inputs(["s3://photos/set/list.csv"]).items
    assert items[:2] == ["s3://photos/set/red/000.png", "s3://photos/set/red/001.png"]
    assert [(one.path, one.code) for one in items[2:]] == [
        ("s3://other/a.png", "outside"),
        ("https://e.org/a.png", "outside"),
        ("../x.png", "outside"),
        ("/x", "outside"),
    ]
    assert server.seen == ["GET /photos/set/list.csv"]


def test_a_url_in_a_table_of_this_machine_fetches_nothing(server, colours, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("list.csv").write_text("path\ns3://photos/set/red/000.png\n")
    answers = fieldguide.predict(colours, "list.csv")
    assert [one.error.code for one in answers] == ["missing"]
    assert server.seen == []


def test_a_table_that_is_not_there_is_an_error(server):
    with pytest.raises(DataError, match=r"s3://photos/gone.csv: the table cannot be read: there is no such"):
        find_inputs(["s3://photos/gone.csv"])


def test_results_are_put_whole(server, folder, colours, tmp_path):
    fieldguide.predict(colours, folder, out=tmp_path / "near.csv")
    server.fail("out/answers", "error", "dropped")
    fieldguide.predict(colours, folder, out="s3://photos/out/answers.csv")
    assert server.get("out/answers.csv") == (tmp_path / "near.csv").read_bytes()
    assert not list((cache_folder() / "unsent").rglob("*.csv*"))


def test_results_that_cannot_be_put_are_kept_and_named(server, folder, colours):
    server.fail("PUT /photos/out/lost", "always", "error")
    with pytest.raises(OutputError, match=r"lost.csv: cannot be written: .*; the results are in ") as caught:
        fieldguide.predict(colours, folder, out="s3://photos/out/lost.csv")
    kept = Path(str(caught.value).partition("the results are in ")[2])
    assert len(kept.read_text().splitlines()) == 17
    kept.unlink()


def test_pre_annotations_need_files(server, colours, tmp_path):
    with pytest.raises(OutputError, match="an annotation tool must be given files"):
        fieldguide.predict(colours, "s3://photos/set", out=tmp_path / "x.json", form="label-studio")


def test_a_killed_run_goes_on(server, folder, colours, tmp_path):
    server.fail("PUT /photos/out/", "always", "slow", slow_seconds=120)  # all rows are there, and not sent
    code = "import sys, fieldguide; fieldguide.predict(*sys.argv[1:3], out=sys.argv[3])"
    out = "s3://photos/out/killed.jsonl"
    command = [sys.executable, "-c", code, str(colours), "s3://photos/set", out]
    begun = subprocess.Popen(command, env=os.environ)
    deadline = time.monotonic() + 300
    while not any(one.startswith("PUT /photos/out/killed") for one in server.seen):
        assert begun.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    begun.send_signal(signal.SIGKILL)
    begun.wait()
    server.fail("")
    written = fieldguide.predict(colours, "s3://photos/set", out=out)
    assert (written.rows, written.kept) == (16, 16)
    fieldguide.predict(colours, folder, out=tmp_path / "near.jsonl")
    far = [json.loads(line) for line in server.get("out/killed.jsonl").splitlines()]
    assert renamed(far, folder) == rows_of(tmp_path / "near.jsonl")


def test_refusals_keep_the_urls(server, colours):
    answers = fieldguide.predict(colours, ["s3://photos/none.png"])
    assert answers[0].error == Refusal("s3://photos/none.png", "missing", answers[0].error.message)
