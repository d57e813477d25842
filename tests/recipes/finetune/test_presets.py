"""How `finetune` sets its dials."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from fieldguide.data.dataset import Dataset
from fieldguide.errors import OptionError
from fieldguide.recipes.common import Options
from fieldguide.recipes.finetune import presets


@pytest.mark.parametrize(
    ("side", "preset", "size", "layers"),
    [
        (100, "balanced", 128, 1.0),
        (60, "balanced", 96, 1.0),
        (400, "balanced", 288, None),
        (100, "fast", 128, 1.0),
    ],
)
def test_small_images_stay_small_and_all_layers_learn(tmp_path, side, preset, size, layers):
    paths = []
    for number in range(3):
        paths.append(str(tmp_path / f"{number}.png"))
        Image.new("RGB", (side, side + number)).save(paths[-1])
    dataset = Dataset(tmp_path, tuple(paths), ("a", "b", "a"))
    usual = presets.PRESETS[preset]
    chosen = presets.preset_of(dataset, Options(preset=preset))
    assert (chosen.size, chosen.layers) == (size, layers)
    by_hand = presets.preset_of(dataset, Options(preset=preset, settings={"size": 224}))
    assert (by_hand.size, by_hand.layers) == (usual.size, usual.layers)
    some = presets.preset_of(dataset, Options(preset=preset, settings={"layers": 0.5}))
    assert (some.size, some.layers) == (size, 0.5)


@pytest.mark.parametrize(
    ("images", "epochs", "variants"), [(3000, 12, 4), (400, 13, 5), (150, 38, 13), (20, 40, 40)]
)
def test_few_images_are_passed_over_more_often(images, epochs, variants):
    dataset = Dataset(Path(), ("nowhere.png",) * images, ("a",) * images)
    chosen = presets.preset_of(dataset, Options())
    assert (chosen.epochs, chosen.variants) == (epochs, variants)


def test_what_is_chosen_by_hand_keeps_the_presets_size():
    usual = presets.PRESETS["balanced"]
    assert not presets.own_size(usual, Options())
    assert not presets.own_size(usual, Options(backbone=usual.backbone))
    assert presets.own_size(usual, Options(backbone="resnet18"))
    assert presets.own_size(usual, Options(weights=Path("w.safetensors")))
    assert presets.own_size(usual, Options(settings={"size": 64}))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (Options(preset="huge"), "preset: must be one of fast, balanced, best; got 'huge'"),
        (Options(settings={"layers": 1.5}), r"layers: must be a number, more than 0 and at most 1; got 1\.5"),
        (
            Options(settings={"layer_decay": 0}),
            "layer_decay: must be a number, more than 0 and at most 1; got 0",
        ),
        (
            Options(settings={"head_rate": -1}),
            "head_rate: must be a number, more than 0 and at most 100; got -1",
        ),
        (Options(settings={"batch_norm": 2}), "batch_norm: must be a number, 0 or more and at most 1; got 2"),
    ],
)
def test_what_is_out_of_range_is_told(options, words):
    with pytest.raises(OptionError, match=words):
        presets.preset_of(Dataset(Path(), ("nowhere.png",), ("a",)), options)


def test_rates_and_statistics_are_taken_as_given():
    given = {"layer_decay": 0.7, "head_rate": 2.0, "batch_norm": 0.0}
    chosen = presets.preset_of(Dataset(Path(), ("nowhere.png",), ("a",)), Options(settings=given))
    assert (chosen.layer_decay, chosen.head_rate, chosen.batch_norm) == (0.7, 2.0, 0.0)


@pytest.fixture
def many(monkeypatch):
    """So many large photos that their number changes nothing."""
    monkeypatch.setattr(presets, "shorter_sides", lambda paths: [500])

    class Photos(SimpleNamespace):
        def __len__(self):
            return 20_000

    return Photos(paths=("a.jpg",))


@pytest.mark.parametrize(
    ("name", "passes", "variants"), [("fast", 6, 2), ("balanced", 12, 4), ("best", 20, 4)]
)
def test_a_preset_passes_over_many_photos_so_often(many, name, passes, variants):
    settled = presets.preset_of(many, Options(preset=name))
    assert (settled.epochs, settled.variants) == (passes, variants)


def test_small_photos_are_passed_over_more_often(many, monkeypatch):
    monkeypatch.setattr(presets, "shorter_sides", lambda paths: [64])
    names = ("fast", "balanced", "best")
    assert [presets.preset_of(many, Options(preset=name)).epochs for name in names] == [10, 19, 32]
