"""Doubts about how DATA was read that would make a model worthless."""

from fieldguide.audit.checks.common import Evidence, Found, Item, Result, named
from fieldguide.data.plausibility.doubts import Doubt

CODE = "FG020"
TITLE = "DATA was probably misread"
SEVERITY = "issue"
ELSEWHERE = frozenset({"deep_grey"})
"""Doubts that have a check of their own."""


def check(evidence: Evidence) -> Result:
    """Take over the doubts that reading DATA raised."""
    doubts = [doubt for doubt in evidence.dataset.doubts if doubt.grave and doubt.code not in ELSEWHERE]
    doubts = [*_lost(evidence), *doubts]
    if not doubts:
        return None
    return Found(
        "; ".join(doubt.message for doubt in doubts),
        tuple(Item((), doubt.message) for doubt in doubts),
        count=len(doubts),
    )


def _lost(evidence: Evidence) -> list[Doubt]:
    lost = sorted(set(evidence.classes) - set(evidence.dataset.classes))
    if not lost:
        return []
    message = f"no image of {named(lost)} can be read, so a model would not know it"
    return [Doubt("class_lost", message, grave=True)]
