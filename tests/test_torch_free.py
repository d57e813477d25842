"""What works without torch: every module but those that train networks, and the whole line on photos."""

import subprocess
import sys
from pathlib import Path

import pytest

import fieldguide
from torch_free import FORBID, modules

TESTS = Path(__file__).parent
MOST_TESTS_WITH_TORCH = 99
"""Files of tests in needs_torch.txt: as many as torch's own packages need; few others are fast with it."""
TRAIN = """
from fieldguide.cli import main
code = main(["train", sys.argv[1], "--out", sys.argv[2], "--recipe", sys.argv[3], "--preset", "fast"])
code = code or main(["evaluate", sys.argv[2], sys.argv[1]])
sys.exit(code or main(["predict", sys.argv[2], sys.argv[1], "--out", sys.argv[2] + ".csv"]))
"""
CLASSES = {"red": 12, "green": 12, "blue": 12}


def run(code, *arguments):
    command = [sys.executable, "-W", "ignore", "-c", FORBID + code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_every_module_that_needs_no_torch_is_imported_without_it():
    names = list(modules())
    assert len(names) > 150
    done = run(f"import importlib\nfor name in {names!r}: importlib.import_module(name)")
    assert done.returncode == 0, done.stderr


def test_a_module_that_needs_it_is_seen():
    done = run("import fieldguide.training.loop")
    assert "torch is forbidden" in done.stderr


@pytest.fixture
def photos(paint_classes, tmp_path):
    return paint_classes(tmp_path / "photos", CLASSES)


@pytest.mark.parametrize("recipe", ["auto", "linear-probe", "svm", "extra-trees"])
def test_the_whole_line_works_without_torch(recipe, photos, tmp_path):
    done = run(TRAIN, photos, tmp_path / "model.onnx", recipe)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "model.onnx.csv").read_text().count("\n") == 1 + sum(CLASSES.values())
    card = fieldguide.load(tmp_path / "model.onnx").card
    assert not {"torch", "timm", "torchvision"} & set(card["created"])


def test_what_a_card_names_is_what_the_model_was_made_with(photos, tmp_path):
    """The same photos, seed and versions give the same bytes, whether torch is installed or not."""
    without, beside = tmp_path / "without.onnx", tmp_path / "with.onnx"
    assert run(TRAIN, photos, without, "linear-probe").returncode == 0
    command = [sys.executable, "-W", "ignore", "-c", "import sys" + TRAIN, photos, beside, "linear-probe"]
    subprocess.run(command, capture_output=True, check=True)
    assert without.read_bytes() == beside.read_bytes()


@pytest.mark.parametrize("recipe", ["finetune", "cnn"])
def test_what_needs_torch_says_so_in_one_line_before_any_work(recipe, photos, tmp_path):
    done = run(TRAIN, photos, tmp_path / "model.onnx", recipe)
    assert done.returncode == 2
    said = done.stderr.strip()
    assert "\n" not in said
    assert f"recipe {recipe}: trains a network, which needs torch, and that is not installed" in said
    assert "take one of auto, linear-probe, svm, extra-trees, or run: pip install " in said


def test_a_table_of_layers_needs_torch_and_says_so_in_one_line():
    code = "from fieldguide.cli import main; sys.exit(main(['architecture', 'resnet18']))"
    done = run(code)
    assert done.returncode == 2
    said = done.stderr.strip()
    assert "\n" not in said
    assert "networks that learn need torch, and that is not installed; run: pip install " in said


def test_few_files_of_tests_need_torch():
    listed = (TESTS / "needs_torch.txt").read_text().split()
    assert len(listed) <= MOST_TESTS_WITH_TORCH
    assert listed == sorted(set(listed))
    assert [name for name in listed if not (TESTS / name).is_file()] == []
