"""Photos as a model of tags sees them, laid out on a plane and coloured by their combination of tags."""

from collections import Counter

import numpy as np

from fieldguide.report.blocks import Section
from fieldguide.report.feature_map import MapGroups, map_of
from fieldguide.report.tagged.material import TagReportData

MOST_GROUPS = 30
"""Combinations of tags with a colour and a mark of their own: so many have names beside the map."""
RARER, OTHER = "rarer combinations", "another combination"


def section(material: TagReportData) -> Section | None:
    """The map, or what to install for it."""
    lead = (
        "The photos as the model sees them: each point is one, and what looks alike to it lies together. "
        "Point at one to see it. Colours and marks are combinations of tags; an error is a photo with any "
        "tag wrong or missed."
    )
    return map_of(material, groups_of(material), lead)


def groups_of(material: TagReportData) -> MapGroups:
    """Number photos by their true tags and by those given; what is right has the same number twice."""
    out, count = material.outcomes, len(material.outcomes.tags)
    truth = [material.true_tags(row) for row in range(count)]
    given = [material.given_tags(row) for row in range(count)]
    frequent = [name for name, _ in Counter(truth).most_common(MOST_GROUPS)]
    names = (*frequent, RARER, OTHER)
    place = {name: number for number, name in enumerate(frequent)}
    of_truth = np.array([place.get(name, len(frequent)) for name in truth], dtype=np.int64)
    of_given = np.array([place.get(name, len(frequent) + 1) for name in given], dtype=np.int64)
    right = out.all_right()
    # A mistake keeps a number of its own also where both combinations are rare, or cut in the middle.
    of_given = np.where(right, of_truth, np.where(of_given == of_truth, len(frequent) + 1, of_given))
    surest = out.probabilities.max(1).astype(np.float64)
    return MapGroups(names, of_truth, of_given, surest, ("combination of tags", "combinations"))
