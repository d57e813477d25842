"""One column a class: which rows count, and which tables are no such table."""

import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.data.forms.one_hot import recognise
from fieldguide.data.forms.source import DataSource
from fieldguide.data.options import DataOptions
from fieldguide.tasks.task import Task
from form_samples import draw_all, write_csv


@pytest.fixture
def data(tmp_path):
    draw_all(tmp_path)
    return tmp_path


def test_several_and_none_are_counted(data):
    rows = [["a1.jpg", 1, 0], ["a2.jpg", 1, 1], ["a3.jpg", 0, 0], ["b1.jpg", 0, 1], ["b2.jpg", "1.0", "0.0"]]
    write_csv(data / "t.csv", [["filename", "cat", "dog"], *rows])
    with open_dataset(data / "t.csv", options=DataOptions(task=Task.SINGLE)) as dataset:
        assert dataset.labels == ("cat", "dog", "cat")
        assert any("tags" in note for note in dataset.notes)
        assert any("no class in the row" in note for note in dataset.notes)


def test_minus_one_is_no(data):  # CelebA
    write_csv(data / "t.csv", [["image_id", "cat", "dog"], ["a1.jpg", 1, -1], ["b1.jpg", -1, 1]])
    with open_dataset(data / "t.csv") as dataset:
        assert dataset.labels == ("cat", "dog")


def test_a_table_with_a_column_of_labels_is_another_form(data):
    write_csv(
        data / "t.csv",
        [["image", "label", "blurred", "night"], ["a1.jpg", "cat", 0, 1], ["b1.jpg", "dog", 1, 0]],
    )
    assert not recognise(DataSource(data / "t.csv"))


def test_splits_and_groups_are_read_and_are_no_classes(data):
    rows = [["a1.jpg", 1, 0, "train", "x"], ["a2.jpg", 0, 1, "test", "y"], ["b1.jpg", 1, 1, "train", ""]]
    write_csv(data / "t.csv", [["path", "cat", "dog", "split", "group"], *rows])
    with open_dataset(data / "t.csv", tasks={Task.MULTIPLE}) as dataset:
        assert dataset.splits == ("train", "test", "train")
        assert dataset.groups == ("x", "y", "")
        assert dataset.classes == ("cat", "dog")
    write_csv(data / "t.csv", [["path", "cat", "dog", "group"], *[[*row[:3], 1] for row in rows]])
    with open_dataset(data / "t.csv", tasks={Task.MULTIPLE}) as dataset:
        assert dataset.classes == ("cat", "dog")
