"""What recipes learn from: images with features, classes, and folds that keep look-alikes together."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from fieldguide.backbones.extraction import Features
from fieldguide.data import folds
from fieldguide.data.dataset import Dataset
from fieldguide.data.duplicates import signature
from fieldguide.errors import DataError, Refusal
from fieldguide.recipes.common import Options, Run
from fieldguide.recipes.labelled_features import fingerprint, learn_from, shares_summary


def learned(monkeypatch, labels, digests=None, rows=None, seed=0):
    """From images of these labels, of which those at `rows` can be read."""
    count = len(labels)
    rows = np.arange(count) if rows is None else np.array(rows)
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (len(rows), 32, 32, 3), dtype=np.uint8)
    features = Features(
        vectors=random.normal(size=(len(rows), 3)).astype(np.float32),
        signatures=np.stack([signature(image) for image in images]),
        digests=tuple(digests or map(str, range(len(rows)))),
        rows=rows,
        refused=tuple(Refusal(str(n), "empty", "m") for n in set(range(count)) - set(rows.tolist())),
        seconds={},
        cached=0,
    )
    monkeypatch.setattr(Run, "extract", lambda self, paths, body: features)
    paths = tuple(f"{number}.jpg" for number in range(count))
    dataset = Dataset(Path("data"), paths, tuple(labels))
    return learn_from(dataset, None, Options(seed=seed), Run())


def test_five_folds_are_dealt_and_told(monkeypatch):
    made = learned(monkeypatch, "ba" * 20)
    assert made.classes == ("a", "b")
    assert made.numbers.tolist() == [1, 0] * 20
    assert np.bincount(made.folds).tolist() == [8] * 5
    assert made.folding == "5-fold cross-validation inside the training images"
    assert made.table().n_classes == 2


def test_of_many_images_there_are_three_folds(monkeypatch):
    monkeypatch.setattr(folds, "MANY", 30)
    assert learned(monkeypatch, "ab" * 20).folds.max() == 2


def test_copies_share_a_fold_and_are_told(monkeypatch):
    made = learned(monkeypatch, "ab" * 10, digests=[str(row % 18) for row in range(20)])
    assert (made.folds[[18, 19]] == made.folds[[0, 1]]).all()
    assert made.folding.endswith("; 2 near-duplicates or group members kept on one side")


def test_what_cannot_be_read_is_left_out(monkeypatch):
    made = learned(monkeypatch, "abab" * 3, rows=[0, 1, 2, 3, 8, 9])
    assert made.kept.paths == ("0.jpg", "1.jpg", "2.jpg", "3.jpg", "8.jpg", "9.jpg")
    assert len(made.features.refused) == 6


@pytest.mark.parametrize(
    ("labels", "digests", "rows", "told"),
    [
        ("aaab", None, [0, 1, 2], "need images of two classes that can be read, got 3 images of 1 after 1"),
        ("aabb", "xxyy", None, "no class has two separate photos"),
    ],
)
def test_what_nothing_can_be_learned_from_is_said(labels, digests, rows, told, monkeypatch):
    with pytest.raises(DataError, match=told):
        learned(monkeypatch, labels, list(digests) if digests else None, rows)


def test_shares_are_told_where_they_are_unequal():
    assert "nearly equal" in shares_summary("aaabb", used=True)
    assert "'a' 4, 'b' 1" in shares_summary("aaaab", used=True)
    assert "do not expect these shares" in shares_summary("aaaab", used=False)


def test_the_fingerprint_does_not_depend_on_the_order():
    first = fingerprint(["1", "2"], ["a", "b\udcff"])
    assert first == fingerprint(["2", "1"], ["b\udcff", "a"]) != fingerprint(["1", "2"], ["b\udcff", "a"])
    assert first == hashlib.sha256(b"1 a\n2 b\xff").hexdigest()
