"""What photos say of a model that was made of class names."""

import numpy as np
import pytest

from fieldguide.heads import calibration
from fieldguide.learning.zero_shot.photos import HIGHEST, Reference, temperature_by_agreement
from fieldguide.modelfile.graph import Distance, scored_head_model
from fieldguide.modelfile.session import open_session


def test_confidence_is_lowered_to_the_share_that_stays():
    random = np.random.default_rng(0)
    scores = random.normal(0, 8, (400, 5))
    again = np.where(random.random((400, 1)) < 0.3, random.normal(0, 8, (400, 5)), scores)
    temperature, share = temperature_by_agreement(scores, again)
    logits = scores / temperature
    powers = np.exp(logits - logits.max(1, keepdims=True))
    confidence = (powers / powers.sum(1, keepdims=True)).max(1).mean()
    assert 0.7 < share < 0.85 and confidence == pytest.approx(share, abs=1e-3)


def test_confidence_is_never_raised_and_never_lowered_without_end():
    scores = np.random.default_rng(1).normal(0, 0.1, (50, 3))
    assert temperature_by_agreement(scores, scores) == (1.0, 1.0)
    sure = np.eye(2)[[0, 1] * 20] * 100
    assert temperature_by_agreement(sure, sure[:, ::-1])[0] == HIGHEST


def test_typicality_is_what_the_file_gives():
    random = np.random.default_rng(2)
    normal = lambda *shape: random.normal(0, 1, shape).astype(np.float32)  # noqa: E731
    reference = np.sort(random.chisquare(9, 99)).astype(np.float32)
    distance = Distance(
        np.arange(2, 6), normal(4), np.ones(4, np.float32), normal(4, 2), 0.3, normal(3, 4), reference
    )
    features = normal(20, 8)
    session = open_session(scored_head_model(distance, 8, 1.0, np.zeros(3)).SerializeToString(), "head", 1)
    given = {"scores": np.zeros((20, 3), np.float32), "features": features}
    expected = session.run(["typicality"], given)[0]
    own = Reference(distance, reference.astype(np.float64), np.zeros(99, np.int64)).typicality(features)
    assert np.allclose(own, expected, atol=1e-6) and len(set(own)) > 5
    assert calibration.typicality(reference, np.array([0.0]))[0] == 1
