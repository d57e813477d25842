"""A backbone of another family: tried where it is at hand, fetched only where that is allowed, and said."""

from dataclasses import replace
from pathlib import Path

import pytest

from encoders_made import encoder, published
from fieldguide.backbones.catalogue import find
from fieldguide.data.dataset import Dataset
from fieldguide.recipes.auto import another_family as module
from fieldguide.recipes.auto import candidates
from fieldguide.recipes.auto.another_family import OTHERS, another_family
from fieldguide.recipes.auto.candidates import CandidateMaterial, NoTime, OmittedCandidate, PossibleCandidate
from fieldguide.recipes.common import Options, Run
from hub_cache import put_into_hub

REPOSITORY = find(OTHERS[0]).source.repository
FILES = ("config.json", "preprocessor_config.json", "onnx/model.onnx")


@pytest.fixture
def dataset(paint_classes, tmp_path):
    paths = sorted(paint_classes(tmp_path / "photos", {"red": 9, "green": 8, "blue": 7}).rglob("*.png"))
    return Dataset(Path("photos"), tuple(map(str, paths)), tuple(path.parent.name for path in paths))


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """An empty cache of the hub's client, without a network."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


@pytest.fixture
def network(tmp_path):
    """DINOv2 in miniature, as it is published."""
    return published(tmp_path / "encoder", encoder("tokens"))


@pytest.fixture
def told():
    return []


@pytest.fixture
def material(dataset, hub, cache_of_the_tests, told):
    run = Run(cache=cache_of_the_tests, progress=lambda *step: told.append(step[0]))
    return CandidateMaterial(dataset, Options(preset="fast"), run, lambda: 600)


@pytest.fixture
def trials(material):
    return [candidates.first(material)]


def with_download(material):
    return replace(material, options=replace(material.options, settings={"download": True}))


def test_what_is_not_at_hand_is_named_and_not_fetched(material, trials, monkeypatch):
    monkeypatch.setattr(module, "export_joined", lambda *_, **__: pytest.fail("it was fetched"))
    found = another_family(material, trials)
    assert found == OmittedCandidate(
        f"{OTHERS[0]} (88 MB, licence apache-2.0, from the Hugging Face hub {REPOSITORY}): "
        "is not on this machine; --download fetches it"
    )


def test_what_lies_in_the_hubs_cache_is_tried(material, trials, hub, network):
    for file in FILES:
        put_into_hub(hub, REPOSITORY, file, network / file)
    found = another_family(material, trials)
    assert isinstance(found, PossibleCandidate)
    assert found.name.startswith(f"linear probe of {OTHERS[0]} at ")
    assert found.seconds > 0
    assert found.fit().backbone["name"] == OTHERS[0]


def test_a_download_is_said_before_it_begins(material, trials, hub, network, told, monkeypatch):
    fetched = []

    def fetch(repository, file):
        assert any(said.startswith(f"--download: {OTHERS[0]} (88 MB, licence apache-2.0") for said in told)
        fetched.append(file)
        if not (network / file).exists():
            raise EntryNotFoundError(file)
        put_into_hub(hub, repository, file, network / file)
        return hub_file(hub, repository, file)

    from huggingface_hub.errors import EntryNotFoundError

    monkeypatch.setattr("huggingface_hub.hf_hub_download", fetch)
    found = another_family(with_download(material), trials)
    assert isinstance(found, PossibleCandidate), found
    assert set(FILES) <= set(fetched)
    assert found.fit().backbone["licence"] == "apache-2.0"


def hub_file(hub, repository, file):
    (path,) = (hub / f"models--{repository.replace('/', '--')}" / "snapshots").glob(f"*/{file}")
    return str(path)


def test_a_download_that_fails_leaves_the_others(material, trials):
    found = another_family(with_download(material), trials)
    assert isinstance(found, OmittedCandidate)
    assert "cannot be downloaded now" in found.reason


def test_what_was_chosen_by_hand_stays_the_only_one(material, trials):
    own = replace(material, options=replace(material.options, backbone="efficientnet_lite0"))
    assert "by hand" in another_family(own, trials).reason


def test_nothing_is_fetched_where_no_time_is_left(material, trials):
    late = replace(with_download(material), left=lambda: 1.0)
    assert isinstance(another_family(late, trials), NoTime)
