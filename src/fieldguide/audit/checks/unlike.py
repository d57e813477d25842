"""Images unlike all others."""

import numpy as np

from fieldguide.audit.checks.blank import BLANK
from fieldguide.audit.checks.common import Evidence, Found, Item, NotApplicable, Result, count_of
from fieldguide.audit.checks.fences import outliers, too_few

CODE = "FG018"
TITLE = "Images unlike all others"
SEVERITY = "tip"
LEAST = 0.5
"""Least distance from the usual, as a difference of logarithms."""


def check(evidence: Evidence) -> Result:
    """Look at the distance behind typicality, each image's from classes that it had no part in."""
    if (reason := too_few(evidence)) is not None:
        return reason
    answers = evidence.distances
    if answers is None:
        return NotApplicable("there are not two classes with two separate photos each to hold out")
    rows, distances = answers
    scale = np.log(np.maximum(distances, 1e-9))
    middle = float(np.median(scale))
    contrast = evidence.image_facts.fact("contrast")[rows]
    places = [
        place
        for place in outliers(scale, LEAST).tolist()
        if scale[place] > middle and contrast[place] >= BLANK  # blank images have a finding of their own
    ]
    if not places:
        return None
    items = tuple(
        Item(
            (evidence.path(int(rows[place])),),
            f"{np.exp(scale[place] - middle):.1f} times as far from every class as usual",
        )
        for place in places
    )
    return Found(f"{count_of(len(items), 'image')} that look like nothing else in the data", items)
