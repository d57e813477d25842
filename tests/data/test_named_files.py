"""A data set of files named one by one: labels from their folders, or from a regular expression."""

from pathlib import Path

import pytest

from fieldguide.data.named_files import named_files
from fieldguide.data.options import DataOptions
from fieldguide.data.split_names import SplitChoice
from fieldguide.errors import DataError, OptionError


@pytest.fixture
def tree(tmp_path, monkeypatch, paint_classes):
    monkeypatch.chdir(tmp_path)
    for split in ("train", "test"):
        paint_classes(tmp_path / "photos" / split, {"red": 2, "green": 2})
    return sorted(str(path.relative_to(tmp_path)) for path in (tmp_path / "photos").rglob("*.png"))


def test_the_folder_is_the_label_and_the_one_above_the_split(tree):
    dataset = named_files(tree)
    assert dataset.paths == tuple(tree)
    assert dataset.classes == ("green", "red")
    assert dataset.splits == ("test",) * 4 + ("train",) * 4
    assert [dataset.display(path) for path in dataset.paths] == tree


def test_without_split_folders_there_are_no_splits(tree, paint_classes, tmp_path):
    paint_classes(tmp_path / "more", {"red": 1})
    assert named_files([*tree, "more/red/000.png"]).splits is None
    assert named_files(tree, splits=SplitChoice(ignored=True)).splits is None


def test_a_pattern_says_label_split_and_group(tree):
    pattern = r"photos/(?P<split>\w+)/(?P<label>\w)\w*/00(?P<group>\d)"
    dataset = named_files(tree, DataOptions(label_from=pattern))
    assert dataset.classes == ("g", "r")
    assert dataset.splits[0] == "test" and dataset.groups[:2] == ("0", "1")


def test_what_is_no_file_is_refused_and_the_rest_goes_on(tree):
    dataset = named_files([*tree, "photos", "none.png", "a\0b"])
    assert len(dataset) == 8
    assert [refusal.code for refusal in dataset.refused] == ["not_a_file", "missing", "missing"]


def test_a_name_that_comes_again_counts_once(tree):
    dataset = named_files([*tree, tree[0], tree[0]])
    assert len(dataset) == 8 and dataset.notes == ("2 names were repeated and counted once",)


def test_nothing_that_can_be_used_and_options_of_tables_are_said(tree):
    with pytest.raises(DataError, match=r"-: none of 1 name is an image that can be used; 'x': there is no"):
        named_files(["x"])
    with pytest.raises(OptionError, match="neither a form, columns, boxes nor keywords"):
        named_files(tree, DataOptions(label_column="kind"))


def test_absolute_names_are_read_alike(tree):
    whole = [str(Path(name).resolve()) for name in tree]
    assert named_files(whole).labels == named_files(tree).labels
