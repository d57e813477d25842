"""The same photo in two splits."""

from fieldguide.checks.common import Evidence, Found, Item, NotApplicable, Result, count_of

CODE = "FG006"
TITLE = "The same photo in two splits"
SEVERITY = "issue"


def check(evidence: Evidence) -> Result:
    """Look for equal and nearly equal images on both sides of a split."""
    if len(evidence.split_names) < 2:
        return NotApplicable("DATA has no splits")
    leaking = [rows for rows in evidence.lookalikes if len({evidence.split(row) for row in rows}) > 1]
    if not leaking:
        return None
    items = tuple(
        _item(evidence, rows) for rows in sorted(leaking, key=lambda rows: not _exact(evidence, rows))
    )
    exact = sum(_exact(evidence, rows) for rows in leaking)
    photos, near = count_of(len(items), "photo"), len(items) - exact
    return Found(
        f"{photos} in more than one split ({exact} the same file, {near} nearly the same photo): what is "
        "measured on them is remembered, not recognised",
        items,
    )


def _exact(evidence: Evidence, rows: tuple[int, ...]) -> bool:
    """Whether one content is in two splits."""
    places = {(evidence.sight.digests[row], evidence.split(row)) for row in rows}
    return len({digest for digest, _ in places}) < len(places)


def _item(evidence: Evidence, rows: tuple[int, ...]) -> Item:
    splits = {evidence.split(row) for row in rows}
    names = [name for name in evidence.split_names if name in splits]
    kind = "the same file" if _exact(evidence, rows) else "nearly the same photo"
    # What measures stays: the copies on the side that is learned from go.
    kept = names[-1]
    fixes = tuple(
        evidence.correction(row, "drop", f"{kind} is in {kept}, too")
        for row in rows
        if evidence.split(row) != kept
    )
    return Item(evidence.paths(rows), f"{kind} in {' and '.join(names)}", fixes)
