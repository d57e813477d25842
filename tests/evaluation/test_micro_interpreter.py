"""TensorFlow Lite Micro runs what is written for it, with as little memory as is said."""

import sys

import numpy as np
import pytest

pytest.importorskip("ai_edge_quantizer", reason="the extra litert is not installed")
pytest.importorskip("tflite_micro", reason="the extra micro is not installed, or has no wheel here")

from fieldguide.errors import OptionError
from fieldguide.evaluation.export_runners import RUNNERS, ExportPhoto, litert_runner
from fieldguide.evaluation.micro_interpreter import (
    STEP,
    arena_bytes,
    memory_sentence,
    micro_interpreter,
)
from fieldguide.modelfile.artifact import load_model_file
from fieldguide.modelfile.exports.litert import FORMS, MICRO
from fieldguide.prediction.predictor import load
from layered_model import write_layered_model


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    model = write_layered_model(folder / "model.onnx")
    size = load(model).preprocessing.size
    squares = list(np.random.default_rng(0).integers(0, 256, (6, size, size, 3), dtype=np.uint8))
    path = folder / "micro.tflite"
    path.write_bytes(FORMS[MICRO].rounded(load_model_file(model), squares))
    return path, squares


def test_it_answers_as_litert_does(made):
    path, squares = made
    expected = litert_runner(path)(np.stack(squares))
    with RUNNERS[MICRO](path) as run:
        found, seconds = run([ExportPhoto(square, None) for square in squares])
    assert np.abs(found.probabilities - expected.probabilities).max() < 0.02
    assert found.typicality.shape == expected.typicality.shape and seconds > 0


def test_the_memory_it_needs_is_the_least(made, capfd):
    path, _ = made
    needed = arena_bytes(path)
    assert needed % STEP == 0
    micro_interpreter(path, needed)
    with pytest.raises(OptionError, match="TensorFlow Lite Micro cannot run it: "):
        micro_interpreter(path, needed - STEP)
    assert capfd.readouterr().err == ""
    assert memory_sentence(45_000, 63_488).startswith("a board needs 45 kB for the file and at most 63 kB")


def test_a_file_that_it_cannot_run_is_refused_with_its_reason(made, tmp_path):
    other = FORMS["litert"].convert(load_model_file(write_layered_model(tmp_path / "model.onnx")))
    (tmp_path / "float.tflite").write_bytes(other)
    with pytest.raises(OptionError, match=r"cannot run it: .*"):
        interpreter = micro_interpreter(tmp_path / "float.tflite", STEP)
        interpreter.invoke()


@pytest.mark.parametrize("damage", ["cut off", "empty", "another", "zeros"])
def test_a_damaged_file_is_refused(made, tmp_path, damage):
    content = made[0].read_bytes()
    damaged = {
        "cut off": content[: len(content) // 2],
        "empty": b"",
        "another": b"GIF89a and so on, which is no LiteRT file",
        "zeros": content[:8] + bytes(len(content) - 8),
    }
    (tmp_path / "damaged.tflite").write_bytes(damaged[damage])
    with pytest.raises(OptionError, match=r"cannot run it: it is no LiteRT file, or a damaged one; export"):
        micro_interpreter(tmp_path / "damaged.tflite")


def test_without_it_the_refusal_names_the_package(made, monkeypatch):
    monkeypatch.setitem(sys.modules, "tflite_micro.python.tflite_micro", None)
    with pytest.raises(OptionError, match=r"pip install tflite-micro .*leave --check out"):
        micro_interpreter(made[0])
