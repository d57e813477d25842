"""Labels that are probably wrong."""

from fieldguide.checks.common import Evidence, Found, Item, NotApplicable, Result, count_of
from fieldguide.confident import doubtful_labels

CODE = "FG017"
TITLE = "Likely label errors"
SEVERITY = "issue"
SURE = 0.5
"""Probability from which on the most probable class is suggested; below it the image is better left out."""


def check(evidence: Evidence) -> Result:
    """Apply confident learning to the answers of models that had not seen the image."""
    answers = evidence.held_out
    if answers is None:
        return NotApplicable("there are not two classes with two separate photos each to hold out")
    doubts = doubtful_labels(answers.probabilities, answers.labels)
    items = tuple(_item(evidence, place) for place in doubts.rows.tolist())
    if not items:
        return None
    labels = count_of(len(items), "label")
    return Found(
        f"{labels} probably wrong: models that had not seen the image give it a chance of one in ten or less",
        items,
    )


def _item(evidence: Evidence, place: int) -> Item:
    """One doubtful label; `place` counts the answered images."""
    answers = evidence.held_out
    assert answers is not None, "there are no items without answers"
    row = int(answers.rows[place])
    probabilities = answers.probabilities[place]
    best = int(probabilities.argmax())
    given, likely = answers.classes[answers.labels[place]], answers.classes[best]
    own = probabilities[answers.labels[place]]
    note = f"rather {likely!r} ({probabilities[best]:.2f}) than {given!r} ({own:.2f})"
    sure = probabilities[best] >= SURE
    fix = evidence.correction(row, "relabel" if sure else "drop", note, likely if sure else "")
    return Item((evidence.path(row),), note, (fix,))
