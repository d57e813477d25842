from pathlib import Path

import pytest

from fieldguide.data.dataset import Dataset, open_dataset
from fieldguide.data.writers.split_table import write_split_table
from fieldguide.errors import OutputError


def test_paths_count_from_the_table(tmp_path, paint_classes):
    photos = paint_classes(tmp_path / "photos", {"red": 2, "green": 2})
    paths = tuple(str(path) for path in sorted(photos.glob("*/*.png")))
    splits, labels = ("train", "test") * 2, ("green", "green", "red", "red")
    write_split_table(Dataset(photos, paths, labels, splits), tmp_path / "table.csv")
    with open_dataset(tmp_path / "table.csv", minimum_classes=1) as read:
        assert read.splits == splits and read.labels == labels


def test_photos_that_lie_elsewhere_cannot_be_listed(tmp_path):
    elsewhere = Dataset(Path("/photos"), ("/photos/a.png",), ("a",), ("train",))
    with pytest.raises(OutputError, match="a table must lie above the photos it lists"):
        write_split_table(elsewhere, tmp_path / "table.csv")
