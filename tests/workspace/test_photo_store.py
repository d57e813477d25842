import io
import sqlite3
import threading

import numpy as np
import pytest
from PIL import Image

from fieldguide.data.dataset import open_dataset
from fieldguide.errors import OptionError, OutputError, RefusedInput
from fieldguide.workspace.photo_store import PhotoStore


def jpeg(number, side=24):
    random = np.random.default_rng(number)
    memory = io.BytesIO()
    Image.fromarray(random.integers(0, 255, (side, side, 3), dtype=np.uint8)).save(memory, "JPEG")
    return memory.getvalue()


@pytest.fixture
def store(tmp_path):
    return PhotoStore(tmp_path / "corrections")


def test_a_recorded_photo_is_found_again_by_whoever_opens_the_folder(store):
    kept = store.record(jpeg(0), "hat", name="a.jpg", said="cap", model="d" * 64)
    again = PhotoStore(store.folder).photos()
    assert again == (kept,)
    assert (kept.label, kept.said, kept.name) == ("hat", "cap", "a.jpg")
    assert (store.folder / kept.file).read_bytes() == jpeg(0)


def test_nothing_recorded_is_nothing_on_the_disk(store):
    assert store.photos() == ()
    assert store.counts() == {}
    store.forget("0" * 64)
    assert not store.folder.exists()


def test_the_same_photo_again_changes_its_label(store):
    store.record(jpeg(0), "hat", name="a.jpg")
    store.record(jpeg(1), "cap", name="b.jpg")
    store.record(jpeg(0), "cap", name="c.jpg")
    assert [(photo.name, photo.label) for photo in store.photos()] == [("b.jpg", "cap"), ("c.jpg", "cap")]
    assert store.counts() == {"cap": 2}


def test_a_photo_that_is_taken_out_leaves_no_file(store):
    kept = store.record(jpeg(0), "hat", name="a.jpg")
    store.forget(kept.digest)
    assert store.photos() == ()
    assert list((store.folder / "photos").iterdir()) == []
    assert store.table.read_bytes() == b""


@pytest.mark.parametrize(
    "label", ["../../etc", "=cmd()", "a\nb", "<b>", "été \N{SNOWMAN}", "bad\udcff", "a,b;c"]
)
def test_hostile_labels_and_names_stay_text(store, label):
    store.record(jpeg(0), label, name=label)
    store.record(jpeg(1), "other", name="b.jpg")
    assert store.photos()[0].label == label
    assert store.photos()[0].name == label
    assert {path.name for path in store.folder.iterdir()} <= {
        "photos", "labels.jsonl", "photos.sqlite", "photos.sqlite-wal", "photos.sqlite-shm"
    }  # fmt: skip
    with open_dataset(store.table) as dataset:
        assert dataset.labels == (label, "other")


@pytest.mark.parametrize("label", ["", "  ", "x" * 1001, "a\0b"])
def test_a_label_must_be_text(store, label):
    with pytest.raises(OptionError, match="label: must be text of 1 to 1,000 characters"):
        store.record(jpeg(0), label, name="a.jpg")


def test_what_is_no_image_is_refused_and_leaves_nothing(store):
    with pytest.raises(RefusedInput):
        store.record(b"<html>no</html>", "hat", name="a.jpg")
    assert not store.folder.exists()


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OutputError, match=r"not recorded \(Not a directory\); make room"):
        PhotoStore(tmp_path / "file" / "store").record(jpeg(0), "hat", name="a.jpg")


def test_a_failure_halfway_records_nothing(store, monkeypatch):
    store.record(jpeg(0), "hat", name="a.jpg")

    def fail(connection):
        raise sqlite3.OperationalError("disk full")

    monkeypatch.setattr(store, "_write_table", fail)
    with pytest.raises(OutputError, match="disk full"):
        store.record(jpeg(1), "cap", name="b.jpg")
    assert store.counts() == {"hat": 1}


def test_many_tabs_record_at_once_and_nothing_is_lost(store):
    failed = []

    def tab(first):
        try:
            for number in range(first, first + 6):
                PhotoStore(store.folder).record(jpeg(number), f"class {number % 3}", name=f"{number}.jpg")
        except Exception as error:
            failed.append(error)

    tabs = [threading.Thread(target=tab, args=(6 * number,)) for number in range(4)]
    for thread in tabs:
        thread.start()
    for thread in tabs:
        thread.join()
    assert failed == []
    assert len(store.photos()) == 24
    with open_dataset(store.table) as dataset:
        assert len(dataset) == 24


def test_takes_are_groups_once_every_label_has_two(store):
    for number, (label, batch) in enumerate([("a", "1"), ("a", "1"), ("b", "2"), ("b", "3")]):
        store.record(jpeg(number), label, name="x", batch=batch)
    with open_dataset(store.table) as dataset:
        assert dataset.groups is None
    store.record(jpeg(9), "a", name="x", batch="4")
    with open_dataset(store.table) as dataset:
        assert dataset.groups == ("1", "1", "2", "3", "4")
