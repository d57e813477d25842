"""What to do next with a model of tags, in plain words, the most rewarding first.

The gain of a step is the share of photos whose tags would all be right if it worked in full: an upper end.
"""

from collections.abc import Iterator

import numpy as np

from fieldguide.report.blocks import Section, Step
from fieldguide.report.material import percent, plural
from fieldguide.report.next_steps import (
    FEW,
    FIRST,
    SURE,
    WIDE,
    Idea,
    calibration,
    findings,
    foreign,
    idea,
    ranked,
    refused,
    unlike,
)
from fieldguide.report.tagged.material import TagReportData

FEWEST = 3
"""Photos from which on a pair of tags, or a tag, is worth a step."""


def section(material: TagReportData) -> Section:
    """The steps that the measurement gives reason for."""
    lead = (
        "Ranked by the share of photos whose tags would all be right, at most, if the step worked in full. "
        "What brings safety and no better tags comes last."
    )
    nothing = "Nothing stands out: no pair of tags, no tag and no photo asks for work. Use the model."
    return ranked(_ideas(material), lead, nothing)


def _ideas(material: TagReportData) -> Iterator[Idea]:
    yield from _seen_before(material)
    yield from _taken_for(material)
    yield from _suspicious(material)
    yield from _few_photos(material)
    yield from findings(material)
    yield from foreign(material)
    yield from unlike(material)
    yield from calibration(material.reliability, flattered=material.flattered)
    yield from refused(material)
    yield from _few_measured(material)


def _seen_before(material: TagReportData) -> Iterator[Idea]:
    """A higher mean average precision than training promised: these may be the training photos."""
    if material.flattered:
        why = (
            "It does better here than on photos held out in training. If it learned from these photos, no "
            "figure on this page says how good it is: measure on photos that it has never seen."
        )
        yield Idea(FIRST, Step("Make sure that these photos are new to the model", why))


def _taken_for(material: TagReportData) -> Iterator[Idea]:
    """The pair of tags taken for each other most, in both directions."""
    both = np.triu(material.evaluation.confusion + material.evaluation.confusion.T, 1)
    first, second = np.unravel_index(int(both.argmax()), both.shape)
    mixed, n = int(both[first, second]), material.evaluation.n
    if mixed < FEWEST:
        return
    one, other = material.classes[first], material.classes[second]
    why = (
        f"On {mixed} of {n:,} photos one of these two was missed and the other given wrongly. Decide what "
        "distinguishes them, correct the tags of both, and add photos near the border between them."
    )
    yield idea(mixed / n, f"Draw the line between {one} and {other}", why)


def _suspicious(material: TagReportData) -> Iterator[Idea]:
    """Sure mistakes on photos that look familiar."""
    out = material.outcomes
    sure = material.wrong & (out.probabilities >= SURE) | material.missed & (out.probabilities <= 1 - SURE)
    count = int((sure.any(1) & ~out.unknown).sum())
    if not count:
        return
    why = (
        f"The model is at least {percent(SURE, 0)} sure of the opposite of what the data say of a tag, on "
        "photos that otherwise look familiar. Most confident errors, below, shows them. Tags are often "
        "forgotten: fieldguide check lists those that are probably missing or wrong."
    )
    yield idea(count / material.evaluation.n, f"Look at the tags of {plural(count, 'photo')}", why)


def _few_photos(material: TagReportData) -> Iterator[Idea]:
    """The tag with few training photos on which most is missed or wrong."""
    learned = material.trained_on
    if len(learned) < 3:
        return
    usual = float(np.median(list(learned.values())))
    mistaken = material.missed.sum(0) + material.wrong.sum(0)
    few = np.array([learned.get(name, 0) < FEW * usual for name in material.classes])
    tag = int(np.where(few, mistaken, 0).argmax())
    if not few[tag] or mistaken[tag] < FEWEST:
        return
    name = material.classes[tag]
    why = (
        f"It was on {plural(learned.get(name, 0), 'training photo')}, the usual tag on {usual:.0f}; here it "
        f"was missed on {plural(int(material.missed[:, tag].sum()), 'photo')} and given wrongly to "
        f"{int(material.wrong[:, tag].sum())}."
    )
    yield idea(int(mistaken[tag]) / material.evaluation.n, f"Collect more photos with {name}", why)


def _few_measured(material: TagReportData) -> Iterator[Idea]:
    """Too wide an interval to tell improvements from chance."""
    mean, n = material.evaluation.average_precision.mean, material.evaluation.n
    if mean is None or (mean.high - mean.low) / 2 < WIDE / 2:
        return
    why = (
        f"With {n:,} photos the mean average precision is known to about "
        f"±{50 * (mean.high - mean.low):.0f} points, so most improvements would go unnoticed. Four times as "
        f"many photos, {4 * n:,}, halve that."
    )
    yield idea(0, "Measure on more photos", why)
