"""Evidence on mirror images: found where sides matter and only there, on images that no probe has seen."""

import numpy as np
import pytest
from PIL import Image

from fieldguide.backbones.export import export
from fieldguide.heads.lda import discriminant
from fieldguide.heads.training_table import TrainingTable
from fieldguide.recipes.networks import flip_evidence
from fieldguide.recipes.networks.flip_evidence import mirror_evidence
from fieldguide.recipes.networks.flips import FlipEvidence, flip_is_safe
from fieldguide.tasks.tags import Tags
from tiny_backbone import tiny_weights


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIELDGUIDE_CACHE", str(folder))
        return export("test_efficientnet", size=64, weights=tiny_weights(folder))


def photos(folder, sided, count=24):
    """Patterns, all different, with one bright half: the classes are its side, or whether it is the upper."""
    random = np.random.default_rng(0)
    paths, labels = [], []
    for number in range(2 * count):
        second = number % 2 == 1
        coarse = random.integers(0, 130, (8, 8, 3), dtype=np.uint8)
        half = slice(4, 8) if second else slice(0, 4)
        coarse[(slice(None), half) if sided else (half, slice(None))] += 120
        path = folder / f"{number:03}.png"
        Image.fromarray(coarse).resize((64, 64), Image.Resampling.BICUBIC).save(path)
        paths.append(str(path))
        labels.append("second" if second else "first")
    return paths, labels


def test_where_height_decides_mirror_images_are_as_easy(tmp_path, backbone):
    evidence = mirror_evidence(*photos(tmp_path, sided=False), backbone)
    assert evidence.n == 48
    assert evidence.accuracy > 0.8
    assert not evidence.is_worse()
    assert flip_is_safe(["first", "second"], evidence)[0]


class Sided:
    """A network that sees how bright the left and the right half are, and nothing else."""

    kind, batch, at_once = "sided", 8, 1

    def __init__(self, width):
        self._width = width

    def __call__(self, pixels):
        halves = pixels[:, :, :32].mean((1, 2, 3)), pixels[:, :, 32:].mean((1, 2, 3))
        features = np.zeros((len(pixels), self._width), dtype=np.float32)
        features[:, 0], features[:, 1] = halves
        return features


def test_where_the_side_decides_mirror_images_are_lost(tmp_path, backbone, monkeypatch):
    monkeypatch.setattr(
        "fieldguide.backbones.extraction.best_runner", lambda backbone: Sided(backbone.features)
    )
    evidence = mirror_evidence(*photos(tmp_path, sided=True), backbone)
    assert evidence.accuracy > 0.7
    assert evidence.mirrored_accuracy < 0.3
    assert evidence.is_worse()
    assert not flip_is_safe(["first", "second"], evidence)[0]


def test_mirrored_features_are_those_of_the_mirrored_files(tmp_path, backbone):
    paths, labels = photos(tmp_path, sided=True, count=10)
    plain = flip_evidence.extract(paths, backbone).vectors
    means = flip_evidence.extract(paths, backbone, flips=True).vectors
    for path in paths:
        Image.open(path).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(path)
    assert 2 * means - plain == pytest.approx(flip_evidence.extract(paths, backbone).vectors, abs=2e-3)
    assert len(labels) == 20


def test_answers_are_those_of_a_plain_loop_over_folds():
    random = np.random.default_rng(0)
    labels, folds = np.arange(60) % 3, np.arange(60) // 3 % 4
    plain = (random.normal(size=(60, 8)) + 1.2 * labels[:, None]).astype(np.float32)
    mirrored = (plain + random.normal(size=(60, 8))).astype(np.float32)
    table = TrainingTable.of(plain, labels, folds)
    scores = discriminant(table).out_of_fold((flip_evidence.SHRINKAGE,), np.arange(60))[0]
    evidence = flip_evidence._compared(plain, mirrored, labels, folds)
    # The other code standardises over all folds, hence not to the last image.
    assert evidence.accuracy == pytest.approx((scores.argmax(1) == labels).mean(), abs=0.05)
    assert evidence.mirrored_accuracy < evidence.accuracy
    assert flip_evidence._compared(plain, plain, labels, folds).lost == 0


def test_a_class_that_the_other_folds_lack_is_wrong_both_ways():
    labels, folds = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 0, 1, 0])
    plain = np.eye(5, 4, dtype=np.float32)
    evidence = flip_evidence._compared(plain, plain, labels, folds)
    assert evidence.n == 5
    assert evidence.both <= 4


def test_large_sets_are_sampled_evenly_and_always_the_same_way():
    labels = ["many"] * 3000 + ["some"] * 300 + ["few"] * 20
    chosen = flip_evidence._sample(labels)
    assert chosen == flip_evidence._sample(labels) == sorted(set(chosen))
    counts = {name: sum(labels[place] == name for place in chosen) for name in set(labels)}
    assert counts == {"many": 240, "some": 240, "few": 20}


def test_images_of_one_group_are_held_out_together(tmp_path, backbone, monkeypatch):
    paths, labels = photos(tmp_path, sided=False, count=10)
    groups = [str(number // 4) for number in range(20)]
    seen = []
    plain = flip_evidence._compared

    def compared(*arguments):
        seen.append(arguments[3])
        return plain(*arguments)

    monkeypatch.setattr(flip_evidence, "_compared", compared)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    mirror_evidence([str(broken), *paths], ["first", *labels], backbone, ["own", *groups])
    folds = seen[0].tolist()
    assert all(len({folds[n] for n in range(20) if groups[n] == group}) == 1 for group in set(groups))
    assert len(set(folds)) == 5


def test_bad_files_are_passed_over(tmp_path, backbone):
    paths, labels = photos(tmp_path, sided=False, count=10)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    evidence = mirror_evidence([str(broken), *paths], ["first", *labels], backbone)
    assert evidence.n == 20


@pytest.mark.parametrize("labels", [["first", "first"], ["first", "second"]])
def test_too_little_to_tell_is_said_by_n_of_zero(labels, tmp_path, backbone):
    paths, _ = photos(tmp_path, sided=False, count=1)
    same = [paths[0], paths[0]]
    assert mirror_evidence(same, labels, backbone) == FlipEvidence(0, 0, 0, 0)
    assert mirror_evidence([], [], backbone) == FlipEvidence(0, 0, 0, 0)


def as_tags(labels):
    return [Tags(("bright", label)) if label == "second" else Tags(("bright",)) for label in labels]


def test_of_tags_mirror_images_are_lost_where_the_side_decides_and_only_there(
    tmp_path, backbone, monkeypatch
):
    paths, labels = photos(tmp_path, sided=False)
    evidence = mirror_evidence(paths, as_tags(labels), backbone)
    assert evidence.of_tags and evidence.n == 48 and not evidence.is_worse()
    assert "less right when they are mirrored" in flip_is_safe(["bright", "second"], evidence)[1]
    monkeypatch.setattr(
        "fieldguide.backbones.extraction.best_runner", lambda backbone: Sided(backbone.features)
    )
    paths, labels = photos(tmp_path, sided=True)
    evidence = mirror_evidence(paths, as_tags(labels), backbone)
    assert evidence.lost > 30
    safe, why = flip_is_safe(["bright", "second"], evidence)
    assert not safe and "which is significantly worse" in why


def test_what_is_not_known_of_tags_says_nothing_about_mirror_images():
    tags = np.array([[1], [0]] * 20, np.int8)
    plain = np.c_[2.0 * tags - 1, np.zeros((40, 3))].astype(np.float32)
    folds = np.arange(40) // 4 % 5
    assert flip_evidence._compared_tags(plain, -plain, tags, folds).lost == 40
    tags[::2] = -1
    tags[1] = 1
    assert flip_evidence._compared_tags(plain, -plain, tags, folds).both >= 20
