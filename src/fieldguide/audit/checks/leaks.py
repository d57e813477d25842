"""The same photo in two splits."""

from fieldguide.audit.checks.common import Evidence, Found, Item, NotApplicable, Result, count_of

CODE = "FG006"
TITLE = "The same photo in two splits"
SEVERITY = "issue"
SAME = "the same file"


def check(evidence: Evidence) -> Result:
    """Look for equal and nearly equal images on both sides of a split."""
    if len(evidence.split_names) < 2:
        return NotApplicable("DATA has no splits")
    items = [
        item for first in sorted(evidence.duplicates.members) if (item := _item(evidence, first)) is not None
    ]
    if not items:
        return None
    items.sort(key=lambda item: not item.note.startswith(SAME))
    exact = sum(item.note.startswith(SAME) for item in items)
    photos, near = count_of(len(items), "photo"), len(items) - exact
    return Found(
        f"{photos} in more than one split ({exact} the same file, {near} nearly the same photo): what is "
        "measured on them is remembered, not recognised",
        tuple(items),
    )


def _item(evidence: Evidence, first: int) -> Item | None:
    """What the images of one signature share with other splits, told once: on the side that measures."""
    own, around = evidence.duplicates.members[first], evidence.duplicates.around(first)
    splits = {evidence.split(row) for row in (*own, *around)}
    names = [name for name in evidence.split_names if name in splits]
    kept = names[-1]
    measured = [row for row in own if evidence.split(row) == kept]
    if len(names) < 2 or not measured:
        return None
    others = [row for row in (*own, *around) if evidence.split(row) != kept]
    digests = {evidence.image_facts.digests[row] for row in measured}
    exact = any(evidence.image_facts.digests[row] in digests for row in others)
    kind = SAME if exact else "nearly the same photo"
    # What measures stays: the copies on the side that is learned from go.
    fixes = tuple(evidence.correction(row, "drop", f"{kind} is in {kept}, too") for row in others)
    return Item(evidence.paths([*measured, *others]), f"{kind} in {' and '.join(names)}", fixes)
