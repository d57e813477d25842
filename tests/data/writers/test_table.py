"""The table beside photos: only the columns that hold something."""

import csv

from fieldguide.data.writers.placing import PlacedPhoto
from fieldguide.data.writers.table import write_rows


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_splits_and_groups_where_there_are_some(tmp_path):
    write_rows([PlacedPhoto("a.jpg", "cat", "", "")], tmp_path / "plain.csv")
    assert rows(tmp_path / "plain.csv") == [["path", "label"], ["a.jpg", "cat"]]
    write_rows([PlacedPhoto("a.jpg", "cat", "test", "p1")], tmp_path / "whole.csv")
    assert rows(tmp_path / "whole.csv") == [
        ["path", "label", "split", "group"],
        ["a.jpg", "cat", "test", "p1"],
    ]
