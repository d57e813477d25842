"""classical_heads.py: the ONNX models answer as the machines and forests that they were built from."""

import numpy as np
import onnxruntime
import pytest

from fieldguide.heads.forest import grow
from fieldguide.heads.kernel_machine import KernelProblem, Kind, Scaling
from fieldguide.heads.onnx_heads import forest_model, machine_model, with_promises
from fieldguide.modelfile.graph import Distance, scored_head_model
from fieldguide.modelfile.operators import OPERATORS


@pytest.fixture
def cloud():
    random = np.random.default_rng(0)
    labels = np.arange(120) % 3
    return (labels[:, None] + random.normal(size=(120, 5))).astype(np.float32), labels


SCALING = Scaling(np.arange(5, dtype=np.float32), np.linspace(0.1, 0.5, 5, dtype=np.float32))


def run(model, features, names):
    assert {node.op_type for node in model.graph.node} <= OPERATORS
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(names, {"features": features})


@pytest.mark.parametrize("gamma", [None, 0.8])
def test_a_machine(cloud, gamma):
    features, labels = cloud
    machine = KernelProblem(SCALING(features), labels, 3, np.arange(0, 120, 2)).fit(Kind(3.0, gamma))
    (scores,) = run(machine_model(machine, SCALING), features, ["scores"])
    np.testing.assert_allclose(scores, machine.scores(SCALING(features)), atol=1e-4)


def test_a_forest(cloud):
    features, labels = cloud
    forest = grow(features, labels, 3, 30, seed=0)
    new = features + np.float32(0.3)
    (scores,) = run(forest_model(forest, 5), new, ["scores"])
    np.testing.assert_allclose(scores, forest.scores(new), atol=1e-5)
    (alone,) = run(forest_model(forest, 5), new[:1], ["scores"])
    np.testing.assert_allclose(alone, scores[:1], atol=1e-6)


def test_a_classifier_with_promises(cloud):
    features, labels = cloud
    forest = grow(features, labels, 3, 10, seed=0)
    ones = np.ones(5, np.float32)
    distance = Distance(
        columns=np.arange(5),
        mean=0 * ones,
        scale=ones,
        directions=np.eye(5, 2, dtype=np.float32),
        evenness=0.1,
        centres=np.eye(3, 5, dtype=np.float32),
        reference=np.linspace(0, 9, 50, dtype=np.float32),
    )
    priors = np.log([0.5, 0.3, 0.2])
    whole = with_promises(forest_model(forest, 5), scored_head_model(distance, 5, 2.0, priors))
    probabilities, typicality, embedding = run(whole, features, ["probabilities", "typicality", "embedding"])
    logits = np.exp(forest.scores(features) / 2 + priors)
    np.testing.assert_allclose(probabilities, logits / logits.sum(1, keepdims=True), atol=1e-5)
    assert ((typicality > 0) & (typicality <= 1)).all()
    assert (embedding == features).all()
