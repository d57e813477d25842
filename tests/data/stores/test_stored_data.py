"""stored_data.py: DATA in a real S3 server is what it is in a folder."""

from pathlib import Path

import pytest

pytest.importorskip("obstore")
pytest.importorskip("moto.server")

import fieldguide
from fieldguide.errors import DataError
from fieldguide.storage import object_store
from fieldguide.storage.object_store import Patience
from object_server import object_server


@pytest.fixture(scope="module")
def folder(paint_classes, tmp_path_factory):
    folder = paint_classes(tmp_path_factory.mktemp("photos"), {"red": 4, "green": 4})
    (folder / "red" / "notes.doc").write_bytes(b"x")
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "a.png").write_bytes(b"x")
    return folder


@pytest.fixture(scope="module")
def started(folder):
    with pytest.MonkeyPatch.context() as patch, object_server(patch.setenv) as server:
        server.put_folder(folder, "set")
        server.put("tables/labels.csv", b"path,label\na/1.png,x\ns3://photos/tables/a/2.png,y\na/3.png,y\n")
        for number in (1, 2):
            server.put(f"tables/a/{number}.png", (folder / "red" / "000.png").read_bytes())
        yield server


@pytest.fixture
def server(started, monkeypatch):
    monkeypatch.setattr(object_store, "PATIENCE", Patience(1, 0.5, 3, 10))
    started.fail("")
    return started


def test_a_prefix_is_read_like_the_folder_it_is(server, folder):
    far, near = fieldguide.open_dataset("s3://photos/set"), fieldguide.open_dataset(folder)
    assert [far.display(path) for path in far.paths] == [near.display(path) for path in near.paths]
    assert (far.labels, far.name, far.notes) == (near.labels, "set", near.notes)
    assert [Path(one).read_bytes() for one in far.paths] == [Path(one).read_bytes() for one in near.paths]
    assert not any("hidden" in line or "notes.doc" in line for line in server.seen)


def test_the_copy_goes_with_the_data_set(server):
    dataset = fieldguide.open_dataset("s3://photos/set/")
    place = Path(dataset.paths[0])
    assert place.exists()
    del dataset
    assert not place.exists()


def test_a_table_is_read_with_what_lies_beside_it(server):
    dataset = fieldguide.open_dataset("s3://photos/tables/labels.csv")
    assert dataset.labels == ("x", "y")
    assert [(one.path, one.code) for one in dataset.refused] == [("a/3.png", "missing")]
    assert dataset.name == "labels.csv"


def test_what_stays_unreachable_is_refused_by_its_url(server):
    server.fail("green/00", "always", "error")
    with pytest.raises(DataError, match="need two classes"):
        fieldguide.open_dataset("s3://photos/set", minimum_classes=2)
    server.fail("green/000", "always", "error")
    dataset = fieldguide.open_dataset("s3://photos/set")
    assert [(one.path, one.code) for one in dataset.refused] == [
        ("s3://photos/set/green/000.png", "unreachable")
    ]
    assert len(dataset) == 7


def test_what_is_not_there_is_an_error_that_names_the_url(server):
    with pytest.raises(DataError, match=r"s3://photos/set/gone.csv: cannot be read: there is no such object"):
        fieldguide.open_dataset("s3://photos/set/gone.csv")
    with pytest.raises(DataError, match=r"^s3://photos/nothing: DATA must hold images"):
        fieldguide.open_dataset("s3://photos/nothing")
    with pytest.raises(DataError, match=r"s3://photos/gone.zip: cannot be read: there is no such object"):
        fieldguide.open_dataset("s3://photos/gone.zip")


def test_the_command_line_takes_a_url(server, capsys):
    from fieldguide.cli import main

    assert main(["check", "s3://photos/set"]) in (0, 1)
    assert "8 images" in capsys.readouterr().out
