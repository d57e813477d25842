"""Classes that a split lacks."""

from fieldguide.audit.checks.common import Evidence, Found, Item, NotApplicable, Result, named

CODE = "FG010"
TITLE = "Classes missing from a split"
SEVERITY = "issue"


def check(evidence: Evidence) -> Result:
    """Compare the classes of each split with all classes."""
    if len(evidence.split_names) < 2:
        return NotApplicable("DATA has no splits")
    present: dict[str, set[str]] = {name: set() for name in evidence.split_names}
    for row, label in enumerate(evidence.dataset.labels):
        present[evidence.split(row)].add(label)
    items = tuple(
        Item((), f"{label!r} is not in {split}, so {_meaning(split)}")
        for split in evidence.split_names
        for label in evidence.classes
        if label not in present[split]
    )
    if not items:
        return None
    lacking = [name for name in evidence.split_names if present[name] != set(evidence.classes)]
    classes = {label for name in lacking for label in evidence.classes if label not in present[name]}
    return Found(
        f"{named(sorted(classes))} missing from {' and '.join(lacking)}: "
        "what training never sees is never predicted, what test lacks is never measured",
        items,
        count=len(classes),
    )


def _meaning(split: str) -> str:
    return "it is never predicted" if split == "train" else "nothing is measured for it"
