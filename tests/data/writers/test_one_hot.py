"""A column a class, with single labels; tests/data/writers/test_tags.py has tags."""

from fieldguide.data.dataset import open_dataset
from fieldguide.data.writers import write_dataset


def test_single_labels_are_read_back_as_they_were(tmp_path, paint_classes):
    with open_dataset(paint_classes(tmp_path / "photos", {"red": 3, "blue": 2})) as dataset:
        write_dataset(dataset, "one-hot", tmp_path / "out")
        first = (tmp_path / "out" / "labels.csv").read_text().splitlines()[0]
        assert first == '"path","blue","red"'
        with open_dataset(tmp_path / "out") as again:
            assert sorted(again.labels) == sorted(dataset.labels)
