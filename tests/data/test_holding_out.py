"""Splits for measuring: shares, classes, near-duplicates and groups."""

import shutil

import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.data.holding_out import hold_out
from fieldguide.errors import DataError, OptionError
from form_samples import draw


@pytest.fixture
def photos(tmp_path):
    for number in range(60):
        draw(tmp_path / "photos" / ("cat" if number % 3 else "dog") / f"{number:02d}.png", number)
    return tmp_path / "photos"


def test_shares_hold_for_every_class(photos):
    with open_dataset(photos) as dataset:
        held = hold_out(dataset, 0.2, 0.1)
    assert held.counts == {"train": 42, "validation": 6, "test": 12}
    for label, count in (("cat", 8), ("dog", 4)):
        in_test = [
            name
            for name, split in zip(held.dataset.labels, held.dataset.splits, strict=True)
            if split == "test"
        ]
        assert in_test.count(label) == count
    assert held.lacking == {"test": (), "validation": ()}


def test_the_same_seed_gives_the_same_splits(photos):
    with open_dataset(photos) as dataset:
        first, again, other = (hold_out(dataset, 0.3, seed=seed).dataset.splits for seed in (1, 1, 2))
    assert first == again != other


def test_copies_stay_on_one_side(photos):
    for number in range(1, 20):
        original = photos / ("cat" if number % 3 else "dog") / f"{number:02d}.png"
        shutil.copy(original, original.with_name(f"copy of {number:02d}.png"))
    with open_dataset(photos) as dataset:
        held = hold_out(dataset, 0.5)
    split_of = {
        path.rpartition("/")[2]: split
        for path, split in zip(held.dataset.paths, held.dataset.splits, strict=True)
    }
    assert held.tied == 38
    for number in range(1, 20):
        assert split_of[f"{number:02d}.png"] == split_of[f"copy of {number:02d}.png"]


def test_what_cannot_be_read_is_refused_and_the_rest_dealt(photos):
    (photos / "cat/broken.png").write_bytes(b"no image")
    with open_dataset(photos) as dataset:
        held = hold_out(dataset, 0.2)
    assert [refusal.path for refusal in held.refused] == ["cat/broken.png"]
    assert sum(held.counts.values()) == 60


@pytest.mark.parametrize(("test", "validation"), [(0, 0), (1, 0), (0.5, 0.5), (-0.1, 0)])
def test_shares_that_leave_nothing_are_refused(photos, test, validation):
    with (
        open_dataset(photos) as dataset,
        pytest.raises(OptionError, match="must be shares that leave images"),
    ):
        hold_out(dataset, test, validation)


def test_one_photo_a_class_cannot_be_divided(tmp_path):
    for number, label in enumerate(("cat", "dog")):
        draw(tmp_path / label / "a.png", number)
    with (
        open_dataset(tmp_path) as dataset,
        pytest.raises(DataError, match="no class has two separate photos"),
    ):
        hold_out(dataset, 0.2)


def test_validation_alone_may_be_held_out(photos):
    with open_dataset(photos) as dataset:
        assert hold_out(dataset, 0.0, 0.2).counts == {"train": 48, "validation": 12}


@pytest.mark.parametrize("shares", [(-0.5, 0.8), (0.8, -0.5), (0.5, 0.5), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)])
def test_shares_that_leave_nothing_or_are_none_are_refused(photos, shares):
    with open_dataset(photos) as dataset, pytest.raises(OptionError, match="must be shares"):
        hold_out(dataset, *shares)


def test_classes_without_a_photo_to_measure_on_are_named(photos):
    draw(photos / "fox" / "1.png", 77)
    with open_dataset(photos) as dataset:
        assert hold_out(dataset, 0.2).lacking == {"test": ("fox",)}
