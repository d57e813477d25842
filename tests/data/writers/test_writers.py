"""Every form that is written: what it holds is read back as it was."""

from collections import Counter
from pathlib import Path

import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.data.writers import WRITERS, write_dataset, writer
from fieldguide.errors import OptionError, OutputError
from form_samples import LABELS, draw_all, write_csv

SPLITS = {"a1": "train", "a2": "train", "a3": "test", "b1": "train", "b2": "train", "b3": "test"}


@pytest.fixture(params=WRITERS)
def form(request):
    return request.param


def source(folder, splits=False):
    draw_all(folder / "photos")
    header = ["path", "label", *(["split"] if splits else [])]
    rows = [
        [f"photos/{stem}.jpg", label, *([SPLITS[stem]] if splits else [])] for stem, label in LABELS.items()
    ]
    write_csv(folder / "labels.csv", [header, *rows])
    return folder / "labels.csv"


def test_what_is_written_is_read_back(tmp_path, form):
    with open_dataset(source(tmp_path / "in")) as dataset:
        assert write_dataset(dataset, form, tmp_path / "out") == len(LABELS)
    with open_dataset(tmp_path / "out") as read:
        found = {Path(path).stem: label for path, label in zip(read.paths, read.labels, strict=True)}
        assert found == LABELS
        assert not read.refused
        assert {Path(path).read_bytes() for path in read.paths} == {
            path.read_bytes() for path in (tmp_path / "in" / "photos").iterdir()
        }


@pytest.mark.parametrize("form", sorted(set(WRITERS) - {"fiftyone", "label-studio"}))
def test_splits_are_read_back(tmp_path, form):
    with open_dataset(source(tmp_path / "in", splits=True)) as dataset:
        write_dataset(dataset, form, tmp_path / "out")
    with open_dataset(tmp_path / "out") as read:
        found = {Path(path).stem: split for path, split in zip(read.paths, read.splits, strict=True)}
        assert found == SPLITS


def test_a_form_without_splits_says_so(tmp_path):
    with (
        open_dataset(source(tmp_path / "in", splits=True)) as dataset,
        pytest.raises(OutputError, match="FiftyOne's form has no splits"),
    ):
        write_dataset(dataset, "fiftyone", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_photos_of_the_same_name_stay_apart(tmp_path, form):
    for label in ("cat", "dog"):
        draw_all(tmp_path / "in" / label)
    with open_dataset(tmp_path / "in") as dataset:
        write_dataset(dataset, form, tmp_path / "out")
    with open_dataset(tmp_path / "out") as read:
        assert Counter(read.labels) == {"cat": 6, "dog": 6}


def test_links_take_no_space(tmp_path):
    with open_dataset(source(tmp_path / "in")) as dataset:
        write_dataset(dataset, "folders", tmp_path / "out", link=True)
    assert (tmp_path / "out/cat/a1.jpg").samefile(tmp_path / "in/photos/a1.jpg")


def test_nothing_is_written_over(tmp_path, form):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("mine")
    with (
        open_dataset(source(tmp_path / "in")) as dataset,
        pytest.raises(OutputError, match="must be a new or empty folder"),
    ):
        write_dataset(dataset, form, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("label", ["a/b", "..", "a\\b", "end."])
def test_a_label_that_is_no_folder_is_named(tmp_path, label):
    draw_all(tmp_path / "in")
    rows = [[f"{stem}.jpg", label if kind == "cat" else kind] for stem, kind in LABELS.items()]
    write_csv(tmp_path / "in/labels.csv", [["path", "label"], *rows])
    with (
        open_dataset(tmp_path / "in/labels.csv") as dataset,
        pytest.raises(OutputError, match="must be a name that a folder may have"),
    ):
        write_dataset(dataset, "folders", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_unknown_form_is_named():
    with pytest.raises(OptionError, match=r"--to must be one of table, folders.*got 'x'"):
        writer("x")
