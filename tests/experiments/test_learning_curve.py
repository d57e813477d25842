"""Learning curves: nested shares, a law that is found again, an outlook that keeps its promise."""

import numpy as np
import pytest

from curve_made import SIZES, law
from fieldguide.data.dataset import open_dataset
from fieldguide.experiments.cross_validation import cross_validation
from fieldguide.experiments.fold_task import Candidate
from fieldguide.experiments.learning_curve import CurvePoint, concluded, learning_curve, nested_places
from fieldguide.metrics.intervals import share
from fieldguide.recipes.common import Options

CANDIDATE = Candidate("probe", "linear-probe", Options("test_efficientnet"))


def answered(errors, images, rng):
    """Right or wrong at each size, where an image that is easy at few stays easy at many."""
    hard = rng.random(images)
    return np.stack([hard + 0.02 * rng.standard_normal(images) > error for error in errors])


def conclude(rights, groups=None):
    points = [
        CurvePoint(size / SIZES[-1], float(size), share(int(right.sum()), len(right)))
        for size, right in zip(SIZES, rights, strict=False)
    ]
    return concluded(CANDIDATE, points, rights, np.arange(rights.shape[1]) if groups is None else groups)


def test_the_outlook_holds_the_truth():
    """Over redrawn data sets of 250 images the interval at 500 holds the law's accuracy there."""
    rng = np.random.default_rng(0)
    held, told = 0, 0
    for _ in range(60):
        curve = conclude(answered(law(SIZES), 250, rng))
        if curve.outlook is not None:
            told += 1
            held += curve.outlook.accuracy.low <= 1 - law(500) <= curve.outlook.accuracy.high
    assert told >= 40
    assert held / told >= 0.9


def test_the_outlook_speaks_of_twice_the_images():
    curve = conclude(answered(law(SIZES), 2000, np.random.default_rng(1)))
    assert curve.outlook.images == 4000
    assert curve.outlook.gain.low <= curve.outlook.gain.value <= curve.outlook.gain.high
    assert "4000 images" in curve.sentence
    assert curve.as_dict()["outlook"]["gain"]["value"] == curve.outlook.gain.value


@pytest.mark.parametrize(
    ("errors", "reason"),
    [
        ([0.3] * 5, "does not rise by more than chance"),
        ([0.3, 0.2, 0.1, 0.05, -1.0], "every held-out image is answered right already"),
        ([0.5, 0.4, 0.3], "3 points are too few"),
    ],
)
def test_where_the_points_say_nothing_there_is_no_outlook(errors, reason):
    curve = conclude(answered(errors, 300, np.random.default_rng(2)))
    assert curve.outlook is None
    assert reason in curve.sentence


def test_few_held_out_images_allow_no_outlook():
    curve = conclude(answered([0.7, 0.6, 0.5, 0.4, 0.3], 30, np.random.default_rng(3)))
    assert curve.outlook is None
    assert "too few are held out" in curve.sentence


def test_copies_are_no_more_evidence():
    rights = answered(law(SIZES), 60, np.random.default_rng(4))
    alone = conclude(rights)
    copied = conclude(np.repeat(rights, 20, axis=1), np.repeat(np.arange(60), 20))
    believed = conclude(np.repeat(rights, 20, axis=1))
    assert alone.outlook is None
    assert copied.outlook is None
    assert believed.outlook is not None


@pytest.fixture
def photos(tmp_path, paint_classes):
    folder = paint_classes(tmp_path / "photos", {"red": 14, "green": 12, "blue": 10})
    with open_dataset(folder) as dataset:
        yield dataset


def test_shares_are_nested_and_hold_every_class(photos, tiny_hub, tmp_path):
    with cross_validation(photos, [CANDIDATE], folds=3, cache=tmp_path / "cache") as work:
        places = nested_places(work.folding, 0)
        labels = np.array(photos.labels)
        for part in (0.25, 0.5, 0.75):
            for name in photos.classes:
                kept = (places[labels == name] <= part).mean()
                assert kept == pytest.approx(part, abs=0.15)
        for group in set(work.folding.groups.tolist()):
            assert len(set(places[work.folding.groups == group])) == 1
        assert places.min() > 0
        assert places.max() < 1
        assert not np.array_equal(places, nested_places(work.folding, 1))


def test_it_measures_the_same_held_out_images_at_every_share(photos, tiny_hub, tmp_path, monkeypatch):
    monkeypatch.setattr("fieldguide.experiments.learning_curve.SHARES", (0.01, 0.5, 1.0))
    seen = []
    curve = learning_curve(
        photos,
        CANDIDATE,
        folds=3,
        cache=tmp_path / "cache",
        progress=lambda *step: seen.append(step),
    )
    assert [point.share for point in curve.points] == [0.5, 1.0]  # 1 % has not two photos of every class
    assert curve.points[1].images == 24
    assert 10 <= curve.points[0].images <= 14
    assert seen[-1] == ("learning curve", 6, 6)
    assert curve.outlook is None


def test_a_curve_of_mean_average_precision_is_called_so():
    rights = answered(law(SIZES), 2000, np.random.default_rng(1)).astype(np.float64)
    points = [
        CurvePoint(size / SIZES[-1], float(size), share(int(right.sum()), len(right)), "map")
        for size, right in zip(SIZES, rights, strict=False)
    ]
    curve = concluded(CANDIDATE, points, rights, np.arange(2000))
    answer = curve.as_dict()
    assert "map" in answer["points"][0] and "map" in answer["outlook"]
    assert "accuracy" not in answer["points"][0]
    flat = concluded(CANDIDATE, points, np.repeat(rights[:1], len(points), 0), np.arange(2000))
    assert "mean average precision does not rise" in flat.sentence
