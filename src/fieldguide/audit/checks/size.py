"""Images much smaller or larger than the others."""

import numpy as np

from fieldguide.audit.checks.common import Evidence, Result, count_of
from fieldguide.audit.checks.fences import found, outliers, too_few

CODE = "FG011"
TITLE = "Unusual size"
SEVERITY = "tip"
LEAST = 2.0
"""An image is unusual only if its side (the root of its pixels) is so many times another than usual."""


def check(evidence: Evidence) -> Result:
    """Compare the number of pixels, on a scale of ratios."""
    if (reason := too_few(evidence)) is not None:
        return reason
    width, height = evidence.image_facts.fact("width"), evidence.image_facts.fact("height")
    side = np.log(width * height) / 2
    rows = outliers(side, float(np.log(LEAST)))
    usual = round(float(np.exp(np.median(side))))
    return found(
        evidence,
        rows,
        lambda row: f"{width[row]:.0f} x {height[row]:.0f} pixels",
        f"{count_of(len(rows), 'image')} much smaller or larger than usual here (about {usual} x {usual})",
    )
