"""A measurement of made photos with tags for tests of reports."""

import dataclasses

import numpy as np

from fieldguide.data.dataset import Dataset
from fieldguide.report.tagged.gather import gather_tags
from fieldguide.tasks.tags import Tags
from report_made import ASKED, photos
from report_oracle import CARD, Oracle

TAGS = ("ant", "bee", "cow", "dog")
CARD_OF_TAGS = {
    **CARD,
    "task": "multiple",
    "thresholds": {"unknown": 0.01, "set": 0.1, "coverage": 0.95, "tags": [0.5, 0.4, 0.5, 0.6]},
    "metrics": {"map": {"value": 0.7, "low": 0.6, "high": 0.8}, "measured_on": "out-of-fold"},
    "data": {"images": 30, "fingerprint": "0" * 64, "per_class": {"ant": 30, "bee": 30, "cow": 30, "dog": 3}},
}


def truth_of(count):
    """Which tags each photo has: all combinations of three in turn, the last in every tenth."""
    shown = np.arange(count)[:, None] >> np.arange(3) & 1
    return np.concatenate([shown, (np.arange(count) % 10 == 0)[:, None]], axis=1).astype(bool)


def tag_oracle(shown, *, right=0.9, seed=0, classes=TAGS, **changes):
    """An oracle that is right in this share of photos and tags."""
    rng = np.random.default_rng(seed)
    hits = rng.random(shown.shape) < right
    sure = rng.uniform(0.62, 0.97, shown.shape)
    probabilities = np.where(shown == hits, sure, 1 - sure).astype(np.float32)
    return Oracle(tuple(classes), probabilities, rng.random(len(shown)), {**CARD_OF_TAGS, **changes})


def tagged_photos(folder, shown, classes=TAGS):
    """Photos with these tags as data."""
    paths = photos(folder, [f"{number}.png" for number in range(len(shown))])
    tags = tuple(
        Tags.of(name for name, there in zip(classes, row, strict=True) if there) for row in shown.tolist()
    )
    return Dataset(folder, tuple(paths), ("",) * len(paths), tags=tags)


def tag_material(folder, count=120, asked=ASKED, foreign=None, **changes):
    """A measurement of so many photos with tags."""
    shown = truth_of(count)
    oracle = tag_oracle(shown, **changes)
    return gather_tags(oracle, tagged_photos(folder, shown), asked, foreign=foreign)


def with_answers(made, **columns):
    """The same measurement with other columns of answers; figures stay as they were."""
    return dataclasses.replace(made, outcomes=dataclasses.replace(made.outcomes, **columns))
