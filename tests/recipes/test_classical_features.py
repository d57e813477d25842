"""What the recipes on classical features share."""

from pathlib import Path

import numpy as np
import pytest

from fieldguide.errors import OptionError
from fieldguide.heads.training_table import BLOCK, TrainingTable
from fieldguide.recipes import classical_features
from fieldguide.recipes.classical_features import body, learned_rows, sample, scored
from fieldguide.recipes.common import Options, Run


def table(count):
    vectors = np.arange(2 * count, dtype=np.float32).reshape(count, 2)
    return TrainingTable.of(vectors, np.arange(count) % 2, np.arange(count) % 5)


@pytest.mark.parametrize("options", [Options("resnet18"), Options(weights=Path("w.safetensors"))])
def test_a_backbone_is_refused(options):
    with pytest.raises(OptionError, match="this recipe computes its features and has none; leave it out"):
        body(options, Run())


def test_few_images_are_all_learned_and_of_many_a_sample(monkeypatch):
    assert learned_rows(table(20), seed=0)[0].tolist() == list(range(20))
    monkeypatch.setattr(classical_features, "MOST_LEARNED", 8)
    rows, told = learned_rows(table(20), seed=0)
    assert len(rows) == len(set(rows.tolist())) == 8 and rows.tolist() == sorted(rows.tolist())
    assert told == ("learned from 8 of 20 images, drawn by seed to save memory",)
    assert learned_rows(table(20), seed=0)[0].tolist() == rows.tolist()


def test_a_sample_is_drawn_from_the_rows_given():
    rows = np.arange(100, 200)
    assert set(sample(rows, 10, seed=1).tolist()) <= set(rows.tolist())
    assert sample(rows, 100, seed=1) is rows


def test_rows_are_scored_in_blocks_as_they_come():
    made, sizes = table(BLOCK + 10), []

    def score(vectors):
        sizes.append(len(vectors))
        return vectors.sum(axis=1, keepdims=True)

    rows = np.arange(BLOCK + 5)[::-1]
    found = scored(score, made, rows)
    assert sizes == [BLOCK, 5]
    np.testing.assert_array_equal(found[:, 0], made.vectors[rows].sum(axis=1))
