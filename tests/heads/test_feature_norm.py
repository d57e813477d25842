"""Small features are strange, where held-out mistakes show it."""

import numpy as np
import onnxruntime
import pytest

from fieldguide.heads.feature_norm import FEWEST, norm_distance, tells_more
from fieldguide.modelfile.graph import Head, head_model


def test_a_file_computes_the_same(tmp_path):
    random = np.random.default_rng(0)
    features = random.normal(size=(200, 6)).astype(np.float32)
    distance, distances = norm_distance(features)
    np.testing.assert_allclose(distances, -(features**2).sum(1), rtol=1e-6)
    weights, bias = random.normal(size=(6, 3)).astype(np.float32), np.zeros(3, np.float32)
    model = head_model(Head(**vars(distance), weights=weights, bias=bias))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    scales = np.array([0.0, 0.5, 1.0, 3.0], np.float32)
    (typicality,) = session.run(["typicality"], {"features": scales[:, None] * features[:1]})
    expected = [
        (1 + (distances >= -(scale**2) * (features[0] ** 2).sum() - 1e-6).sum()) / 201 for scale in scales
    ]
    np.testing.assert_allclose(typicality, expected, atol=1 / 201)
    assert typicality[0] == pytest.approx(1 / 201)  # none is as small as nothing
    assert np.all(np.diff(typicality) >= 0)


@pytest.mark.parametrize(("wrong", "decided"), [(FEWEST, True), (FEWEST - 1, False)])
def test_few_mistakes_decide_nothing(wrong, decided):
    right = np.arange(200) >= wrong
    standing_out, not_so = np.where(right, 0.0, 1.0), np.where(right, 1.0, 0.0)
    assert tells_more(standing_out, not_so, right) is decided
    assert tells_more(standing_out, not_so, ~np.zeros(200, bool)) is False
    assert tells_more(not_so, standing_out, right) is False
    assert tells_more(standing_out, standing_out, right) is False
