"""Executes every notebook as a whole on small data, and holds that each opens in Jupyter.

A notebook runs in a process and folder of its own, with warnings as errors. `DRIVER` runs it, then draws the
figures that it left and answers what the test asks of its variables.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))
DRIVER = """
import json, runpy, sys
import matplotlib.pyplot as plt
names = runpy.run_path(sys.argv[1], run_name="__main__")
for number in plt.get_fignums():
    plt.figure(number).savefig(f"figure{number:02}.png", dpi=50)
print(json.dumps([bool(eval(question, names)) for question in json.loads(sys.argv[2])]))
"""
# Plots are shown as in Jupyter; without a screen that is a warning on some systems.
WARNINGS = ["-W", "error", "-W", "ignore:FigureCanvasAgg is non-interactive:UserWarning"]
HOLDS = {
    "transfer_learning": (
        "measured.accuracy.value > 0.85",
        "measured_on == 'the test photos'",
        "largest_difference < 1e-4",
        "all(answer.unknown for answer in answers[len(unsure):])",
        "answered == [answer.label for answer in unsure]",
    ),
    "cifar10_from_scratch": (
        "measured.accuracy.value > 0.5",
        "len(history) == 8",
        "history[-1]['train_loss'] < history[0]['train_loss']",
        "min(run.validation.accuracy.value for run in runs.values()) > 0.2",
    ),
    "classical_features": (
        "all(result.validation.accuracy.value > 0.8 for result in results.values())",
        "list(drops) == list(parts)",
        "max(drops.values()) > 0",
    ),
    "choosing_and_tuning": (
        "all(row.error is None for row in comparison.rows)",
        "comparison.recommended in {row.candidate.name for row in comparison.rows}",
        "len(comparison.pairs) == 3",
        "len(curve.points) >= 3",
        "tuned.choice.best.log_loss <= tuned.choice.default.log_loss",
    ),
}
FIGURES = {
    "transfer_learning": 5,
    "cifar10_from_scratch": 5,
    "classical_features": 5,
    "choosing_and_tuning": 4,
}


def run(script, folder, questions=()):
    """The answers to the questions, and the figures that were drawn."""
    environment = {**os.environ, "MPLBACKEND": "Agg"}
    done = subprocess.run(
        [sys.executable, *WARNINGS, "-c", DRIVER, str(script), json.dumps(questions)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, f"{script.name}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
    return json.loads(done.stdout.splitlines()[-1]), sorted(folder.glob("figure*.png"))


def own_data(script, folder, variable, data):
    """The notebook with a path at its top, as a person would put it there."""
    text = script.read_text(encoding="utf-8")
    assert text.count(f"\n{variable} = None") == 1
    changed = folder / script.name
    changed.write_text(
        text.replace(f"\n{variable} = None", f"\n{variable} = {str(data)!r}"), encoding="utf-8"
    )
    return changed


def is_drawn(path):
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("L"))
    return (pixels < 200).mean() > 0.001 and (pixels > 200).any()


def test_every_notebook_is_asked_what_it_must_show():
    assert [notebook.stem for notebook in NOTEBOOKS] == sorted(HOLDS) == sorted(FIGURES)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_a_notebook_runs_and_shows_what_it_says(notebook, tmp_path):
    questions = HOLDS[notebook.stem]
    answers, figures = run(notebook, tmp_path, questions)
    assert [question for question, yes in zip(questions, answers, strict=True) if not yes] == []
    assert len(figures) == FIGURES[notebook.stem]
    assert [figure.name for figure in figures if not is_drawn(figure)] == []


@pytest.mark.long
@pytest.mark.parametrize("name", ["transfer_learning", "classical_features", "choosing_and_tuning"])
def test_a_notebook_takes_own_photos(name, tmp_path, paint_classes):
    photos = paint_classes(tmp_path / "photos", {"red": 24, "green": 24, "blue": 24})
    script = own_data(ROOT / "notebooks" / f"{name}.py", tmp_path, "PHOTOS", photos)
    answers, _ = run(script, tmp_path, ["set(photos.classes) == {'red', 'green', 'blue'}"])
    assert answers == [True]


def test_a_notebook_that_fails_or_warns_is_noticed(tmp_path):
    for number, line in enumerate(["raise ValueError", "import warnings; warnings.warn('beware')"]):
        script = tmp_path / f"{number}.py"
        script.write_text(line, encoding="utf-8")
        with pytest.raises(AssertionError, match=script.name):
            run(script, tmp_path)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_a_notebook_opens_in_jupyter_and_comes_back_the_same(notebook, tmp_path):
    convert, nbformat = pytest.importorskip("jupytext.cli"), pytest.importorskip("nbformat")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "notebooks").mkdir()
    script = Path(shutil.copy(notebook, tmp_path / "notebooks"))
    assert convert.jupytext(["--quiet", "--sync", str(script)]) == 0
    opened = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    nbformat.validate(opened)
    kinds = [cell.cell_type for cell in opened.cells]
    assert kinds[0] == "markdown" and {"code", "markdown"} == set(kinds)
    assert opened.metadata.kernelspec.language == "python"
    assert script.read_text(encoding="utf-8") == notebook.read_text(encoding="utf-8")
