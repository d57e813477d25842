"""Classes with too few separate photos."""

from fieldguide.audit.checks.common import Evidence, Found, Item, Result, count_of, named

CODE = "FG009"
TITLE = "Tiny classes"
SEVERITY = "tip"
FEWEST = 10
"""Separate photos below which a class is called tiny."""


def check(evidence: Evidence) -> Result:
    """Count what training would see of each class, look-alikes and groups once."""
    separate: dict[str, set[object]] = {name: set() for name in _expected(evidence)}
    groups = evidence.dataset.groups
    for row in evidence.learned_from:
        group = groups[row] if groups else ""
        separate[evidence.dataset.labels[row]].add(group or int(evidence.alike[row]))
    counts = {name: len(photos) for name, photos in separate.items() if len(photos) < FEWEST}
    if not counts:
        return None
    tiny = sorted(counts, key=lambda name: (counts[name], name))
    return Found(
        f"{named(tiny)} with fewer than {FEWEST} separate photos to learn from: too few to learn what "
        "varies, or to measure it",
        tuple(Item((), f"{name!r}: {count_of(counts[name], 'separate photo')}") for name in tiny),
        count=len(tiny),
    )


def _expected(evidence: Evidence) -> tuple[str, ...]:
    """The classes that training would see; those that it lacks altogether have a finding of their own."""
    if "train" not in evidence.split_names:
        return evidence.classes
    return tuple({evidence.dataset.labels[row] for row in evidence.learned_from})
