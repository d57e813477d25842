"""Models against each other: the same images, the same truth, and only real differences called so."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from fieldguide import cli
from fieldguide.data.dataset import Dataset
from fieldguide.errors import DataError, OptionError
from fieldguide.evaluation.model_comparison import compare_models
from path_oracle import CLASSES, answered, refused
from tiny_model import write_tiny_model


@dataclass(frozen=True)
class Says:
    """Names the class that stands at `place` in the file's name: `bee_cow_ant_3.jpg`; `odd` is untypical."""

    place: int
    classes: tuple[str, ...] = CLASSES

    def predict_stream(self, sources):
        for source in sources:
            words = Path(source).stem.split("_")
            if "broken" in words:
                yield refused(source)
            else:
                yield answered(f"x_{words[self.place]}_{words[-1]}", self.classes)


def images(*rows, groups=None):
    """Of (truth, answer of the first, answer of the second)."""
    paths = tuple(f"/photos/{'_'.join(row)}_{number}.jpg" for number, row in enumerate(rows))
    return Dataset(Path("/photos"), paths, tuple(row[0] for row in rows), None, groups)


BOTH, FIRST, SECOND = ("ant", "ant", "ant"), ("ant", "ant", "bee"), ("ant", "bee", "ant")


def compared(dataset, **models):
    return compare_models(models or {"one": Says(1), "two": Says(2)}, dataset)


def test_only_images_that_one_got_right_count_and_mcnemar_decides():
    found = compared(images(*[BOTH] * 50, *[FIRST] * 14, *[SECOND] * 2, ("cow", "bee", "bee")))
    (pair,) = found.pairs
    assert (pair.first, pair.second) == ("one", "two")
    assert (pair.difference.only_first, pair.difference.only_second) == (14, 2)
    assert pair.difference.p == pytest.approx(stats.binomtest(2, 16).pvalue)
    assert pair.real
    assert pair.sentence.startswith("one is better than two")
    assert [model.evaluation.accuracy.value for model in found.models] == [64 / 67, 52 / 67]
    assert (found.n, found.separate) == (67, 67)


def test_the_better_one_stands_first_in_a_pair_and_chance_is_called_chance():
    (pair,) = compared(images(*[BOTH] * 50, FIRST, *[SECOND] * 3)).pairs
    assert (pair.first, pair.second) == ("two", "one")
    assert not pair.real
    assert "cannot be told apart" in pair.sentence


def test_groups_and_near_duplicates_of_real_files_count_once(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    paths = []
    for number, row in enumerate([FIRST] * 8 + [BOTH] * 4):
        path = tmp_path / f"{'_'.join(row)}_{number}.png"
        other = np.random.default_rng(number).integers(0, 256, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(noise if row is FIRST else other).save(path)
        paths.append(str(path))
    labels = ("ant",) * 12
    found = compared(Dataset(tmp_path, tuple(paths), labels))
    assert (found.n, found.separate) == (12, 5)
    assert found.pairs[0].difference.p == 1.0
    groups = ("",) * 8 + ("a", "a", "a", "")
    assert compared(Dataset(tmp_path, tuple(paths), labels, None, groups)).separate == 3


def test_disagreements_are_listed_with_both_answers():
    (one,) = compared(images(BOTH, ("cow", "bee", "bee"), FIRST)).disagreements
    assert one.as_dict() == {
        "path": "ant_ant_bee_2.jpg",
        "label": "ant",
        "answers": [
            {"label": "ant", "probability": pytest.approx(0.9)},
            {"label": "bee", "probability": pytest.approx(0.9)},
        ],
    }


def test_compared_are_the_images_that_all_could_answer():
    few = Says(2, CLASSES[:2])
    found = compared(
        images(BOTH, FIRST, ("cow", "cow", "ant"), ("ant", "broken", "ant")), one=Says(1), two=few
    )
    assert found.n == 2
    assert [model.evaluation.n for model in found.models] == [3, 2]
    assert found.models[1].evaluation.strangers == (("cow", 1),)
    with pytest.raises(DataError, match="one and two have no class in common"):
        compared(
            images(("ant", "ant", "bee"), ("bee", "bee", "bee")),
            one=Says(1, ("ant", "cow", "bee")[:1]),
            two=Says(2, ("bee",)),
        )
    with pytest.raises(OptionError, match="must be two or more, got 1"):
        compared(images(BOTH), one=Says(1))


def test_three_models_make_three_pairs_and_pay_for_it():
    rows = [("ant", "ant", "bee", "bee")] * 6 + [("ant",) * 4] * 6
    found = compared(images(*rows), a=Says(1), b=Says(2), c=Says(3))
    assert [(pair.first, pair.second) for pair in found.pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
    first = found.pairs[0]
    assert first.p_corrected == pytest.approx(3 * first.difference.p)


def test_foreign_images_are_put_to_every_model():
    models = {"one": Says(1), "two": Says(2)}
    found = compare_models(
        models, images(BOTH, FIRST), foreign=images(("odd", "ant", "bee"), ("odd", "ant", "ant"))
    )
    assert all(model.as_dict()["foreign"]["n"] == 2 for model in found.models)


def test_the_command_compares_model_files(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_tiny_model(tmp_path / "good.onnx")
    write_tiny_model(tmp_path / "swapped.onnx", classes=["green", "red", "blue"])
    for name, pixel in {"red": (200, 9, 9), "green": (9, 200, 9), "blue": (9, 9, 200)}.items():
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(6):
            Image.new("RGB", (20, 16 + number), pixel).save(tmp_path / "photos" / name / f"{number}.png")
    asked = ["evaluate", "good.onnx", "photos", "--against", "swapped.onnx", "--json", "out.json"]
    assert cli.main(asked) == 0
    shown = capsys.readouterr().out
    assert "good and swapped cannot be told apart" in shown  # six photos of one colour are one photo
    assert "answered differently: 12, the first:" in shown
    told = json.loads((tmp_path / "out.json").read_text())
    assert told["accuracy"]["value"] == 1.0
    assert [model["name"] for model in told["against"]["models"]] == ["good", "swapped"]
    assert [model["accuracy_in_common"] for model in told["against"]["models"]] == [1.0, 1 / 3]
    assert len(told["against"]["disagreements"]) == 12
    assert cli.main(["evaluate", "good.onnx", "photos", "--against", "good.onnx"]) == 2
    assert "--against: must be another model file" in capsys.readouterr().err
