"""What to do next, in plain words, the most rewarding first.

The gain of a step is what accuracy would rise by if it worked in full: photos that it concerns, divided by
all. It is an upper end and said to be one; where nothing can be computed the step stands after those with
figures.
"""

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from fieldguide.installation import program_command
from fieldguide.metrics.calibration_curve import Reliability
from fieldguide.metrics.intervals import share
from fieldguide.report.blocks import Section, Step, Steps, Text
from fieldguide.report.data_findings import findings_of
from fieldguide.report.material import CommonMaterial, ReportData, percent, plural

SURE = 0.9
"""A wrong answer at least this probable, on a typical photo, makes the label suspect."""
MOST = 6
FIRST = 1.0
"""Gain of what must come before all else."""
FEW = 0.5
"""A class with less than this part of the median class's training photos has few."""
MISSED = 0.05
"""Share of foreign photos taken for a known class that is worth a step."""
TOLD_APART = 0.9
"""AUROC from which on foreign photos look less familiar, wherever the line is drawn."""
WIDE = 0.06
"""Half an interval's width, in accuracy, from which on more photos to measure on are worth having."""


@dataclass(frozen=True)
class Idea:
    """A step with what it may bring."""

    gain: float
    """In accuracy, at most; 0 where it cannot be told."""
    step: Step


def section(material: ReportData) -> Section:
    """The steps that the measurement gives reason for."""
    lead = (
        "Ranked by what accuracy would gain at most, if the step worked in full: the photos it concerns, "
        "divided by all photos. What brings safety and not accuracy comes last."
    )
    nothing = "Nothing stands out: no pair of classes, no class and no label asks for work. Use the model."
    return ranked(ideas_of(material), lead, nothing)


def ranked(ideas: Iterable[Idea], lead: str, nothing: str) -> Section:
    """The steps with the largest gains; `nothing` says it where there are none."""
    first = sorted(ideas, key=lambda idea: -idea.gain)[:MOST]
    shown = Steps(tuple(idea.step for idea in first)) if first else Text(nothing)
    return Section("next", "What to do next", lead, [shown])


def ideas_of(material: ReportData) -> Iterator[Idea]:
    """All steps that the numbers give reason for, in no order."""
    yield from _seen_before(material)
    yield from _confused(material)
    yield from _labels(material)
    yield from _few_photos(material)
    yield from _more_photos(material)
    yield from findings(material)
    yield from foreign(material)
    yield from unlike(material)
    yield from calibration(material.reliability, flattered=material.flattered)
    yield from refused(material)
    yield from _few_measured(material)


def idea(gain: float, title: str, why: str, command: str = "") -> Idea:
    """A step with its gain in points, where that can be told."""
    return Idea(gain, Step(title, why, f"up to +{100 * gain:.1f} points" if gain > 0 else "", command))


def _seen_before(material: ReportData) -> Iterator[Idea]:
    """More right answers than training promised: these photos may be the training photos."""
    if material.flattered:
        why = (
            "It does better here than on photos held out in training. If it learned from these photos, no "
            "figure on this page says how good it is: measure on photos that it has never seen."
        )
        yield Idea(FIRST, Step("Make sure that these photos are new to the model", why))


def _confused(material: ReportData) -> Iterator[Idea]:
    """The pair of classes mixed up most, in both directions."""
    both = material.evaluation.confusion + material.evaluation.confusion.T
    both = np.triu(both, 1)
    first, second = np.unravel_index(int(both.argmax()), both.shape)
    mixed = int(both[first, second])
    if mixed < 3:
        return
    one, other = material.classes[first], material.classes[second]
    why = (
        f"{mixed} of {material.evaluation.n:,} photos are mistaken between these two. Decide what "
        "distinguishes them, correct the labels of both, and add photos near the border between them."
    )
    yield idea(mixed / material.evaluation.n, f"Draw the line between {one} and {other}", why)


def _labels(material: ReportData) -> Iterator[Idea]:
    """Sure mistakes on photos that look familiar."""
    out = material.outcomes
    suspect = ~material.right & (out.confidence >= SURE) & ~out.unknown
    count = int(suspect.sum())
    if not count:
        return
    why = (
        f"The model is at least {percent(SURE, 0)} sure of another name for {plural(count, 'photo')} that "
        "otherwise look familiar. Most confident errors, below, shows them. Each wrong label that is "
        "corrected counts as a right answer."
    )
    yield idea(count / material.evaluation.n, f"Look at {plural(count, 'suspicious label')}", why)


def _few_photos(material: ReportData) -> Iterator[Idea]:
    """The class with few training photos that loses most against the median class."""
    learned = material.trained_on
    support, recall = material.evaluation.per_class.support, material.evaluation.per_class.recall
    present = np.flatnonzero(support > 0)
    if not learned or len(present) < 3:
        return
    usual, median = np.median(list(learned.values())), float(np.median(recall[present]))
    best, lost = -1, 0.0
    for number in present:
        missing = support[number] * (median - recall[number])
        if learned.get(material.classes[number], 0) < FEW * usual and missing > max(lost, 0.5):
            best, lost = int(number), float(missing)
    if best < 0:
        return
    name = material.classes[best]
    why = (
        f"It has {plural(learned.get(name, 0), 'training photo')}, the usual class {usual:.0f}, and "
        f"{percent(recall[best], 0)} "
        f"of its photos are recognised against {percent(median, 0)} in the usual class."
    )
    yield idea(lost / material.evaluation.n, f"Collect more photos of {name}", why)


def _more_photos(material: ReportData) -> Iterator[Idea]:
    """What the learning curve says, where it was measured."""
    outlook = (material.learning_curve or {}).get("outlook")
    if not isinstance(outlook, dict):
        return
    gain = outlook.get("gain", {}).get("value", 0.0)
    if isinstance(gain, float) and gain > 0.005:
        sentence = str((material.learning_curve or {}).get("sentence", ""))
        yield idea(gain, "Double the training photos", sentence[:1].upper() + sentence[1:] + ".")


def findings(material: CommonMaterial) -> Iterator[Idea]:
    """The gravest finding of the data check."""
    issues = [finding for finding in findings_of(material.findings) if finding["severity"] == "issue"]
    if issues:
        most = max(issues, key=lambda finding: finding["count"])
        why = (
            f"fieldguide check found {plural(len(issues), 'kind')} of fault; the most frequent: "
            f"{most['message']}"
        )
        data = shlex.quote(str((material.findings or {}).get("data", material.data)))
        yield idea(0, "Correct the data first", why, program_command(f"check {data} --fix corrections.csv"))


def foreign(material: CommonMaterial) -> Iterator[Idea]:
    """Photos of other things that get a name."""
    found = material.evaluation.foreign
    if found is None or found.miss_rate.low <= MISSED:
        return
    why = f"{percent(found.miss_rate.value)} of the foreign photos are taken for one of the classes. "
    if found.auroc.low >= TOLD_APART:
        why += (
            "They do look less familiar than these photos, but the line is drawn by the least familiar "
            "training photos: find those that do not belong (fieldguide check), leave them out, and train "
            "again."
        )
    else:
        why += (
            "They look nearly as familiar as these photos. If such photos will come, add a class for them, "
            "and let a person check answers with a low probability."
        )
    yield idea(0, "Photos of other things pass as known", why)


def unlike(material: CommonMaterial) -> Iterator[Idea]:
    """More unknown photos than the threshold lets through by chance."""
    unknown, expected = material.outcomes.unknown, material.card["thresholds"]["unknown"]
    rate = share(int(unknown.sum()), len(unknown))
    if rate.low <= expected:
        return
    why = (
        f"{percent(rate.value)} are called unknown, where {percent(expected, 0)} would be expected. They "
        "come from "
        "another camera, place or time than the training photos: add some of them to training."
    )
    yield idea(0, "These photos are not quite like those learned from", why)


def calibration(summary: Reliability, *, flattered: bool) -> Iterator[Idea]:
    """A calibration error that chance does not explain."""
    if summary.ece.value <= summary.by_chance or summary.ece.low < 0.01 or flattered:
        return
    why = (
        f"Stated probabilities are off by {percent(summary.ece.value)} on average, more than chance explains "
        f"({percent(summary.by_chance)}). Do not set thresholds by them until photos like these are in "
        "training."
    )
    yield idea(0, "Do not take the probabilities at their word here", why)


def refused(material: CommonMaterial) -> Iterator[Idea]:
    """Files that could not be read."""
    count = len(material.evaluation.refused)
    if count:
        why = "They were left out of every figure. The list stands under Data findings."
        yield idea(0, f"Replace {plural(count, 'file')} that cannot be read", why)


def _few_measured(material: ReportData) -> Iterator[Idea]:
    """Too wide an interval to tell improvements from chance."""
    accuracy, n = material.evaluation.accuracy, material.evaluation.n
    half = (accuracy.high - accuracy.low) / 2
    if half >= WIDE / 2:
        why = (
            f"With {n:,} photos the accuracy is known to about ±{100 * half:.0f} points, so most "
            "improvements would go "
            f"unnoticed. Four times as many photos, {4 * n:,}, halve that."
        )
        yield idea(0, "Measure on more photos", why)
