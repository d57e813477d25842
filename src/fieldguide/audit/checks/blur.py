"""Images much less sharp than the others."""

import numpy as np

from fieldguide.audit.checks.blank import BLANK
from fieldguide.audit.checks.common import Evidence, Result, count_of
from fieldguide.audit.checks.fences import found, outliers, too_few

CODE = "FG014"
TITLE = "Blurred images"
SEVERITY = "tip"
LEAST = 2.5
"""An image is blurred only if it is at least so many times less sharp than usual."""


def check(evidence: Evidence) -> Result:
    """Compare the sharpness at the network's size, on a scale of ratios; blank images have no sharpness."""
    if (reason := too_few(evidence)) is not None:
        return reason
    sharpness = evidence.image_facts.fact("sharpness")
    scale = np.log(np.maximum(sharpness, 1e-4))
    middle = float(np.median(scale))
    blank = evidence.image_facts.fact("contrast") < BLANK
    rows = outliers(np.where(blank, middle, scale), float(np.log(LEAST)))
    rows = rows[scale[rows] < middle]
    return found(
        evidence,
        rows,
        lambda row: f"{np.exp(middle - scale[row]):.1f} times less sharp than usual",
        f"{count_of(len(rows), 'image')} much less sharp than usual here",
    )
