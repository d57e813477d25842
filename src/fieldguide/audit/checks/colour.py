"""Grey images among coloured ones, or coloured ones among grey."""

import numpy as np

from fieldguide.audit.checks.blank import BLANK
from fieldguide.audit.checks.common import Evidence, Result, count_of
from fieldguide.audit.checks.fences import found, too_few

CODE = "FG015"
TITLE = "Unusual colour mode"
SEVERITY = "tip"
GREY = 0.01
"""Mean distance of the channels, from 0 to 1, below which an image has no colour."""
RARE = 0.05
"""Share of the images that the odd ones are at most."""


def check(evidence: Evidence) -> Result:
    """Count images with and without colour; whether the file could hold colour does not matter."""
    if (reason := too_few(evidence)) is not None:
        return reason
    grey = evidence.image_facts.fact("colour") < GREY
    odd = grey if grey.mean() < 0.5 else ~grey
    odd = odd & (evidence.image_facts.fact("contrast") >= BLANK)
    if odd.mean() > RARE:
        return None
    kind, others = ("without", "coloured") if grey.mean() < 0.5 else ("with", "grey")
    rows = np.flatnonzero(odd).astype(np.int64)
    return found(
        evidence,
        rows,
        lambda row: f"{kind} colour",
        f"{count_of(len(rows), 'image')} {kind} colour among {others} ones",
    )
