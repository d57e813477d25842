"""Photos and candidates for tests of comparisons."""

import shutil

import numpy as np

from fieldguide.backbones.extraction import _Extraction
from fieldguide.evaluation.result import Outcomes, measure
from fieldguide.experiments.comparison import ComparisonRow
from fieldguide.experiments.fold_task import Candidate
from fieldguide.recipes.common import Options

ONE = Candidate("one", "linear-probe", Options("test_efficientnet"))
OTHER = Candidate("other", "linear-probe", Options("test_efficientnet", settings={"shrinkage": 0.5}))


def outcomes(right):
    """Answers to images of the first of two classes, right or wrong."""
    right = np.array(right)
    probabilities = np.where(right[:, None] == 1, [[0.9, 0.1]], [[0.1, 0.9]])
    return Outcomes.of(
        np.zeros(len(right), int),
        probabilities,
        np.ones(len(right)),
        set_threshold=0.5,
        unknown_threshold=0.01,
    )


def row(name, right, seconds, megabytes=1.0):
    """A candidate that is right for so many of a hundred images."""
    shown = np.arange(100) < right
    return ComparisonRow(
        Candidate(name, "x"), measure(outcomes(shown), ("a", "b")), (), 1, 1, seconds, megabytes
    )


def painted(folder, paint_classes):
    """Twenty-two photos that can be read, one of them twice, and a file that is none."""
    folder = paint_classes(folder, {"red": 8, "green": 7, "grey": 6})
    shutil.copy(folder / "red" / "000.png", folder / "red" / "copy.png")
    (folder / "red" / "broken.png").write_bytes(b"no image")
    return folder


def watched_passes(monkeypatch):
    """A list that is filled with the images that pass a network."""
    seen = []
    real = _Extraction._forward
    monkeypatch.setattr(
        _Extraction, "_forward", lambda self, pixels: seen.extend(pixels) or real(self, pixels)
    )
    return seen
