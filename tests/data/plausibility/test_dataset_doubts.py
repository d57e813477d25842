"""What looks as if it was meant otherwise."""

from pathlib import Path

import pytest

from fieldguide.data.dataset import Dataset
from fieldguide.data.plausibility.dataset_doubts import doubts_about
from fieldguide.data.plausibility.doubts import CODES


def doubts(labels, splits=None):
    dataset = Dataset(Path("photos"), tuple(map(str, range(len(labels)))), tuple(labels), splits)
    found = doubts_about(dataset)
    assert all(doubt.code in CODES for doubt in found)
    return [(doubt.code, doubt.grave) for doubt in found]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["cat", "dog"], []),
        (["train", "test", "val"], [("class_like_split", True)]),
        (["cat", "Training"], [("class_like_split", True)]),
        (["cat", "dog", "valid"], [("class_like_split", False)]),
        (["thumbnails", "dog"], [("class_like_system_folder", False)]),
        (["New Folder (2)", "dog"], [("class_like_system_folder", False)]),
        (["0", "0.0", "1"], [("labels_as_numbers", True)]),
        (["01", "1"], [("labels_as_numbers", True)]),
        (["0.0", "1.0"], [("labels_as_numbers", False)]),
        (["0", "1", "2.5"], []),
        (["dog", "dog, beach"], [("labels_in_one", False)]),
        (["dog", "dog|beach"], [("labels_in_one", False)]),
        (["sea", "dog", "dog;beach"], [("labels_in_one", False)]),
        (["Oak, Turkey", "Oak, red"], []),
        (["", "dog,"], []),
    ],
)
def test_names_of_classes(labels, expected):
    assert doubts(labels) == expected


def test_splits_without_a_class_in_common():
    assert doubts(["cat", "dog"], ("train", "test")) == [("splits_share_no_class", True)]
    assert doubts(["cat", "cat", "dog"], ("train", "test", "train")) == []
    assert doubts(["cat", "dog", ""], ("train", "train", "test")) == []
