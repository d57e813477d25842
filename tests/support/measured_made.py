"""Answers and data for tests of measurements."""

from pathlib import Path

from fieldguide.data.dataset import Dataset


def data(*pairs, splits=None, refused=()):
    """A data set of images (true class, class the oracle will say)."""
    paths = tuple(f"/photos/{truth}/{truth}_{said}_{row}.jpg" for row, (truth, said) in enumerate(pairs))
    labels = tuple(truth for truth, _ in pairs)
    return Dataset(Path("/photos"), paths, labels, splits, None, tuple(refused), ())
