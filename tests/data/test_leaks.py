"""Leaks of a data set's own split: found, told by train and evaluate, and measured without."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from fieldguide import cli
from fieldguide.data import leaks as leaks_module
from fieldguide.data.dataset import Dataset, open_dataset
from fieldguide.data.leaks import KINDS, Fingerprints, Leaks, find_leaks, leaks_between
from fieldguide.evaluation.measurement import evaluate, learned_split
from fieldguide.learning.train import TrainOptions, train
from fieldguide.modelfile.artifact import load_model_file
from fieldguide.recipes.common import Options
from path_oracle import Oracle
from tiny_backbone import tiny_weights
from tiny_model import write_tiny_model


@pytest.fixture
def data(tmp_path, paint_classes):
    """Train and test of three classes; of test, one file and one re-encoded photo are in train, too."""
    folder = tmp_path / "data"
    paint_classes(folder / "train", {"red": 14, "green": 13, "blue": 13})
    paint_classes(folder / "test", {"red": 4, "green": 4, "blue": 4}, first=50)
    shutil.copy(folder / "train/red/003.png", folder / "test/red/copy.png")
    with Image.open(folder / "train/green/004.png") as photo:
        photo.save(folder / "test/green/again.jpg", quality=70)
    return folder


def found(data, split="test"):
    with open_dataset(data) as dataset:
        return leaks_between(dataset.select(split), dataset.select("train"))


def test_files_and_photos_that_train_has_are_found(data):
    leaks = found(data)
    names = {path.rsplit("/", 1)[1]: kind for path, kind in leaks.kinds.items()}
    assert names == {"copy.png": "same_file", "again.jpg": "near_duplicate"}
    assert leaks.summary() == (
        "leak: 2 of 14 images measured are in train as well (1 the same file, 1 nearly the same photo)"
    )


def test_a_clean_split_is_told_to_be_clean(data):
    (data / "test/red/copy.png").unlink(), (data / "test/green/again.jpg").unlink()
    assert found(data).summary() == "no leak: none of the 12 images measured is in train as well"


def side(count, seed, groups=None):
    signatures = np.random.default_rng(seed).integers(0, 256, (count, 768), dtype=np.uint8)
    digests = tuple(f"{seed} {row}" for row in range(count))
    return Fingerprints(tuple(f"{seed}/{row}.jpg" for row in range(count)), digests, signatures, groups)


def test_groups_leak_but_the_empty_group_does_not():
    leaks = find_leaks(side(3, 1, ("a", "", "c")), side(3, 2, ("c", "", "d")))
    assert leaks.kinds == {"1/2.jpg": "same_group"}
    assert find_leaks(side(0, 1), side(3, 2)).kinds == {}
    assert find_leaks(side(3, 1), side(0, 2)).kinds == {}


def alike(one, other, number):
    """Give a row of `other` nearly the signature that `one` has in its first row; no two are quite equal."""
    words = one.signatures[0].view("<i2").copy()
    words[30] += number
    other.signatures[number] = words.view(np.uint8)


def test_photos_like_the_first_one_learned_from_are_found_and_those_of_training_are_not_compared(monkeypatch):
    looked_at = []
    monkeypatch.setattr(
        leaks_module, "confirmed", lambda *given: looked_at.append(given[2].pairs.tolist()) or given[2]
    )
    measured, training = side(2, 1), side(3, 2)
    for number in (1, 2):
        alike(training, training, number)
    assert find_leaks(measured, training).kinds == {}
    assert find_leaks(training, side(0, 1)).kinds == find_leaks(side(0, 1), training).kinds == {}
    assert looked_at == [[]]
    measured.signatures[1] = training.signatures[0]
    assert find_leaks(measured, training).kinds == {"1/1.jpg": "near_duplicate"}
    measured, training = side(1, 1), side(1, 2)
    training.signatures[0] = measured.signatures[0]
    assert find_leaks(measured, training).kinds == {"1/0.jpg": "near_duplicate"}


def test_evaluation_gives_the_accuracy_without():
    paths = ("/d/ant_ant.jpg", "/d/bee_bee.jpg", "/d/ant_bee.jpg", "/d/bee_ant.jpg", "/d/broken_ant.jpg")
    dataset = Dataset("/d", paths, ("ant", "bee", "ant", "bee", "ant"))
    leaks = Leaks({paths[0]: "same_file", paths[1]: "same_group", paths[4]: "same_file"}, 5)
    answer = evaluate(Oracle(), dataset, leaks=leaks).as_dict()
    assert answer["accuracy"]["value"] == 0.5
    told = answer["leaks"]
    assert (told["n"], told["n_without"], told["accuracy_without"]["value"]) == (2, 2, 0.0)
    assert [told[kind] for kind in KINDS] == [1, 0, 1]
    assert told["paths"] == ["ant_ant.jpg", "bee_bee.jpg"]
    assert "leaks" not in evaluate(Oracle(), dataset).as_dict()


def test_where_all_leak_nothing_is_left():
    dataset = Dataset("/d", ("/d/ant_ant.jpg",), ("ant",))
    answer = evaluate(Oracle(), dataset, leaks=Leaks({"/d/ant_ant.jpg": "same_file"}, 1)).as_dict()
    assert answer["leaks"]["accuracy_without"] is None


def test_only_another_split_than_train_is_compared(data):
    with open_dataset(data) as dataset:
        assert learned_split(dataset, dataset.select("test")).splits == ("train",) * 40
        assert learned_split(dataset, dataset) is None
        assert learned_split(dataset, dataset.select("train")) is None
        whole = Dataset(dataset.root, dataset.paths, dataset.labels)
        assert learned_split(whole, whole) is None


def test_the_command_evaluate_says_so(data, tmp_path, capsys):
    model = write_tiny_model(tmp_path / "model.onnx")
    assert cli.main(["evaluate", str(model), str(data), "--json", str(tmp_path / "e.json")]) == 0
    shown = capsys.readouterr().out
    assert "leak: 2 of 14 images measured are in train as well" in shown
    assert "without leaks" in shown
    answer = json.loads((tmp_path / "e.json").read_text())
    assert (answer["n"], answer["leaks"]["n_without"]) == (14, 12)
    assert cli.main(["evaluate", str(model), str(data), "--split", "all"]) == 0
    assert "leak" not in capsys.readouterr().out


def test_train_says_so_in_the_card_and_measures_without(data, tmp_path):
    (data / "test").rename(data / "validation")
    weights = tiny_weights(tmp_path)
    options = TrainOptions(
        data, tmp_path / "model.onnx", options=Options(backbone="test_efficientnet", weights=weights)
    )
    answer = train(options).as_dict()
    assert answer["validation"]["leaks"]["n"] == 2
    assert answer["validation"]["leaks"]["n_without"] == 12
    sentence = next(choice for choice in answer["choices"] if "leak" in choice)
    assert sentence in load_model_file(tmp_path / "model.onnx").card["choices"]
    (data / "validation/red/copy.png").unlink(), (data / "validation/green/again.jpg").unlink()
    clean = train(options).as_dict()
    assert clean["validation"]["leaks"]["n"] == 0
    assert not any("leak" in choice for choice in clean["choices"])
