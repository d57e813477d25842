"""Doubts about how DATA was read that are worth a look."""

from fieldguide.audit.checks.common import Evidence, Found, Item, Result

CODE = "FG021"
TITLE = "DATA may have been misread"
SEVERITY = "tip"
ELSEWHERE = frozenset({"deep_grey"})
"""Doubts that have a check of their own."""


def check(evidence: Evidence) -> Result:
    """Take over the doubts that reading DATA raised."""
    doubts = [doubt for doubt in evidence.dataset.doubts if not doubt.grave and doubt.code not in ELSEWHERE]
    if not doubts:
        return None
    return Found(
        "; ".join(doubt.message for doubt in doubts),
        tuple(Item((), doubt.message) for doubt in doubts),
        count=len(doubts),
    )
