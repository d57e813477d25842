"""Images much darker or brighter than the others."""

import numpy as np

from fieldguide.audit.checks.common import Evidence, Result, count_of
from fieldguide.audit.checks.fences import found, outliers, too_few

CODE = "FG013"
TITLE = "Unusual brightness"
SEVERITY = "tip"
LEAST = 0.2
"""Distance from the usual brightness, on a scale from 0 to 1, that an unusual image has at least."""


def check(evidence: Evidence) -> Result:
    """Compare the mean brightness."""
    if (reason := too_few(evidence)) is not None:
        return reason
    brightness = evidence.image_facts.fact("brightness")
    rows = outliers(brightness, LEAST)
    return found(
        evidence,
        rows,
        lambda row: f"brightness {brightness[row]:.2f}",
        f"{count_of(len(rows), 'image')} much darker or brighter than usual here (brightness "
        f"{float(np.median(brightness)):.2f} of 1)",
    )
