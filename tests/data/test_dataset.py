"""DATA in every form of the contract, and what stops early."""

import os
import subprocess
import sys
import tarfile
import tempfile
import unicodedata
import zipfile
from pathlib import Path

import numpy as np
import pytest

from fieldguide.data.dataset import Dataset, open_dataset
from fieldguide.errors import DataError


def put(root, *files):
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"photo of " + os.fsencode(name))
    return root


def opened(path, **options):
    with open_dataset(path, **options) as dataset:
        return dataset


def shown(dataset):
    return dict(zip(map(dataset.display, dataset.paths), dataset.labels, strict=True))


CLASSES = {"cat/1.jpg": "cat", "cat/deep/2.jpg": "cat", "dog/3.jpg": "dog"}


def test_class_folders(tmp_path):
    dataset = opened(put(tmp_path, *CLASSES))
    assert shown(dataset) == CLASSES
    assert (len(dataset), dataset.classes, dataset.splits, dataset.groups) == (3, ("cat", "dog"), None, None)
    assert (dataset.refused, dataset.notes) == ((), ())


def test_split_folders_and_select(tmp_path):
    put(tmp_path, "Train/cat/1.jpg", "Train/dog/2.jpg", "VAL/cat/3.jpg")
    dataset = opened(tmp_path)
    assert dataset.select("train").classes == ("cat", "dog")
    assert shown(dataset.select("validation")) == {"VAL/cat/3.jpg": "cat"}
    with pytest.raises(DataError, match="which are: train, validation; got 'test'"):
        dataset.select("test")
    with pytest.raises(DataError, match="no splits"):
        opened(tmp_path / "Train").select("train")


def test_take_keeps_columns_together():
    dataset = Dataset(Path(), ("a", "b", "c"), ("x", "y", "z"), ("train", "test", "train"), ("1", "2", "3"))
    taken = dataset.take(np.array([2, 0]))
    assert (taken.paths, taken.labels) == (("c", "a"), ("z", "x"))
    assert (taken.splits, taken.groups) == (("train", "train"), ("3", "1"))
    assert taken.classes == ("x", "z")


def test_table(tmp_path):
    put(tmp_path, *CLASSES)
    table = tmp_path / "t.csv"
    table.write_text("image;class;group\ncat/1.jpg;a;p1\ndog/3.jpg;b;p2\n")
    dataset = opened(table)
    assert shown(dataset) == {"cat/1.jpg": "a", "dog/3.jpg": "b"}
    assert dataset.groups == ("p1", "p2")


@pytest.mark.parametrize("suffix", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
@pytest.mark.parametrize("wrapper", ["", "data/", "data/clothing/"])
def test_archives(tmp_path, suffix, wrapper, monkeypatch):
    source = put(tmp_path / "in", *(wrapper + name for name in (*CLASSES, "LICENSE", "dog/.DS_Store")))
    path = tmp_path / f"data.{suffix}"
    if suffix == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted(source.rglob("*")):
                archive.write(file, file.relative_to(source))
    else:
        with tarfile.open(path, "w:" + suffix.partition(".")[2]) as archive:
            archive.add(source, ".")
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))  # the other tests' folders come and go
    with open_dataset(path) as dataset:
        assert list(place.iterdir())
        assert shown(dataset) == CLASSES
        assert Path(dataset.paths[0]).read_bytes().startswith(b"photo of")
        assert any("1 file skipped" in note for note in dataset.notes)
        assert any("1 hidden" in note for note in dataset.notes)
    assert not any(Path(path).exists() for path in dataset.paths)
    assert not list(place.iterdir())


def test_table_in_an_archive(tmp_path):
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.writestr(
            "top/labels.csv",
            "path,label,split\nimages/1.jpg,a,train\nimages/2.jpg,b,train\ngone.jpg,b,test\n",
        )
        archive.writestr("top/images/1.jpg", "1")
        archive.writestr("top/images/2.jpg", "2")
    dataset = opened(tmp_path / "data.zip")
    assert shown(dataset) == {"images/1.jpg": "a", "images/2.jpg": "b"}
    assert dataset.splits == ("train", "train")
    assert "table 'labels.csv': 3 rows" in dataset.notes[0]
    assert [refusal.path for refusal in dataset.refused] == ["gone.jpg"]


def test_table_beside_split_folders_without_classes(tmp_path):
    put(tmp_path, "train/1.jpg", "test/2.jpg")
    (tmp_path / "labels.csv").write_text("path,label\ntrain/1.jpg,a\ntest/2.jpg,b\n")
    assert opened(tmp_path).labels == ("a", "b")


def test_a_stray_table_does_not_beat_class_folders(tmp_path):
    put(tmp_path, *CLASSES)
    (tmp_path / "predictions.csv").write_text("path,label\ncat/1.jpg,wrong\n")
    assert shown(opened(tmp_path)) == CLASSES


def test_tables_that_merely_lie_beside_class_folders_are_doubted_not_read(tmp_path):
    put(tmp_path, *CLASSES, "notes.txt", "settings.json")
    for name in ("predictions.csv", "others.csv"):
        (tmp_path / name).write_text("path,label\ncat/1.jpg,wrong\ndog/3.jpg,wrong\n")
    dataset = opened(tmp_path)
    assert shown(dataset) == CLASSES
    (doubt,) = [doubt for doubt in dataset.doubts if doubt.code == "tables_beside_folders"]
    assert "others.csv" in doubt.message
    assert "settings" not in doubt.message


def test_where_no_labels_are_needed_names_of_files_say_none(tmp_path):
    put(tmp_path, *(f"{name}_{number}.jpg" for name in ("cat", "dog") for number in range(3)))
    assert opened(tmp_path).classes == ("cat", "dog")
    dataset = opened(tmp_path, minimum_classes=0)
    assert (set(dataset.labels), len(dataset)) == ({""}, 6)


def test_archive_errors_name_the_archive_not_the_temporary_folder(tmp_path):
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        archive.writestr("train/1.jpg", "1")
        archive.writestr("test/2.jpg", "2")
    with pytest.raises(DataError) as caught:
        opened(tmp_path / "data.zip")
    assert tempfile.gettempdir() + "/fieldguide-" not in str(caught.value)
    assert "data.zip" in str(caught.value)


@pytest.mark.parametrize(
    ("files", "match"),
    [
        ((), "must hold images, got none"),
        (("a.txt", "b/c.pdf"), "must hold images, got none"),
        (("1.jpg", "2.jpg"), "must hold images, got none"),
        (("cat/1.jpg",), r"need two classes to tell apart, got 1 \('cat'\)"),
        (("cat/1.jpg", "cat/a/2.jpg", "cat/b/2.jpg"), "need two classes"),
        (("train/cat/1.jpg", "test/cat/2.jpg", "test/dog/2.jpg"), "need two classes"),
    ],
)
def test_what_stops_early(tmp_path, files, match):
    with pytest.raises(DataError, match=match):
        opened(put(tmp_path / "data", "data/x.txt", *files))


def test_missing_and_unknown_forms_stop_early(tmp_path):
    with pytest.raises(DataError, match="there is no such file or folder"):
        opened(tmp_path / "gone")
    put(tmp_path, "photo.jpg")
    with pytest.raises(DataError, match="DATA must be a folder or end in"):
        opened(tmp_path / "photo.jpg")


def test_fewer_classes_where_allowed(tmp_path):
    put(tmp_path, "cat/1.jpg", "2.jpg")
    assert opened(tmp_path, minimum_classes=1).labels == ("cat",)
    assert sorted(opened(tmp_path, minimum_classes=0).labels) == ["", "cat"]
    with pytest.raises(DataError, match="need 3 classes"):
        opened(put(tmp_path, "dog/1.jpg"), minimum_classes=3)


def test_empty_class_folder_is_said(tmp_path):
    put(tmp_path, *CLASSES)
    (tmp_path / "bird").mkdir()
    dataset = opened(tmp_path)
    assert dataset.classes == ("cat", "dog")
    assert dataset.notes == ("1 class folder without images left out: 'bird'",)


@pytest.mark.parametrize("twins", [("Cat", "cat"), ("é", unicodedata.normalize("NFD", "é")), ("cat ", "cat")])
def test_class_names_that_look_alike_are_both_named(tmp_path, twins):
    dataset = opened(put(tmp_path, *(f"{name}/1.jpg" for name in (*twins, "dog"))))
    assert set(dataset.classes) == {*twins, "dog"}
    (note,) = dataset.notes
    assert all(ascii(name) in note for name in twins)


def test_classes_missing_from_train_are_said(tmp_path):
    put(tmp_path, "train/cat/1.jpg", "train/dog/2.jpg", "test/bird/3.jpg")
    assert opened(tmp_path).notes == ("not in train, so never predicted: 'bird'",)


def test_refused_rows_explain_why_nothing_is_left(tmp_path):
    (tmp_path / "t.csv").write_text("path,label\n../x.jpg,cat\n")
    with pytest.raises(DataError, match=r"got none but 1 refused, first '\.\./x\.jpg': the path leaves"):
        opened(tmp_path / "t.csv")


def test_odd_names_reach_the_dataset_unchanged(tmp_path):
    raw = b"cat\xff\n=/bad\xfe,.jpg"
    put(tmp_path, os.fsdecode(raw))
    dataset = opened(put(tmp_path, "dog/1.jpg"))
    assert raw in {os.fsencode(dataset.display(path)) for path in dataset.paths}
    assert os.fsdecode(b"cat\xff\n=") in dataset.classes


def test_no_learning_library_is_loaded():
    code = (
        "import sys, fieldguide.data.dataset, fieldguide.data.splits\n"
        "heavy = {'torch', 'timm', 'sklearn', 'scipy', 'onnx', 'pyarrow', 'pandas'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.shared
def test_the_shared_photos():
    clothing = Path(__file__).parents[3] / "shared/data/clothing"
    if not clothing.is_dir():
        pytest.skip("the shared photos are not here")
    dataset = opened(clothing)
    assert len(dataset.select("train")) == 3068
    assert len(dataset.select("validation")) == 341
    assert len(dataset.classes) == 10


@pytest.mark.parametrize("given", [["a.jpg", "b.jpg", "c.jpg"], 3, None])
def test_what_is_no_data_is_said(given):
    with (
        pytest.raises(DataError, match="data: must be a path, a frame, a pair of lists"),
        open_dataset(given),
    ):
        pass


@pytest.mark.parametrize(
    ("root", "name", "called"),
    [
        (".", "tags.csv", "tags.csv"),
        ("a/b", "b", str(Path("a/b"))),
        (".", ".", "."),
        ("a/b", "", str(Path("a/b"))),
    ],
)
def test_errors_name_the_table_rather_than_the_folder_it_lies_in(root, name, called):
    assert Dataset(Path(root), (), (), name=name).called == called
