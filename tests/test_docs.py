"""Runs the examples of README.md and docs/: what a page shows is what happens.

In a page, blocks marked ``python`` run in order in one namespace, and of blocks marked ``console`` the lines
that begin with ``$ `` run in a shell; where output is shown below them it is compared, ``...`` standing for
anything. Other marks (``text``, ``bash``) are not run: they need a network, a fresh machine or more time.

Each page has its own folder, which holds ``photos/`` (class folders), ``new.jpg`` and ``model.onnx`` (trained
on them).
"""

import doctest
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
COMPARED = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    page: Path
    line: int
    language: str
    text: str


def blocks_of(page, text):
    found = FENCE.finditer(text)
    return [Block(page, text.count("\n", 0, m.start()) + 2, m["language"], m["text"]) for m in found]


def commands_of(text):
    """Pairs (command, output shown) of a console block."""
    pieces = re.split(r"^\$ ", text, flags=re.MULTILINE)
    assert not pieces[0].strip(), "a console block begins with a line that begins with '$ '"
    return [(command, shown) for command, _, shown in (piece.partition("\n") for piece in pieces[1:])]


def run_console(block, folder, environment):
    for command, shown in commands_of(block.text):
        done = subprocess.run(
            command,
            shell=True,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        place = f"{block.page.name}:{block.line}: {command}"
        assert done.returncode == 0, f"{place}\n{done.stdout}{done.stderr}"
        if shown:
            assert doctest.OutputChecker().check_output(shown, done.stdout, COMPARED), (
                f"{place}\n{done.stdout}"
            )


def run_python(block, namespace):
    # Empty lines bring the numbers in a traceback into line with the page.
    exec(compile("\n" * (block.line - 1) + block.text, str(block.page), "exec"), namespace)


def run_page(blocks, folder, environment):
    namespace = {"__name__": "__main__"}
    for block in blocks:
        if block.language == "python":
            run_python(block, namespace)
        elif block.language == "console":
            run_console(block, folder, environment)


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    cache = os.environ.get("FIELDGUIDE_CACHE") or str(tmp_path_factory.mktemp("cache"))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path, "FIELDGUIDE_CACHE": cache}


@pytest.fixture(scope="session")
def workshop(tmp_path_factory, environment):
    """A folder with photos cut from the two that scikit-learn carries, and a model trained on them."""
    from sklearn.datasets import load_sample_images

    folder = tmp_path_factory.mktemp("workshop")
    rng = np.random.default_rng(0)
    for name, photo in zip(("temple", "flower"), load_sample_images().images, strict=True):
        (folder / "photos" / name).mkdir(parents=True)
        for number in range(30):
            cut_from(photo, rng).save(folder / "photos" / name / f"{number:02}.jpg", quality=90)
    cut_from(photo, rng).save(folder / "new.jpg", quality=90)
    train = [sys.executable, "-m", "fieldguide", "train", "photos", "--out", "model.onnx"]
    done = subprocess.run(train, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def cut_from(photo, rng):
    height, width = photo.shape[:2]
    side = int(rng.integers(160, 320))
    top, left = int(rng.integers(height - side)), int(rng.integers(width - side))
    return Image.fromarray(photo[top : top + side, left : left + side])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_a_page_run(page, request, tmp_path, monkeypatch):
    blocks = [
        b for b in blocks_of(page, page.read_text(encoding="utf-8")) if b.language in ("python", "console")
    ]
    if not blocks:
        return
    environment = request.getfixturevalue("environment")
    shutil.copytree(request.getfixturevalue("workshop"), tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FIELDGUIDE_CACHE", environment["FIELDGUIDE_CACHE"])
    run_page(blocks, tmp_path, environment)


@pytest.mark.parametrize(
    "text",
    [
        "```python\nassert 1 == 2\n```\n",
        "```python\nx = 1\n```\n```python\nassert x == 2\n```\n",
        "```console\n$ exit 3\n```\n",
        "```console\n$ echo one\ntwo\n```\n",
        "```console\necho one\n```\n",
    ],
)
def test_an_example_that_is_wrong_fails(text, tmp_path):
    with pytest.raises(AssertionError):
        run_page(blocks_of(Path("page.md"), text), tmp_path, dict(os.environ))


def test_examples_share_a_page_and_may_leave_out_output(tmp_path):
    text = "```python\nx = 1\n```\n\n```text\nnot run\n```\n\n```console\n$ echo one and two\none ... two\n"
    text += "$ echo\n```\n```python\nassert x == 1\n```\n"
    run_page(blocks_of(Path("page.md"), text), tmp_path, dict(os.environ))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?:|mailto:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []
