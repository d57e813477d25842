from pathlib import Path

from fieldguide.tracking.tracker import Signature, figures_of, parameters_of


def test_plain_arguments_are_parameters():
    given = {"data": object(), "out": Path("m.onnx"), "recipe": "svm", "splits": None, "progress": False}
    assert parameters_of(given | {"against": (), "set": {"trees": 50}}) == {
        "out": "m.onnx",
        "recipe": "svm",
        "set.trees": 50,
    }


def test_figures_are_those_that_are_there():
    measured = {"accuracy": {"value": 0.9, "low": 0.8, "high": 1.0}, "top5": None, "log_loss": 0.2, "n": 5}
    assert figures_of(measured, "validation_") == {
        "validation_accuracy": 0.9,
        "validation_accuracy_low": 0.8,
        "validation_accuracy_high": 1.0,
        "validation_log_loss": 0.2,
    }


def test_a_signature_is_the_contracts():
    signature = Signature.of(3).as_dict()
    assert signature["inputs"] == [{"name": "image", "type": "uint8", "shape": [-1, -1, -1, 3]}]
    assert [one["name"] for one in signature["outputs"]] == ["probabilities", "typicality", "embedding"]
    assert signature["outputs"][0]["shape"] == [-1, 3]


def test_figures_of_tags_have_their_ranges():
    share = {"value": 0.9, "low": 0.8, "high": 1.0}
    found = figures_of({"map": share, "coverage": share, "ece": 0.1, "mean_labels": 2.0}, "validation_")
    assert found["validation_map_low"] == 0.8
    assert found["validation_coverage"] == 0.9
    assert found["validation_mean_labels"] == 2.0
