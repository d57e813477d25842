"""Groups (a patient, a video, a shop) with images in two splits."""

from fieldguide.audit.checks.common import Evidence, Found, Item, NotApplicable, Result, count_of, together

CODE = "FG007"
TITLE = "Groups in two splits"
SEVERITY = "issue"


def check(evidence: Evidence) -> Result:
    """Look for groups on both sides of a split."""
    groups = evidence.dataset.groups
    if groups is None or not any(groups):
        return NotApplicable("DATA names no groups")
    if len(evidence.split_names) < 2:
        return NotApplicable("DATA has no splits")
    several = [rows for rows in together(groups) if groups[rows[0]]]
    items = tuple(
        Item(evidence.paths(rows), f"group {groups[rows[0]]!r} is in {_sides(evidence, rows)}")
        for rows in several
        if len({evidence.split(row) for row in rows}) > 1
    )
    if not items:
        return None
    return Found(
        f"{count_of(len(items), 'group')} in more than one split: what is measured there is known "
        "from training",
        items,
    )


def _sides(evidence: Evidence, rows: tuple[int, ...]) -> str:
    splits = {evidence.split(row) for row in rows}
    return " and ".join(name for name in evidence.split_names if name in splits)
