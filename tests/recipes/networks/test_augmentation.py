"""Which augmentation a recipe uses, and the picture of it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fieldguide.data.dataset import Dataset
from fieldguide.errors import BackboneError, OptionError
from fieldguide.recipes.common import Options, Run
from fieldguide.recipes.networks import augmentation
from fieldguide.recipes.networks.augmentation import augmentation_for, write_preview
from fieldguide.recipes.networks.flips import FlipEvidence
from fieldguide.training.augment.pipeline import STRENGTHS, Augmentation


def dataset(*classes):
    return Dataset(Path(), tuple(f"{name}.png" for name in classes), classes)


@pytest.fixture
def evidence(monkeypatch):
    """What the probe finds, so that no network is needed."""

    def found(answer):
        monkeypatch.setattr(augmentation, "export", lambda *given, **more: "backbone")
        monkeypatch.setattr(augmentation, "mirror_evidence", lambda *given, **more: answer)

    return found


def test_the_usual_strength_is_taken_and_told(evidence):
    evidence(FlipEvidence(both=400, lost=20, gained=18, n=500))
    chosen, told = augmentation_for(dataset("cat", "dog"), Options(), Run(), "light")
    assert chosen == STRENGTHS["light"]
    assert told[0].startswith("flip: on")
    assert told[1].startswith("augmentation light, usual for this recipe: ")


def test_evidence_against_mirror_images_turns_them_off(evidence):
    evidence(FlipEvidence(both=300, lost=90, gained=10, n=500))
    chosen, told = augmentation_for(dataset("cat", "dog"), Options(), Run(), "medium")
    assert chosen.flip == 0 and told[0].startswith("flip: off")


def test_names_forbid_it_before_any_photo_is_read():
    chosen, told = augmentation_for(dataset("turn_left", "straight"), Options(), Run(), "medium")
    assert chosen.flip == 0 and "turn_left" in told[0]


def test_without_the_packaged_weights_names_alone_decide(monkeypatch):
    def missing(*given, **more):
        raise BackboneError("not installed")

    monkeypatch.setattr(augmentation, "export", missing)
    assert augmentation_for(dataset("cat", "dog"), Options(), Run(), "light")[0].flip > 0


def test_who_may_use_no_pretrained_network_asks_classical_features(monkeypatch):
    asked = []

    def look(paths, labels, backbone, *given, **more):
        asked.append(backbone.name)
        return FlipEvidence(both=300, lost=90, gained=10, n=500)

    monkeypatch.setattr(augmentation, "export", lambda *given, **more: pytest.fail("a pretrained network"))
    monkeypatch.setattr(augmentation, "mirror_evidence", look)
    chosen, told = augmentation_for(dataset("cat", "dog"), Options(), Run(), "light", pretrained=False)
    assert asked == ["classical"] and chosen.flip == 0
    assert told[0].startswith("flip: off, since a linear probe on edges, texture and colour is right on ")


def test_a_switch_set_by_hand_is_not_looked_into():
    options = Options(settings={"augment": "medium", "augment_with": "flip=0.2,rotate=3"})
    chosen, told = augmentation_for(dataset("cat", "dog"), options, Run(), "light")
    assert (chosen.flip, chosen.rotate) == (0.2, 3)
    assert len(told) == 1 and told[0].startswith("augmentation medium, asked for: ")
    with pytest.raises(OptionError, match="augmentation: must be one of"):
        augmentation_for(dataset("cat", "dog"), Options(settings={"augment": "wild"}), Run(), "light")


def test_a_picture_is_written_where_one_is_asked_for(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (30, 16, 16, 3), dtype=np.uint8)
    write_preview(images, Augmentation(flip=1), Options(), Run())
    assert list(tmp_path.iterdir()) == []
    write_preview(images, Augmentation(flip=1), Options(), Run(preview=tmp_path / "p.png"))
    with Image.open(tmp_path / "p.png") as opened:
        assert opened.format == "PNG" and opened.height >= 12 * 16
