"""Images that show nothing: one even tone."""

import numpy as np

from fieldguide.audit.checks.common import Evidence, Found, Item, Result, count_of

CODE = "FG016"
TITLE = "Blank images"
SEVERITY = "issue"
BLANK = 2.0
"""Contrast (standard deviation in grey levels) below which an image is blank; a lens cap's noise is less."""


def check(evidence: Evidence) -> Result:
    """Look for images without contrast."""
    rows = np.flatnonzero(evidence.image_facts.fact("contrast") < BLANK).tolist()
    items = tuple(
        Item(
            (evidence.path(row),),
            "one even tone",
            (evidence.correction(row, "drop", "the image shows nothing but one even tone"),),
        )
        for row in rows
    )
    if not items:
        return None
    return Found(f"{count_of(len(items), 'image')} of one even tone, with nothing to see", items)
