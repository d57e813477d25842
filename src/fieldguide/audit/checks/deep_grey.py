"""Images of 16 bits a channel that hold values of fewer, and come out nearly black."""

from fieldguide.audit.checks.common import Evidence, Found, Item, Result
from fieldguide.data.plausibility.deep_grey import is_deep

CODE = "FG022"
TITLE = "16-bit images that are nearly black"
SEVERITY = "issue"

BRIGHTEST = 0.26
"""Mean brightness up to which 14 bits of 16 can reach."""


def check(evidence: Evidence) -> Result:
    """Name the 16-bit images, where a look at them told that they use the lower bits only."""
    doubts = [doubt for doubt in evidence.dataset.doubts if doubt.code == "deep_grey"]
    if not doubts:
        return None
    brightness = evidence.image_facts.fact("brightness")
    dark = [row for row in range(len(evidence.dataset)) if brightness[row] <= BRIGHTEST]
    items = tuple(
        Item((evidence.path(row),), f"mean brightness {brightness[row]:.3f}")
        for row in dark
        if is_deep(evidence.dataset.paths[row])
    )
    return Found(doubts[0].message, items)
