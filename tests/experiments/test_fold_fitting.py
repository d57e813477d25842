"""One fold of one way of training."""

import math
from pathlib import Path

import numpy as np
import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.data.folds import contents_of, deal_folds
from fieldguide.errors import DataError
from fieldguide.experiments.fold_fitting import fit_fold
from fieldguide.experiments.fold_task import FoldTask
from fieldguide.recipes.common import Run
from folds_made import SVM, TREES


@pytest.fixture
def folding(paint_classes, tmp_path):
    with open_dataset(paint_classes(tmp_path / "photos", {"red": 8, "green": 8, "grey": 6})) as dataset:
        yield deal_folds(dataset, contents_of(dataset.paths), 3, 0)


def test_it_answers_what_is_held_out_and_learns_from_the_rest(folding):
    fold = fit_fold(folding, FoldTask(SVM, 1), Run())
    learned, held = folding.parts(1)
    np.testing.assert_array_equal(fold.result.rows, held)
    np.testing.assert_array_equal(fold.result.outcomes.truth, folding.truth[held])
    assert fold.fitted.used == fold.result.pass_images == len(learned)
    assert fold.result.fit_seconds > 0
    assert math.isnan(fold.result.image_seconds)
    assert fold.result.megabytes > 0.001
    assert fold.refused == ()


def test_a_share_is_all_that_is_learned_from(folding):
    share = np.arange(len(folding.dataset)) % 2 == 0
    fold = fit_fold(folding, FoldTask(TREES, 0, share), Run())
    learned, held = folding.parts(0)
    assert fold.fitted.used == share[learned].sum() < len(learned)
    np.testing.assert_array_equal(fold.result.rows, held)


def test_images_that_went_are_told(folding):
    learned, held = folding.parts(0)
    gone = [folding.dataset.paths[row] for row in (learned[0], held[0])]
    for path in gone:
        Path(path).unlink()
    fold = fit_fold(folding, FoldTask(TREES, 0), Run())
    assert [refusal.path for refusal in fold.refused] == gone
    np.testing.assert_array_equal(fold.result.rows, held[1:])
    for path in (folding.dataset.paths[row] for row in held[1:]):
        Path(path).unlink()
    with pytest.raises(DataError, match="no image of a fold can be read any longer"):
        fit_fold(folding, FoldTask(TREES, 0), Run())
