"""What a person sees of every command, in a real pseudo-terminal of two sizes.

The text of a command is what it writes where there is no terminal. On one it must all be there, each line
once, whatever bars were drawn meanwhile; and no bar may be left.
"""

import importlib.util
import os
import re
import subprocess

import pytest

from fieldguide.commands import COMMANDS
from pseudo_terminal import SOURCES, fieldguide, run_in_terminal
from tiny_model import write_tiny_model

HAS_TORCH = importlib.util.find_spec("torch") is not None
SIZES = [(100, 30), (80, 24)]
WITHOUT_BARS = {"serve", "app"}
"""They run until they are stopped, write lines as a log does, and have tests of their own."""
LINES = {
    "check": ("check photos --fix {fresh}.csv", 1),
    "split": ("split photos --out {fresh}", 0),
    "train": ("train photos --out {fresh}.onnx --preset fast", 0),
    "compare": ("compare photos --recipes svm,extra-trees --presets fast --folds 2", 0),
    "tune": ("tune photos --recipe svm --trials 2 --folds 2 --out {fresh}.onnx", 0),
    "novelty": ("novelty photos --preset fast", 0),
    "evaluate": ("evaluate model.onnx photos --foreign photos", 0),
    "predict": ("predict model.onnx photos broken.jpg", 1),
    "next": ("next model.onnx photos --count 7", 0),
    "explain": ("explain model.onnx photos/red/000.png --out {fresh}.png --train photos", 0),
    "merge": ("merge photos --out {fresh}.csv", 2),
    "undo": ("undo nothing.csv", 2),
    "info": ("info model.onnx", 0),
    "export": ("export model.onnx --to int8 --out {fresh}.onnx", 2),
    "architecture": ("architecture resnet18 --size 64", 0),
    "backbones": ("backbones", 0),
    "pretrained": ("pretrained efficientnet_lite0 --out {fresh}.onnx", 0),
    "zero-shot": ("zero-shot efficientnet_lite0 --classes red,blue --out {fresh}.onnx", 2),
    "dataset": ("dataset", 0),
    "convert": ("convert photos --to coco --out {fresh}", 0),
}
HEADINGS = {
    "predict": ("answer", "probability", "typicality", "path"),
    "next": ("rank", "photo", "why"),
    "compare": ("way to train", "accuracy", "log loss", "training", "a photo", "file"),
    "tune": ("trial", "log loss", "accuracy"),
    "backbones": ("name",),
    "dataset": ("name", "images", "classes", "pixels", "MB"),
}
PROGRESS = re.compile(r"^[^:]+: \d+( of \d+(, about \d+ s left|, \d+\.\d s)?)?$")


@pytest.fixture(scope="module")
def home(tmp_path_factory, paint_classes):
    folder = tmp_path_factory.mktemp("home")
    paint_classes(folder / "photos", {"red": 14, "green": 14, "blue": 14})
    (folder / "photos" / "red" / "copy.png").write_bytes((folder / "photos/red/000.png").read_bytes())
    (folder / "broken.jpg").write_bytes(b"no photo")
    write_tiny_model(folder / "model.onnx")
    return folder


def same(text):
    """Without white space, by which a terminal wraps lines, and without numbers, which may be seconds."""
    return re.sub(r"[\d.]", "", "".join(text.split()))


def as_piped(line, home, environment):
    done = subprocess.run(
        fieldguide(*line.split()), capture_output=True, text=True, cwd=home, env={**os.environ, **environment}
    )
    notes = [told for told in done.stderr.splitlines() if not PROGRESS.match(told)]
    return done.returncode, done.stdout.splitlines(), notes


NEED_TORCH = {"architecture"}


@pytest.mark.parametrize("name", LINES)
def test_nothing_of_a_commands_text_is_lost_and_no_bar_is_left(name, home, cache_of_the_tests):
    line, expected = LINES[name]
    if name in NEED_TORCH and not HAS_TORCH:
        expected = 2
    environment = {"FIELDGUIDE_CACHE": str(cache_of_the_tests), "PYTHONPATH": str(SOURCES), "COLUMNS": "200"}
    code, results, notes = as_piped(line.format(fresh=f"{name}-0"), home, environment)
    assert code == expected, notes
    for columns, rows in SIZES:
        given = line.format(fresh=f"{name}-{columns}").split()
        seen = run_in_terminal(
            fieldguide(*given), columns=columns, rows=rows, cwd=home, FIELDGUIDE_CACHE=str(cache_of_the_tests)
        )
        assert seen.code == expected, seen.text
        shown = same(seen.text)
        for lines in (results, notes):
            place = 0
            for text in filter(None, map(same, lines)):
                if name == "compare" and text not in shown[place:]:
                    continue  # the table has fewer columns on a narrow screen
                place = shown.find(text, place)
                assert place >= 0, (text, seen.text)
                place += len(text)
        for heading in HEADINGS.get(name, ()):
            assert heading in seen.text, seen.text
        assert "so far" not in seen.text and "━" not in seen.text, seen.text
        assert not seen.cursor_hidden


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_the_demo_tells_all_of_itself(columns, rows, home, cache_of_the_tests):
    seen = run_in_terminal(
        fieldguide("demo", "--out", f"demo-{columns}"),
        columns=columns,
        rows=rows,
        cwd=home,
        FIELDGUIDE_CACHE=str(cache_of_the_tests),
    )
    assert seen.code == 0 and seen.bars > 5, seen.text
    program = "".join(fieldguide())
    places = [
        seen.packed.find(text)
        for text in (
            "1.Photos:handwrittendigits",
            "2.Trainedon1347imagesin",
            "3.Measuredon450testimagesthatithadneverseen:accuracy0.99",
            "calibrationerror0.0",
            "4.Askedaboutthingsthatarenotdigits:",
            "5.Thesamenetworkwithitsown1,000ImageNetclasses",
            "Themodelisonefile:",
            "Trynext:",
            f"{program}predictdemo-{columns}/digits.onnx",
            f"{program}infodemo-{columns}/digits.onnx",
            f"{program}trainYOUR_PHOTOS--outmy.onnx",
        )
    ]
    assert -1 not in places and places == sorted(places), seen.text
    assert "so far" not in seen.text and "━" not in seen.text
    assert not seen.cursor_hidden


def test_every_command_is_looked_at():
    assert {command.NAME for command in COMMANDS} == {*LINES, "demo", *WITHOUT_BARS}
