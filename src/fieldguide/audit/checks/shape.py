"""Images much wider or taller than the others."""

import numpy as np

from fieldguide.audit.checks.common import Evidence, Result, count_of
from fieldguide.audit.checks.fences import found, outliers, too_few

CODE = "FG012"
TITLE = "Unusual shape"
SEVERITY = "tip"
LEAST = 1.6
"""An image is unusual only if its ratio of width to height is at least so many times another than usual."""


def check(evidence: Evidence) -> Result:
    """Compare the ratio of width to height, on a scale of ratios."""
    if (reason := too_few(evidence)) is not None:
        return reason
    width, height = evidence.image_facts.fact("width"), evidence.image_facts.fact("height")
    ratio = np.log(width / height)
    rows = outliers(ratio, float(np.log(LEAST)))
    usual = float(np.exp(np.median(ratio)))
    return found(
        evidence,
        rows,
        lambda row: f"{width[row]:.0f} x {height[row]:.0f} pixels",
        f"{count_of(len(rows), 'image')} of another shape than usual here (width about {usual:.2f} times the "
        "height): the network sees them squashed",
    )
