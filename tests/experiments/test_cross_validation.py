"""One candidate after another over the same folds."""

import dataclasses

import numpy as np

from compared_made import ONE
from fieldguide.data.dataset import open_dataset
from fieldguide.experiments.compare import compare
from fieldguide.experiments.cross_validation import cross_validation, merged


def test_each_image_is_held_out_once_and_twins_stay_together(photos, fits, tmp_path):
    with cross_validation(photos, [ONE], folds=3, cache=tmp_path) as work:
        results = [work.run(ONE, fold) for fold in range(3)]
        rows, outcomes = merged(results)
        dataset = work.folding.dataset
        assert rows.tolist() == list(range(22))
        np.testing.assert_array_equal(outcomes.truth, work.folding.truth)
        for fold, learned in enumerate(fits):
            held = {dataset.paths[row] for row in results[fold].rows.tolist()}
            assert not held & set(learned.paths)
            assert held | set(learned.paths) == set(dataset.paths)
            twins = {path for path in dataset.paths if path.endswith(("red/000.png", "copy.png"))}
            assert len(twins & held) in (0, 2)
    assert [refusal.path for refusal in work.folding.refused] == ["red/broken.png"]


def test_only_the_training_split_is_looked_at(photos, fits, tmp_path):
    splits = tuple("test" if number % 4 == 0 else "train" for number in range(len(photos)))
    result = compare(dataclasses.replace(photos, splits=splits), [ONE], folds=2)
    closed = {path for path, split in zip(photos.paths, splits, strict=True) if split == "test"}
    assert fits
    assert not any(closed & set(dataset.paths) for dataset in fits)
    assert result.images <= splits.count("train")


def test_a_class_that_a_fold_has_not_learned_is_answered_wrongly(paint_classes, tmp_path, tiny_hub):
    folder = paint_classes(tmp_path / "photos", {"red": 8, "green": 8, "blue": 1})
    with open_dataset(folder) as dataset:
        result = compare(dataset, [ONE], folds=3)
    measured = result.rows[0].evaluation
    assert measured.classes == ("blue", "green", "red")
    assert measured.per_class.recall[0] == 0
    assert measured.n == 17
