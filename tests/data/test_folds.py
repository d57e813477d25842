"""The folds of a cross-validation."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from fieldguide.data import folds as folds_module
from fieldguide.data.dataset import Dataset
from fieldguide.data.folds import Contents, contents_of, deal, deal_folds, deal_tags, training_part
from fieldguide.errors import DataError, OptionError, Refusal
from fieldguide.tasks.tags import Tags


def noise(count):
    from fieldguide.data.duplicates import signature

    images = np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
    return np.stack([signature(image) for image in images])


def made(labels, digests=None, refused=(), **columns):
    count = len(labels)
    paths = tuple(f"/d/{row}.jpg" for row in range(count))
    dataset = Dataset(Path("/d"), paths, tuple(labels), **columns)
    kept = np.arange(count)
    return dataset, Contents(kept, tuple(digests or map(str, range(count))), noise(count), tuple(refused))


def test_each_image_is_held_out_once_and_classes_are_spread():
    folds = deal_folds(*made("ab" * 15), 5, seed=0)
    assert folds.count == 5
    held = np.concatenate([folds.parts(fold)[1] for fold in range(5)])
    assert sorted(held.tolist()) == list(range(30))
    for fold in range(5):
        learned, out = folds.parts(fold)
        assert not set(learned) & set(out)
        assert np.bincount(folds.truth[out]).tolist() == [3, 3]


def test_the_same_seed_deals_the_same_and_another_does_not():
    first, again, other = (deal_folds(*made("ab" * 15), 5, seed).numbers.tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_copies_and_groups_share_a_fold():
    digests = [str(row) for row in range(28)] + ["0", "1"]
    groups = ["shop" if row in (4, 9, 14) else "" for row in range(30)]
    folds = deal_folds(*made("ab" * 15, digests, groups=tuple(groups)), 5, seed=0)
    assert folds.numbers[0] == folds.numbers[28] and folds.numbers[1] == folds.numbers[29]
    assert len(set(folds.numbers[[4, 9, 14]])) == 1


def test_there_are_no_more_folds_than_separate_photos():
    assert deal_folds(*made("aabbb"), 5, seed=0).count == 3
    assert deal_folds(*made("aab"), 5, seed=0).count == 2


@pytest.mark.parametrize(
    ("labels", "digests", "folds", "error", "told"),
    [
        ("ab" * 5, None, 1, OptionError, "folds: must be 2 or more, got 1"),
        ("aaa", None, 5, DataError, "need images of two classes that can be read, got 3 images of 1 after 1"),
        ("aabb", "xxyy", 5, DataError, "no class has two separate photos"),
    ],
)
def test_what_cannot_be_dealt_is_said(labels, digests, folds, error, told):
    refused = [Refusal("/d/x.jpg", "empty", "m")]
    with pytest.raises(error, match=told):
        deal_folds(*made(labels, list(digests) if digests else None, refused), folds, seed=0)


def test_the_fingerprint_is_of_contents_labels_and_groups():
    folds = deal_folds(*made("ab" * 5), 2, seed=0)
    grouped = deal_folds(*made("ab" * 5, groups=("g",) + ("",) * 9), 2, seed=0)
    rows = np.arange(4)
    assert folds.fingerprint(rows) == deal_folds(*made("ab" * 5), 3, seed=1).fingerprint(rows)
    assert len({folds.fingerprint(rows), folds.fingerprint(rows[:3]), grouped.fingerprint(rows)}) == 3


def test_tags_are_dealt_and_part_of_the_fingerprint():
    dataset, contents = made("ab" * 6)
    tags = tuple(Tags.of(["x"] if row % 2 else ["x", "y"], ["z"] if row == 0 else ()) for row in range(12))
    tagged = dataclasses.replace(dataset, labels=("",) * 12, tags=tags)
    folds = deal_folds(tagged, contents, 3, seed=0)
    assert np.bincount(folds.numbers).tolist() == [4, 4, 4]
    assert [int(shown.sum()) for shown in folds.showing()] == [12, 6]
    assert folds.tags[:2].tolist() == [[1, 1], [1, 0]]
    other = dataclasses.replace(tagged, tags=(Tags.of(["x", "y"]), *tags[1:]))
    rows = np.arange(3)
    assert deal_folds(other, contents, 3, seed=0).fingerprint(rows) != folds.fingerprint(rows)
    assert np.bincount(folds.numbers, folds.tags[:, 1]).tolist() == [2, 2, 2]


def test_what_is_shown_is_told_class_by_class():
    folds = deal_folds(*made("abbabb"), 2, seed=0)
    assert [shown.tolist() for shown in folds.showing()] == [
        [True, False, False, True, False, False],
        [False, True, True, False, True, True],
    ]


def test_copies_of_one_photo_with_tags_cannot_be_dealt():
    dataset, contents = made("ab", groups=("g", "g"))
    tagged = dataclasses.replace(dataset, labels=("", ""), tags=(Tags(("x",)), Tags(("y",))))
    with pytest.raises(DataError, match="there are not two separate photos"):
        deal_folds(tagged, contents, 2, seed=0)


def test_only_labelled_images_of_train_are_looked_at():
    splits = ("train", "train", "test", "validation")
    dataset = Dataset(Path("/d"), ("a", "b", "c", "d"), ("x", "", "y", "z"), splits)
    assert training_part(dataset).paths == ("a",)
    assert training_part(Dataset(Path("/d"), ("a", "b"), ("x", ""))).paths == ("a",)


def test_contents_are_read_and_what_cannot_be_is_refused(tmp_path, paint):
    path = str(paint(tmp_path / "a.png", (9, 99, 199), 0))
    seen = contents_of([path, str(tmp_path / "none.png"), path])
    assert seen.rows.tolist() == [0, 2]
    assert seen.digests[0] == seen.digests[1]
    assert [refusal.code for refusal in seen.refused] == ["missing"]


def test_there_are_five_folds_of_many_images_three_and_never_more_than_groups(monkeypatch):
    labels, apart = ["a", "b"] * 20, np.arange(40)
    assert deal(labels, apart, seed=0).max() == 4
    assert deal(labels, apart, seed=0, folds=7).max() == 6
    assert deal(labels, apart // 20, seed=0).max() == 1
    tags = [Tags((label,)) for label in labels]
    for most, last in ((40, 4), (39, 2)):
        monkeypatch.setattr(folds_module, "MANY", most)
        assert deal(labels, apart, seed=0).max() == last
        assert deal_tags(tags, apart, seed=0).max() == last


def test_folds_are_dealt_in_one_place():
    """Whoever deals folds by another rule makes promises that no other part of the package would make."""
    source = Path(folds_module.__file__).parents[1]
    users = [path for path in source.rglob("*.py") if "fold_groups" in path.read_text(encoding="utf-8")]
    assert sorted(path.relative_to(source).as_posix() for path in users) == [
        "data/folds.py",
        "data/splits.py",
    ]
