"""How far photos are from what the network knows: by depth of the probe's features, and by activations."""

import numpy as np
import pytest

from fieldguide.heads.training_table import TrainingTable
from fieldguide.recipes.finetune.evidence import (
    MOST,
    UNLIKE,
    DepthEvidence,
    TransferEvidence,
    by_depth,
    judged,
    some_rows,
)
from fieldguide.recipes.finetune.statistics import StatisticsDistance

DEPTHS = (("blocks.1.0:mean", 4), ("blocks.1.1:mean", 4), ("blocks.2.0:mean", 8), ("final", 8))


def table_with(telling, images=200):
    """Features of which only those of one stage tell three classes apart."""
    random = np.random.default_rng(0)
    labels = np.arange(images) % 3
    vectors = random.normal(size=(images, 24)).astype(np.float32)
    columns = {"blocks.1": slice(0, 8), "blocks.2": slice(8, 16), "final": slice(16, 24)}[telling]
    vectors[:, columns] += 2 * np.eye(3, 8, dtype=np.float32)[labels]
    return TrainingTable.of(vectors, labels.astype(np.int64), np.arange(images) // 3 % 5)


@pytest.mark.parametrize(("telling", "early"), [("blocks.1", True), ("blocks.2", False), ("final", False)])
def test_the_stage_that_tells_the_classes_apart_is_found(telling, early):
    found = by_depth(table_with(telling), DEPTHS, seed=0)
    assert found.stages == ("blocks.1", "blocks.2", "final")
    assert found.stages[found.best] == telling
    assert found.best_is_early is early
    assert found.images == 200
    assert found.accuracies[found.best] > 0.8
    others = [
        accuracy for stage, accuracy in zip(found.stages, found.accuracies, strict=True) if stage != telling
    ]
    assert max(others) < 0.5, "chance is a third: nobody was asked about images that it had learned"


def test_of_many_images_a_part_is_looked_at():
    assert by_depth(table_with("final", images=3 * MOST), DEPTHS, seed=0).images == MOST
    rows = some_rows(1000, 50, seed=1)
    assert len(set(rows.tolist())) == 50 and rows.tolist() == sorted(rows.tolist())
    assert some_rows(3, 50, seed=1).tolist() == [0, 1, 2]


def test_one_stage_or_one_fold_say_nothing_of_depth():
    table = table_with("final")
    assert by_depth(table, (("final:mean", 24),), seed=0) is None
    alone = TrainingTable.of(table.vectors, table.labels, np.zeros(200, np.int64))
    assert by_depth(alone, DEPTHS, seed=0) is None


def test_an_image_of_a_class_that_only_its_fold_has_is_not_judged():
    table = table_with("final")
    labels = table.labels.copy()
    labels[[5, 80]] = 3
    folds = table.folds.copy()
    folds[[5, 80]] = 1
    losses, right = judged(TrainingTable.of(table.vectors, labels, folds), np.arange(200))
    assert len(losses) == len(right) == 198 and np.isfinite(losses).all()


NEAR = StatisticsDistance(64, 49, 0.2, 1.9, UNLIKE - 0.01)
FAR = StatisticsDistance(64, 49, 0.58, 7.3, UNLIKE)
LATE = DepthEvidence(300, ("a", "b", "c", "d"), (0.5, 0.6, 0.8, 0.8), (1.2, 1.0, 0.5, 0.6))
EARLY = DepthEvidence(300, ("a", "b", "c", "d"), (0.5, 0.8, 0.7, 0.6), (1.2, 0.4, 0.5, 0.6))


@pytest.mark.parametrize(
    ("losses", "early"),
    [((0.46, 0.5, 0.6), False), ((0.44, 0.5, 0.6), True), ((0.4, 0.6), False), ((0.4, 0.3, 0.6), False)],
)
def test_an_early_stage_must_be_better_by_a_tenth(losses, early):
    assert DepthEvidence(9, ("a",) * len(losses), (0.5,) * len(losses), losses).best_is_early is early


@pytest.mark.parametrize(
    ("depth", "statistics", "unlike"),
    [(LATE, NEAR, False), (EARLY, NEAR, True), (LATE, FAR, True), (None, None, None), (None, FAR, True)],
)
def test_photos_are_unlike_by_either(depth, statistics, unlike):
    assert TransferEvidence(depth, statistics).unlike is unlike


def test_both_are_told_in_numbers():
    depth, statistics = TransferEvidence(EARLY, FAR).sentences()
    assert "of 300 images that it had not seen" in depth
    assert "a 0.500 and 1.200, b 0.800 and 0.400 (the lowest), d 0.600 and 0.600" in depth
    assert "over 64 images means in its 49 layers lie 0.58 standard deviations" in statistics
    assert "a factor of 7.3 (0.16 nats a channel" in statistics
    assert TransferEvidence(None, None).sentences() == ()
