"""What may be tried, and when it is left out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fieldguide import recipes
from fieldguide.backbones.classical.export import export_classical
from fieldguide.data.dataset import Dataset
from fieldguide.recipes.auto import candidates
from fieldguide.recipes.auto.candidates import CandidateMaterial, NoTime, OmittedCandidate, PossibleCandidate
from fieldguide.recipes.auto.trial import FittedCandidate
from fieldguide.recipes.common import Options, Run


@pytest.fixture
def dataset(paint_classes, tmp_path):
    paths = sorted(paint_classes(tmp_path / "photos", {"red": 9, "green": 8, "blue": 7}).rglob("*.png"))
    return Dataset(Path("photos"), tuple(map(str, paths)), tuple(path.parent.name for path in paths))


@pytest.fixture
def material(dataset, tiny_hub, cache_of_the_tests):
    return CandidateMaterial(
        dataset, Options("test_efficientnet", "fast"), Run(cache=cache_of_the_tests), lambda: 600
    )


@pytest.fixture
def trials(material):
    return [candidates.first(material)]


def test_the_first_is_the_probe_as_it_comes(material, trials):
    fitted = trials[0].fitted
    expected = recipes.find("linear-probe").fit(material.dataset, material.options, material.run)
    assert trials[0].name == f"linear probe of test_efficientnet at {fitted.preprocessing.size} pixels"
    assert fitted.head.SerializeToString() == expected.head.SerializeToString()


def test_what_was_chosen_by_hand_is_kept(material, trials):
    steps = (candidates.another_size, candidates.beside(0), candidates.beside(1))
    found = [step(material, trials) for step in steps]
    assert [type(one) for one in found] == [OmittedCandidate] * 3
    assert all("by hand" in one.reason for one in found)


def test_a_size_is_chosen_by_a_sample(material, trials, monkeypatch):
    own = replace(material, options=replace(material.options, backbone=None))
    monkeypatch.setattr(candidates, "OTHER_SIZES", {"fast": (64, 96)})
    found = candidates.another_size(own, trials)
    if isinstance(found, OmittedCandidate):
        assert "on 24 images none has a lower log loss by more than its error" in found.reason
    else:
        assert found.name in [f"linear probe of test_efficientnet at {size} pixels" for size in (64, 96)]


def test_without_time_no_size_is_tried_unless_the_clock_is_not_asked(material, trials, monkeypatch):
    monkeypatch.setattr(candidates, "OTHER_SIZES", {"fast": (64, 96)})
    own = replace(material, options=replace(material.options, backbone=None), left=lambda: 0.0)
    assert isinstance(candidates.another_size(own, trials), NoTime)
    assert not isinstance(candidates.another_size(replace(own, by_clock=False), trials), NoTime)


def test_another_backbone_is_put_beside(material, trials, monkeypatch):
    monkeypatch.setattr(candidates, "BESIDE", ("test_efficientnet", "test_efficientnet_gn", "test_resnet"))
    monkeypatch.setattr(candidates, "usable_names", lambda: candidates.BESIDE)
    own = replace(material, options=replace(material.options, backbone=None))
    found = candidates.beside(0)(own, trials)
    size = trials[0].square
    assert found.name == f"linear probe of test_efficientnet+test_efficientnet_gn at {size} pixels"
    assert found.seconds > 0
    assert found.fit().backbone["name"] == "test_efficientnet+test_efficientnet_gn"
    third = candidates.beside(1)(own, trials)
    assert third == OmittedCandidate("a third backbone: the second one was no better, or not to be had")


def test_where_no_other_is_at_hand_it_is_said(material, trials, monkeypatch):
    monkeypatch.setattr(candidates, "usable_names", lambda: ())
    own = replace(material, options=replace(material.options, backbone=None))
    assert "no other one of this family is on this machine" in candidates.beside(0)(own, trials).reason


def test_classical_classifiers_see_the_square_of_the_probe(material, trials):
    found = candidates.classical("svm")(material, trials)
    fitted = found.fit()
    assert fitted.preprocessing.size == trials[0].square != 64
    assert fitted.made_with == ("scikit-learn",)


def test_without_torch_no_network_learns(material, trials, monkeypatch):
    monkeypatch.setattr(recipes, "has_torch", lambda: False)
    for step in (candidates.small_from_scratch, candidates.from_scratch, candidates.fine_tuned):
        assert "needs torch, which is not installed" in step(material, trials).reason


def test_networks_that_learn_are_tried_where_they_may_pay(material, trials, monkeypatch):
    monkeypatch.setattr(recipes, "has_torch", lambda: True)
    assert "fewer than 500 images" in candidates.from_scratch(material, trials).reason
    assert "fewer than 500 images" in candidates.small_from_scratch(material, trials).reason
    assert "fewer than 100 images" in candidates.fine_tuned(material, trials).reason
    monkeypatch.setattr(candidates, "FEWEST_FROM_SCRATCH", 10)
    monkeypatch.setattr(candidates, "FEWEST_FOR_FINETUNING", 10)
    monkeypatch.setattr(candidates, "SMALL", 1)
    assert "larger than 1 pixels" in candidates.small_from_scratch(material, trials).reason
    assert "pretrained features suit these images" in candidates.from_scratch(material, trials).reason
    monkeypatch.setattr(candidates, "SMALL", 10_000)
    own = replace(material, options=replace(material.options, backbone=None))
    for step in (candidates.small_from_scratch, candidates.fine_tuned):
        found = step(own, trials)
        assert isinstance(found, PossibleCandidate)
        assert found.seconds == candidates.LEAST_SECONDS


def test_images_unlike_photos_are_learned_from_scratch_once(material, trials, monkeypatch):
    monkeypatch.setattr(recipes, "has_torch", lambda: True)
    monkeypatch.setattr(candidates, "FEWEST_FROM_SCRATCH", 10)
    probe = trials[0].fitted
    held = probe.out_of_fold
    sure = replace(held, probabilities=np.eye(held.probabilities.shape[1])[held.labels])
    better = FittedCandidate("svm", replace(probe, out_of_fold=sure))
    found = candidates.from_scratch(material, [*trials, better])
    assert isinstance(found, PossibleCandidate)
    tried = FittedCandidate("cnn", probe)
    assert candidates.from_scratch(material, [*trials, better, tried]) == OmittedCandidate(
        "cnn again: it was tried"
    )


def test_a_cluster_of_more_cores_is_reckoned_with(material, monkeypatch):
    body = export_classical()
    here = candidates.pass_seconds(body, material)
    monkeypatch.setattr(candidates, "times_as_many_cores", lambda: 1e6)
    assert candidates.pass_seconds(body, material) < here / 1000
