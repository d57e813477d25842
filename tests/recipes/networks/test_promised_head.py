"""The head of a trained network: its last layer with the calibration folded in."""

import numpy as np
import onnxruntime
import pytest

from fieldguide.modelfile.graph import Distance
from fieldguide.recipes.networks.promised_head import HeldOutScores, Linear, label_head, tag_head

RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.standard_normal((120, 4)).astype(np.float32)
LINEAR = Linear(RANDOM.standard_normal((4, 3)), RANDOM.standard_normal(3))


def distance():
    plain = np.ones(4, np.float32)
    return Distance(
        columns=np.arange(4),
        mean=0 * plain,
        scale=plain,
        directions=np.eye(4, dtype=np.float32),
        evenness=0.1,
        centres=np.zeros((1, 4), np.float32),
        reference=np.arange(5, dtype=np.float32),
    )


def answers(numbers):
    return HeldOutScores(np.arange(120), numbers, LINEAR.scores(FEATURES), np.arange(120.0))


def probabilities(head):
    session = onnxruntime.InferenceSession(head.head.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(["probabilities"], {"features": FEATURES})[0]


@pytest.mark.parametrize("shares", [[1 / 3] * 3, [0.6, 0.3, 0.1]])
def test_a_head_of_labels_answers_as_was_calibrated(shares):
    noisy = LINEAR.scores(FEATURES) + RANDOM.standard_normal((120, 3))
    head = label_head(answers(noisy.argmax(1)), LINEAR, distance(), np.array(shares))
    np.testing.assert_allclose(probabilities(head), head.out_of_fold.probabilities, atol=1e-5)
    assert head.tag_thresholds is None


def test_a_head_of_tags_answers_as_was_calibrated():
    tags = (LINEAR.scores(FEATURES) + RANDOM.standard_normal((120, 3)) > 0).astype(np.int8)
    head = tag_head(answers(tags), LINEAR, distance())
    found = probabilities(head)
    np.testing.assert_allclose(found, head.out_of_fold.probabilities, atol=1e-5)
    assert head.tag_thresholds.shape == (3,)
    assert abs(found.sum(1) - 1).max() > 0.1
