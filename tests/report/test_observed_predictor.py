"""witness.py: answers pass through unchanged, what is kept is bounded and belongs to the right rows."""

from pathlib import Path

import numpy as np

from fieldguide.data.dataset import Dataset
from fieldguide.evaluation.measurement import answers_to
from fieldguide.report.observed_predictor import TILE, ObservedPredictor
from report_oracle import oracle

CLASSES = ("ant", "bee", "cow")


def data(n, broken=()):
    paths = tuple(f"/photos/{'broken' if row in broken else 'good'}{row}.jpg" for row in range(n))
    return Dataset(Path("/photos"), paths, tuple(CLASSES[row % 3] for row in range(n)))


def test_answers_pass_through_unchanged():
    images, model = data(30), oracle(CLASSES, np.arange(30) % 3)
    seen, plain = answers_to(ObservedPredictor(model, images), images), answers_to(model, images)
    for name in ("truth", "predicted", "confidence", "typicality"):
        assert (getattr(seen.outcomes, name) == getattr(plain.outcomes, name)).all()


def test_rows_are_those_of_the_outcomes_where_images_are_refused():
    images, model = data(30, broken=(0, 7, 8)), oracle(CLASSES, np.arange(30) % 3)
    witness = ObservedPredictor(model, images)
    answers = answers_to(witness, images)
    assert len(answers.refused) == 3 and len(witness.second) == 27
    assert witness.rows == list(range(27))
    shown = model.probabilities[answers.rows]
    assert (witness.features == shown).all()
    second = np.argsort(-shown, axis=1)[:, 1]
    assert [number for number, _ in witness.second] == second.tolist()


def test_the_sample_is_bounded_seeded_and_in_order():
    images, model = data(200), oracle(CLASSES, np.arange(200) % 3)
    first, again, other = (ObservedPredictor(model, images, sample=20, seed=seed) for seed in (0, 0, 1))
    for witness in (first, again, other):
        answers_to(witness, images)
    assert len(first.rows) == len(first.tiles) == len(first.features) == 20
    assert first.rows == sorted(first.rows) == again.rows != other.rows
    assert first.tiles[0].shape == (TILE, TILE, 3)


def test_labels_that_the_model_does_not_know_are_no_matter():
    images = data(9)
    strange = Dataset(images.root, (*images.paths, "/photos/x.jpg"), (*images.labels, "dog"))
    witness = ObservedPredictor(oracle(CLASSES, np.arange(10) % 3), strange)
    assert len(answers_to(witness, strange).rows) == 9
    assert np.isfinite(witness.curves.auroc).all()
