"""Executes every notebook as Jupyter does, on small data, and holds that each opens there.

A notebook runs in a kernel and folder of its own, with warnings as errors, and without torch where no network
learns. What each cell shows is looked at; a last cell answers what the test asks of the notebook's variables.
"""

import base64
import io
import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from torch_free import FORBID

jupytext = pytest.importorskip("jupytext")
nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))
LEARNS_A_NETWORK = ("cifar10_from_scratch",)
"""The others run where torch cannot be imported."""
MOST_SECONDS = 180
STRICT = """
import warnings
warnings.simplefilter("error")
"""
HOLDS = {
    "transfer_learning": (
        "measured.accuracy.value > 0.85",
        "measured.n == 120 and set(photos.splits) == {'train', 'test'}",
        "largest_difference < 1e-4",
        "all(answer.unknown for answer in answers[len(unsure):])",
        "answered == [answer.label for answer in unsure]",
    ),
    "cifar10_from_scratch": (
        "measured.accuracy.value > 0.5",
        "len(history) == 8",
        "history[-1]['train_loss'] < history[0]['train_loss']",
        "first.parameters < second.parameters < third.parameters < by_name.parameters",
        "by_name.features == 512",
        "min(run.validation.accuracy.value for run in runs.values()) > 0.2",
    ),
    "classical_features": (
        "all(result.validation.accuracy.value > 0.8 for result in results.values())",
        "list(drops) == list(kinds)",
        "max(drops.values()) > 0",
    ),
    "choosing_and_tuning": (
        "all(row.error is None for row in comparison.rows)",
        "comparison.recommended in {row.candidate.name for row in comparison.rows}",
        "len(comparison.pairs) == 3",
        "len(curve.points) >= 3",
        "tuned.choice.best.log_loss <= tuned.choice.default.log_loss",
        "len(judged.against.pairs) == 1 and set(photos.splits) == {'train', 'test'}",
    ),
    "raw_photos_to_model": (
        "{finding.code for finding in found.findings} >= {'FG001', 'FG003', 'FG005'}",
        "len(found.fixes) >= 2",
        "measured.accuracy.value > 0.8 and measured.learned.n == 0",
        "measured.foreign is not None",
        "(WORK / 'report.html').stat().st_size > 10_000",
        "explanation.label == least_sure.label",
        "len(unseen.as_dict()['classes']) == 5",
    ),
}
PICTURES = {
    "transfer_learning": 2,
    "cifar10_from_scratch": 3,
    "classical_features": 4,
    "choosing_and_tuning": 3,
    "raw_photos_to_model": 1,
}
"""Plots and pictures that cells show, beside what is inside of results."""
RESULTS = {
    "transfer_learning": 6,
    "cifar10_from_scratch": 8,
    "classical_features": 2,
    "choosing_and_tuning": 4,
    "raw_photos_to_model": 12,
}
"""Results that show themselves."""


def run(script, folder, questions=(), before=STRICT):
    """Execute it; the answers to the questions, and what the cells showed.

    Without `MPLBACKEND`, which Streamlit sets when it is imported: with it a kernel shows no plot.
    """
    notebook = jupytext.read(script)
    before_leaving = "import json, warnings; warnings.resetwarnings()"  # ipykernel warns as it ends
    ask = f"{before_leaving}; print(json.dumps([bool(eval(q)) for q in {list(questions)!r}]))"
    notebook.cells.insert(0, nbformat.v4.new_code_cell(before))
    notebook.cells.append(nbformat.v4.new_code_cell(ask))
    client = nbclient.NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute(env={name: value for name, value in os.environ.items() if name != "MPLBACKEND"})
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    outputs = [output for cell in cells[:-1] for output in cell.outputs]
    said = [one.text for one in outputs if one.output_type == "stream" and one.name == "stderr"]
    assert said == [], f"{script.name} wrote to standard error"
    (answer,) = cells[-1].outputs
    return json.loads(answer.text), [one.data for one in outputs if "data" in one]


def own_data(script, folder, variable, data):
    """The notebook with a path at its top, as a person would put it there."""
    text = script.read_text(encoding="utf-8")
    assert text.count(f"\n{variable} = None") == 1
    changed = folder / script.name
    changed.write_text(
        text.replace(f"\n{variable} = None", f"\n{variable} = {str(data)!r}"), encoding="utf-8"
    )
    return changed


def is_drawn(png):
    with Image.open(io.BytesIO(base64.b64decode(png))) as picture:
        pixels = np.asarray(picture.convert("L"))
    return (pixels < 200).mean() > 0.001 and (pixels > 200).any()


def is_result(data):
    return 'class="fieldguide"' in data.get("text/html", "")


def is_raw(data):
    """What is shown as Python writes it, and as nothing else; bars that are done are empty."""
    return bool(data.get("text/plain")) and not {"text/html", "image/png"} & set(data)


def test_every_notebook_is_asked_what_it_must_show():
    names = [notebook.stem for notebook in NOTEBOOKS]
    assert names == sorted(HOLDS) == sorted(PICTURES) == sorted(RESULTS)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_a_notebook_calls_no_shell_and_little_but_the_functions(notebook):
    code = "\n".join(cell.source for cell in jupytext.read(notebook).cells if cell.cell_type == "code")
    lines = [line.strip() for line in code.splitlines()]
    assert [line for line in lines if line.startswith(("!", "%")) or "subprocess" in line] == []
    inner = [line for line in lines if line.startswith(("from fieldguide", "import fieldguide."))]
    assert set(inner) <= {"from fieldguide.errors import OptionError"}


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_a_notebook_runs_and_shows_what_it_says(notebook, tmp_path):
    questions, begun = HOLDS[notebook.stem], time.monotonic()
    before = STRICT if notebook.stem in LEARNS_A_NETWORK else STRICT + FORBID
    answers, shown = run(notebook, tmp_path, questions, before)
    assert [question for question, yes in zip(questions, answers, strict=True) if not yes] == []
    pictures = [data["image/png"] for data in shown if "image/png" in data]
    assert len(pictures) == PICTURES[notebook.stem] and all(map(is_drawn, pictures))
    assert sum(map(is_result, shown)) == RESULTS[notebook.stem]
    assert [data["text/plain"] for data in shown if is_raw(data)] == []
    assert time.monotonic() - begun < MOST_SECONDS


@pytest.mark.long
@pytest.mark.parametrize(
    "name", ["transfer_learning", "classical_features", "choosing_and_tuning", "raw_photos_to_model"]
)
def test_a_notebook_takes_own_photos(name, tmp_path, paint_classes):
    photos = paint_classes(tmp_path / "photos", {"red": 24, "green": 24, "blue": 24})
    script = own_data(ROOT / "notebooks" / f"{name}.py", tmp_path, "PHOTOS", photos)
    answers, _ = run(script, tmp_path, ["set(photos.classes) == {'red', 'green', 'blue'}"])
    assert answers == [True]


def test_a_notebook_that_fails_or_warns_is_noticed(tmp_path):
    odd = ["raise ValueError", "import warnings; warnings.warn('beware')"]
    for number, line in enumerate(odd):
        script = tmp_path / f"{number}.py"
        script.write_text(f"# %%\n{line}\n", encoding="utf-8")
        with pytest.raises(nbclient.exceptions.CellExecutionError, match=r"ValueError|beware"):
            run(script, tmp_path)
    script.write_text("# %%\nimport sys; print('careful', file=sys.stderr)\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="standard error"):
        run(script, tmp_path)


def test_what_is_shown_as_python_writes_it_is_raw():
    assert is_raw({"text/plain": "<Axes: >"}) and not is_raw({"text/plain": "", "text/html": "<div></div>"})


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_a_notebook_opens_in_jupyter_and_comes_back_the_same(notebook, tmp_path):
    convert = pytest.importorskip("jupytext.cli")
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
