"""Labels that are probably wrong."""

import numpy as np
from numpy.typing import NDArray

from fieldguide.audit.checks.common import Evidence, Found, Item, NotApplicable, Result, count_of
from fieldguide.audit.confident_learning import doubtful_labels

CODE = "FG017"
TITLE = "Likely label errors"
SEVERITY = "issue"
SURE = 0.5
"""Probability from which on the most probable class is suggested; below it the image is better left out."""
OUTSIDE = 1.5
"""An image that lies so many times the distance between the quartiles above the upper one, on a scale of
ratios, is better left out, too: its right label may be none of the classes (Tukey's "outside", 1977)."""


def check(evidence: Evidence) -> Result:
    """Apply confident learning to the answers of models that had not seen the image."""
    answers = evidence.held_out
    if answers is None:
        return NotApplicable("there are not two classes with two separate photos each to hold out")
    doubts = doubtful_labels(answers.probabilities, answers.labels)
    far = _far(answers.distances)
    items = tuple(_item(evidence, place, bool(far[place])) for place in doubts.rows.tolist())
    if not items:
        return None
    labels = count_of(len(items), "label")
    return Found(
        f"{labels} probably wrong: models that had not seen the image give it a chance of one in ten or less",
        items,
    )


def _far(distances: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which images are like none of the classes."""
    scale = np.log(np.maximum(distances, 1e-9))
    low, high = np.percentile(scale, (25, 75))
    return np.asarray(scale > high + OUTSIDE * (high - low))


def _item(evidence: Evidence, place: int, far: bool) -> Item:
    """One doubtful label; `place` counts the answered images."""
    answers = evidence.held_out
    assert answers is not None, "there are no items without answers"
    row = int(answers.rows[place])
    probabilities = answers.probabilities[place]
    best = int(probabilities.argmax())
    given, likely = answers.classes[answers.labels[place]], answers.classes[best]
    own = probabilities[answers.labels[place]]
    note = f"rather {likely!r} ({probabilities[best]:.2f}) than {given!r} ({own:.2f})"
    if far:
        note += ", and unlike both"
    sure = probabilities[best] >= SURE and not far
    fix = evidence.correction(row, "relabel" if sure else "drop", note, likely if sure else "")
    return Item((evidence.path(row),), note, (fix,))
