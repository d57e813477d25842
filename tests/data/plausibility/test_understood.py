"""What was understood of DATA, in three lines."""

from pathlib import Path

from fieldguide.data.dataset import Dataset
from fieldguide.data.plausibility.understood import understood
from fieldguide.errors import Refusal


def test_three_lines():
    labels = ("cat", "cat", "dog", "")
    splits = ("train", "validation", "train", "test")
    refused = (Refusal("x.jpg", "missing", "gone"),)
    dataset = Dataset(Path("d"), tuple("abcd"), labels, splits, None, refused, ("2 hidden names skipped",))
    assert understood(dataset) == (
        "4 photos of 2 classes: cat 2, dog 1; 1 photo without a label",
        "splits: train 2, validation 1, test 1; test is not opened",
        "notes: 1 refused; 2 hidden names skipped",
    )


def test_many_classes_and_nothing_left_out():
    labels = (*(f"class {number:02}" for number in range(20)), "class 19")
    photos, splits, left_out = understood(Dataset(Path("d"), tuple(map(str, range(21))), labels))
    assert photos.startswith("21 photos of 20 classes: class 19 2, class 00 1, ")
    assert photos.endswith(", …")
    assert (splits, left_out) == ("no splits: all of them are learned from", "left out: nothing")
