"""A pool as one model."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from onnx import numpy_helper

from fieldguide.backbones.classical.export import export_classical
from fieldguide.backbones.feature_memory import FeatureMemory
from fieldguide.data.dataset import Dataset
from fieldguide.images.decoding import open_image
from fieldguide.recipes import extra_trees, linear_probe
from fieldguide.recipes.auto import weights as pools
from fieldguide.recipes.auto.choice import ModelPool
from fieldguide.recipes.auto.pool import fitted_pool
from fieldguide.recipes.auto.squares import from_square
from fieldguide.recipes.auto.trial import FittedCandidate, evidence_of
from fieldguide.recipes.classical_features import fit_classical
from fieldguide.recipes.common import Options, Run

NAMES = ("test_efficientnet", "test_efficientnet+test_efficientnet_gn")


@pytest.fixture
def dataset(paint_classes, tmp_path):
    paths = sorted(paint_classes(tmp_path / "photos", {"red": 9, "green": 8, "blue": 7}).rglob("*.png"))
    return Dataset(Path("photos"), tuple(map(str, paths)), tuple(path.parent.name for path in paths))


@pytest.fixture
def trials(dataset, tiny_hub, cache_of_the_tests):
    run = Run(cache=cache_of_the_tests, memory=FeatureMemory(dataset.paths))
    sized = {"size": 96}
    probes = [linear_probe.fit(dataset, Options(name, settings=sized), run) for name in NAMES]
    options = Options(preset="fast")
    network = from_square(export_classical(), 96)
    trees = fit_classical(dataset, options, run, extra_trees.learner(options), network)
    return [
        FittedCandidate(name, fitted)
        for name, fitted in zip(("one", "two", "trees"), (*probes, trees), strict=True)
    ]


@pytest.mark.parametrize("kind", pools.KINDS)
def test_the_file_answers_as_its_members_pooled(trials, dataset, kind):
    evidence = evidence_of(trials)
    shares = (0.5, 0.25, 0.25)
    scores = pools.pooled(evidence.probabilities, np.array(shares), kind)
    fitted = fitted_pool(trials, ModelPool(kind, (0, 1, 2), shares, evidence.rows, evidence.labels, scores))
    pixels = np.stack([fitted.preprocessing.resize(open_image(path)) for path in dataset.paths])
    assert pixels.shape[1:] == (96, 96, 3)
    probabilities, typicality, embedding = outputs(fitted.network, pixels)
    members = [outputs(trial.fitted.network, pixels) for trial in trials]
    own = np.maximum(np.stack([answers[0] for answers in members]).astype(float), 1e-12)
    tempered = pools.pooled(own, np.array(shares), kind) / temperature_of(fitted)
    expected = np.exp(tempered) / np.exp(tempered).sum(1, keepdims=True)
    np.testing.assert_allclose(probabilities, expected, atol=1e-4)
    np.testing.assert_allclose(typicality, members[0][1], atol=1e-3)
    assert embedding.shape[1] == sum(part.features for part in fitted.body.parts)


def outputs(network, pixels):
    session = onnxruntime.InferenceSession(network.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(["probabilities", "typicality", "embedding"], {"pixels": pixels})


def temperature_of(fitted):
    (found,) = [tensor for tensor in fitted.head.graph.initializer if tensor.name == "pool_temperature"]
    return float(numpy_helper.to_array(found))


def test_what_several_members_share_is_computed_once(trials):
    evidence = evidence_of(trials)
    scores = np.log(evidence.probabilities[0])
    pool = ModelPool("linear", (0, 1, 2), (0.5, 0.25, 0.25), evidence.rows, evidence.labels, scores)
    fitted = fitted_pool(trials, pool)
    names = [part.name for part in fitted.body.parts]
    assert names == ["test_efficientnet", "test_efficientnet_gn", "classical"]
    assert fitted.backbone["name"] == "test_efficientnet+test_efficientnet_gn+classical"
    assert "MIT" in fitted.backbone["licence"]
    assert any(choice.startswith("trees: forest: ") for choice in fitted.choices)
    assert any(choice.startswith("pool: temperature ") for choice in fitted.choices)
    held = fitted.out_of_fold
    np.testing.assert_array_equal(held.typicality, trials[0].fitted.out_of_fold.typicality)
    np.testing.assert_allclose(held.probabilities.sum(1), 1)


def test_typicality_is_that_of_a_pretrained_member(trials):
    evidence = evidence_of([trials[2], trials[0]])
    scores = np.log(evidence.probabilities[0])
    pool = ModelPool("linear", (0, 1), (0.75, 0.25), evidence.rows, evidence.labels, scores)
    fitted = fitted_pool([trials[2], trials[0]], pool)
    np.testing.assert_array_equal(fitted.out_of_fold.typicality, trials[0].fitted.out_of_fold.typicality)
