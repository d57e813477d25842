"""`open_dataset` and what else DATA may be given as."""

import gc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fieldguide
from fieldguide.errors import DataError, OptionError


def test_an_archive_lasts_as_long_as_what_was_made_of_it(photos, tmp_path):
    archive = tmp_path / "photos.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in photos.rglob("*.png"):
            file.write(path, path.relative_to(photos))
    data = fieldguide.open_dataset(archive)
    part = data.take([0, 1])
    assert data.name == "photos.zip"
    del data
    gc.collect()
    first = Path(part.paths[0])
    assert first.is_file()
    del part
    gc.collect()
    assert not first.exists()


def test_lists_of_paths_and_labels_are_data(photos):
    paths = sorted(photos.glob("*/0*.png"))
    labels = [path.parent.name for path in paths]
    data = fieldguide.open_dataset(paths, labels, groups=np.arange(len(paths)) // 2)
    assert data.classes == ("blue", "green", "red") and len(set(data.groups)) == 18
    assert fieldguide.open_dataset((paths, np.array(labels))).labels == tuple(labels)
    pictures = [Image.open(path) for path in paths[:4]]
    assert len(fieldguide.open_dataset(pictures, ["a", "a", "b", "b"])) == 4


def test_lists_of_unequal_length_are_refused(photos):
    with pytest.raises(DataError, match=r"must be equally many, got \[2, 1\]"):
        fieldguide.open_dataset(["a.jpg", "b.jpg"], ["a"])


def test_what_is_open_already_is_passed_on_and_not_read_another_way(photos):
    data = fieldguide.open_dataset(photos, minimum_classes=0)
    assert fieldguide.open_dataset(data) == data
    with pytest.raises(OptionError, match="photos: how it is read must be said when it is opened"):
        fieldguide.open_dataset(data, form="folders")
    with pytest.raises(DataError, match="need two classes"):
        fieldguide.train(data.take([0, 1]), progress=False)


def test_the_options_of_reading_reach_the_reader(tmp_path, paint):
    for number in range(4):
        paint(tmp_path / "all" / f"{'cat' if number % 2 else 'dog'}_{number}.png", (9, 9, 9), number)
    data = fieldguide.open_dataset(tmp_path / "all", label_from=r"(?P<label>[a-z]+)_\d")
    assert data.classes == ("cat", "dog")
