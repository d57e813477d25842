"""The same photo under two labels."""

from collections.abc import Iterator

from fieldguide.audit.checks.common import Evidence, Found, Item, Result, count_of
from fieldguide.data.corrections import Correction

CODE = "FG005"
TITLE = "The same photo under two labels"
SEVERITY = "issue"
NEAR = "nearly the same photo"
CLEAR = 0.9
"""Probability from which on the label of nearly the same photos is clear: they may be two things."""


def check(evidence: Evidence) -> Result:
    """Look for more than one label among equal and among nearly equal images."""
    labels = evidence.dataset.labels
    exact = [rows for rows in evidence.copies if len({labels[row] for row in rows}) > 1]
    known = {row for rows in exact for row in rows}
    near = [
        rows
        for rows in _near(evidence)
        if len({labels[row] for row in rows}) > 1 and not known.issuperset(rows)
    ]
    items = (
        *(
            Item(evidence.paths(rows), _note(evidence, rows, "the same file"), _fixes(evidence, rows))
            for rows in exact
        ),
        *(
            Item(evidence.paths(rows), _note(evidence, rows, NEAR), _near_fixes(evidence, rows))
            for rows in near
        ),
    )
    if not items:
        return None
    return Found(
        f"{count_of(len(items), 'photo')} under more than one label ({len(exact)} the same file, {len(near)} "
        "nearly the same photo); at most one can be right",
        items,
    )


def _near(evidence: Evidence) -> Iterator[tuple[int, ...]]:
    """Images of equal signatures, and those of each two signatures that are alike."""
    duplicates = evidence.duplicates
    for first, rows in sorted(duplicates.members.items()):
        yield rows
        for other in duplicates.linked.get(first, ()):
            if other > first:
                yield (*rows, *duplicates.members[other])


def _note(evidence: Evidence, rows: tuple[int, ...], kind: str) -> str:
    labels = sorted({evidence.dataset.labels[row] for row in rows})
    return f"{kind} under {' and '.join(map(repr, labels))}"


def _fixes(evidence: Evidence, rows: tuple[int, ...]) -> tuple[Correction, ...]:
    """Drop all but those of the label that models which had not seen the photo hold most probable."""
    best, _ = _best_label(evidence, rows)
    reason = "the same file has another label, too"
    if best is not None:
        reason += f"; {best!r} is the more probable one"
    return _drops(evidence, rows, best, reason)


def _near_fixes(evidence: Evidence, rows: tuple[int, ...]) -> tuple[Correction, ...]:
    """The same, where one label is clear; else a person must look."""
    best, probability = _best_label(evidence, rows)
    if best is None or probability < CLEAR:
        return ()
    return _drops(
        evidence, rows, best, f"{NEAR} has the label {best!r}, with a probability of {probability:.2f}"
    )


def _drops(
    evidence: Evidence, rows: tuple[int, ...], best: str | None, reason: str
) -> tuple[Correction, ...]:
    labels = evidence.dataset.labels
    return tuple(evidence.correction(row, "drop", reason) for row in rows if labels[row] != best)


def _best_label(evidence: Evidence, rows: tuple[int, ...]) -> tuple[str | None, float]:
    """The most probable of their labels and its mean probability; None and 0 where nothing can tell."""
    answers = evidence.held_out
    if answers is None:
        return None, 0.0
    labels = {evidence.dataset.labels[row] for row in rows}
    places = [place for place, row in enumerate(answers.rows.tolist()) if row in set(rows)]
    if not places or not labels <= set(answers.classes):
        return None, 0.0
    mean = answers.probabilities[places].mean(axis=0)
    best = max(sorted(labels), key=lambda label: float(mean[answers.classes.index(label)]))
    return best, float(mean[answers.classes.index(best)])
