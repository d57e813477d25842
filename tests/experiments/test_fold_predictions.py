"""What a recipe answers to images of a fold."""

import dataclasses

import numpy as np

from compared_made import ONE
from fieldguide.experiments import fold_predictions
from fieldguide.experiments.fold_predictions import answer, seconds_per_image
from fieldguide.learning.train import TrainOptions, train_dataset
from fieldguide.prediction.predictor import load
from fieldguide.recipes import linear_probe
from fieldguide.recipes.common import Run


def test_answers_are_the_model_files(photos, tmp_path):
    out = tmp_path / "model.onnx"
    fitted = train_dataset(photos, TrainOptions(tmp_path, out, options=ONE.options)).fitted
    answered = answer(fitted, photos.paths, Run())
    expected = load(out).predict(list(photos.paths))
    kept = [row for row, prediction in enumerate(expected) if prediction.error is None]
    assert answered.rows.tolist() == kept
    refused = [prediction.path for prediction in expected if prediction.error is not None]
    assert [refusal.path for refusal in answered.refused] == refused
    np.testing.assert_allclose(
        answered.probabilities, [expected[row].probabilities for row in kept], atol=1e-4
    )
    np.testing.assert_allclose(answered.typicality, [expected[row].typicality for row in kept], atol=1e-6)


def test_a_learned_network_is_run_over_the_pixels(photos, monkeypatch):
    """The same network, given as a graph instead of a backbone, answers the same in several batches."""
    monkeypatch.setattr(fold_predictions, "PIXEL_ROWS", 5)
    fitted = linear_probe.fit(photos, ONE.options, Run())
    learned = dataclasses.replace(fitted, body=answers_body(fitted))
    by_features = answer(fitted, photos.paths, Run())
    by_pixels = answer(learned, photos.paths, Run())
    assert by_pixels.rows.tolist() == by_features.rows.tolist()
    assert by_pixels.refused == by_features.refused
    np.testing.assert_allclose(by_pixels.probabilities, by_features.probabilities, atol=1e-4)
    content = learned.network.SerializeToString()
    assert 0 < seconds_per_image(content, learned.preprocessing, photos.paths) < 10


def answers_body(fitted):
    from fieldguide.modelfile.graph import read_model

    return read_model(fitted.body.path)
