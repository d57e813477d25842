"""DTD: the first of its splits, and lines that are none."""

from fieldguide.data.dataset import open_dataset
from form_samples_published import dtd, write_lines


def test_the_first_split_is_used_and_said(tmp_path):
    with open_dataset(dtd(tmp_path)) as dataset:
        assert [len(dataset.select(part)) for part in ("train", "validation", "test")] == [2, 2, 2]
        assert "there are 2 splits, and the first is used; for another, give its lists" in dataset.notes


def test_a_line_without_a_class_is_refused(tmp_path):
    dtd(tmp_path)
    write_lines(tmp_path / "labels" / "val1.txt", ["cat/a2.jpg", "b2.jpg"])
    with open_dataset(tmp_path) as dataset:
        assert dataset.refused[0].path == f"{tmp_path / 'labels' / 'val1.txt'}, line 2"
