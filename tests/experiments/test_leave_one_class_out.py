"""Each class left out once: what the model of the others makes of it, from features of one pass."""

import json

import numpy as np
import pytest

from fieldguide import cli, recipes
from fieldguide.backbones import feature_memory
from fieldguide.data.dataset import Dataset, open_dataset
from fieldguide.errors import DataError
from fieldguide.experiments.leave_one_class_out import leave_one_class_out
from fieldguide.recipes.common import Options, Run

COUNTS = {"red": 14, "green": 12, "blue": 13, "grey": 12}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, paint_classes):
    folder = paint_classes(tmp_path_factory.mktemp("photos"), COUNTS)
    (folder / "red" / "broken.png").write_bytes(b"no image")
    return folder


@pytest.fixture
def given(tiny_hub, cache_of_the_tests):
    return Options("test_efficientnet"), Run(cache=cache_of_the_tests)


@pytest.fixture
def dataset(folder):
    with open_dataset(folder) as opened:
        yield opened


def test_every_class_is_left_out_once(dataset, given):
    found = leave_one_class_out(dataset, *given)
    assert sorted(one.label for one in found.classes) == sorted(COUNTS)
    assert {one.label: one.n for one in found.classes} == COUNTS
    for one in found.classes:
        assert one.known == sum(COUNTS.values()) - one.n
        assert one.auroc.low <= one.auroc.value <= one.auroc.high
        # Fewer than 100 held-out images: nothing is ever called unknown, and all are missed.
        assert one.miss_rate.value == 1.0
        assert sum(count for _, count in one.taken_for) == one.n
        assert one.label not in dict(one.taken_for)
    assert [one.auroc.value for one in found.classes] == sorted(one.auroc.value for one in found.classes)
    assert [refusal.code for refusal in found.refused] == ["not_an_image"]
    assert found.mean_auroc == pytest.approx(np.mean([one.auroc.value for one in found.classes]))


def test_the_left_out_class_is_never_learned_from(dataset, given, monkeypatch):
    seen = []
    real = recipes.find("linear-probe").fit

    def watched(part, options, run):
        seen.append(set(part.labels))
        return real(part, options, run)

    monkeypatch.setattr(recipes.find("linear-probe"), "fit", watched)
    leave_one_class_out(dataset, *given)
    assert sorted(map(sorted, seen)) == sorted(sorted(set(COUNTS) - {name}) for name in COUNTS)


def test_images_pass_through_the_network_once(dataset, given, monkeypatch):
    calls = []
    real = feature_memory.extract

    def counted(paths, *rest, **more):
        calls.append(len(paths))
        return real(paths, *rest, **more)

    monkeypatch.setattr(feature_memory, "extract", counted)
    leave_one_class_out(dataset, *given)
    assert calls == [sum(COUNTS.values()) + 1]


def test_the_same_twice(dataset, given):
    assert leave_one_class_out(dataset, *given).as_dict() == leave_one_class_out(dataset, *given).as_dict()


def test_a_class_of_another_world_is_told(tmp_path, paint_classes, given):
    """Stripes among colours: less typical than nearly all held-out images of colours."""
    folder = paint_classes(tmp_path, {"red": 40, "green": 40, "blue": 40})
    (folder / "stripes").mkdir()
    from PIL import Image

    for number in range(20):
        stripes = np.zeros((60, 60, 3), np.uint8)
        stripes[:, number % 5 :: 5] = 255
        Image.fromarray(stripes).save(folder / "stripes" / f"{number:02}.png")
    with open_dataset(folder) as opened:
        found = {one.label: one for one in leave_one_class_out(opened, *given).classes}
    assert found["stripes"].auroc.value > 0.95
    assert found["stripes"].false_alarm_rate.value < 0.05
    assert found["stripes"].miss_rate.value < 0.5  # with 120 held-out images, some can be called unknown


def test_two_classes_are_too_few(dataset, given):
    two = dataset.take([row for row, label in enumerate(dataset.labels) if label in ("red", "blue")])
    with pytest.raises(DataError, match="leaving a class out needs three classes"):
        leave_one_class_out(two, *given)


def test_a_class_that_cannot_be_left_out_is_said(dataset, given):
    """Two classes of one photo each, and one of many: without that one nothing can be held out."""
    rows = [dataset.labels.index("red"), dataset.labels.index("green")]
    blue = [row for row, label in enumerate(dataset.labels) if label == "blue"]
    found = leave_one_class_out(dataset.take(sorted([*rows, *blue])), *given)
    assert list(found.not_applicable) == ["blue"]
    assert "no class has two separate photos" in found.not_applicable["blue"]
    assert {one.label for one in found.classes} == {"red", "green"}


def test_test_photos_stay_closed(dataset, given):
    splits = tuple("test" if row % 2 else "train" for row in range(len(dataset)))
    split = Dataset(dataset.root, dataset.paths, dataset.labels, splits)
    found = leave_one_class_out(split, *given)
    images = {one.label: one.n for one in found.classes}
    assert sum(images.values()) < sum(COUNTS.values()) * 0.6


def test_the_command_tells_it(folder, tiny_hub, cache_of_the_tests, tmp_path, capsys):
    out = tmp_path / "out.json"
    asked = ["rehearse", str(folder), "--backbone", "test_efficientnet", "--json", str(out)]
    assert cli.main(asked) == 1  # one photo was refused
    shown = capsys.readouterr()
    assert shown.out.startswith("4 classes, each left out once")
    assert "mean AUROC" in shown.out
    assert "refused red/broken.png" in shown.err.replace("\\", "/")
    told = json.loads(out.read_text())
    assert {one["label"] for one in told["classes"]} == set(COUNTS)
    assert set(told["classes"][0]["auroc"]) == {"value", "low", "high"}
