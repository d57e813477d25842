"""Photos to look at: the surest mistakes, the least sure hits, and what is typical of each class."""

import numpy as np
from numpy.typing import NDArray

from fieldguide.report.blocks import Block, Gallery, Notice, Section, Text
from fieldguide.report.material import CommonMaterial, ReportData, percent
from fieldguide.report.photos import SMALL, Wanted

MISTAKES, HITS = 24, 12
CLASSES = 30
"""Classes whose examples are shown; of more, those with the most mistakes."""


def mistakes(material: ReportData) -> Section:
    """The surest mistakes: a wrong label, or what the model cannot tell apart."""
    confidence = material.outcomes.confidence
    wrong = np.flatnonzero(~material.right)
    order = wrong[np.argsort(-confidence[wrong], kind="stable")][:MISTAKES]
    lead = (
        "The wrong answers that the model was surest of. Look here first: many turn out to be wrong labels, "
        "photos of two things, or two classes that need a clearer border."
    )
    if not len(order):
        return Section(
            "mistakes", "Most confident errors", lead, [Text("There are none: every answer was right.")]
        )
    wanted = [_mistake(material, row) for row in order.tolist()]
    gallery = Gallery(material.photos.shots(wanted))
    blocks: list[Block] = [gallery, how_to_read(material)] if gallery.has_heat else [gallery]
    return Section("mistakes", "Most confident errors", lead, blocks)


def hits(material: ReportData) -> Section | None:
    """The least sure hits: right by a narrow margin."""
    confidence = material.outcomes.confidence
    right = np.flatnonzero(material.right)
    order = right[np.argsort(confidence[right], kind="stable")][:HITS]
    if not len(order):
        return None
    wanted = [_hit(material, row) for row in order.tolist()]
    lead = "Right answers that the model was least sure of. More photos like these make it more confident."
    return Section("hits", "Least confident correct answers", lead, [Gallery(material.photos.shots(wanted))])


def examples(material: ReportData) -> Section:
    """The most and the least typical photo of each class."""
    wanted = [photo for number in _shown_classes(material) for photo in _pair(material, number)]
    lead = (
        "Of each class the photo most and the photo least like those that the model learned from. What "
        "is least typical may be mislabelled, oddly taken, or a kind of which there are too few."
    )
    some = len(wanted) // 2 < int((material.evaluation.per_class.support > 0).sum())
    blocks: list[Block] = [Gallery(material.photos.shots(wanted, side=SMALL), small=True)]
    if some:
        blocks.append(Text(f"Shown are the {CLASSES} classes with the most mistakes."))
    return Section("examples", "Typical and atypical photos", lead, blocks)


def how_to_read(material: CommonMaterial, what: str = "the answer that was given") -> Notice | Text:
    """How heat maps are read; `what` is what they speak for."""
    if material.photos.exact:
        return Text(
            f"With heat maps on, orange places speak for {what} and blue ones against it; they add up to the "
            "score. Point at a photo to see its own."
        )
    return Text(
        f"With heat maps on, orange places speak for {what} and blue ones against it. They "
        "are an approximation, found by covering places, and are drawn for the first photos only."
    )


def _mistake(material: ReportData, row: int) -> Wanted:
    out = material.outcomes
    answer, truth = material.classes[out.predicted[row]], material.classes[out.truth[row]]
    stated = f"{percent(out.confidence[row], 0)} sure; {truth} {percent(out.truth_probability[row], 0)}"
    path = material.images.paths[row]
    return Wanted(path, answer, f"{truth} → {answer}", (stated,), material.shown(row))


def _hit(material: ReportData, row: int) -> Wanted:
    truth = material.classes[material.outcomes.truth[row]]
    second, probability = material.witness.second[row]
    rival = f"or {material.classes[second]}, {percent(probability, 0)}"
    title = f"{truth}, {percent(material.outcomes.confidence[row], 0)}"
    return Wanted(material.images.paths[row], truth, title, (rival,), material.shown(row))


def _shown_classes(material: ReportData) -> list[int]:
    support = material.evaluation.per_class.support
    missed = support - np.diagonal(material.evaluation.confusion)
    order = np.argsort(-missed, kind="stable")
    chosen = order[support[order] > 0][:CLASSES]
    return [int(number) for number in np.sort(chosen)]


def _pair(material: ReportData, number: int) -> list[Wanted]:
    """Most and least typical photo; among equals, the one whose class is the more and the less probable."""
    rows: NDArray[np.int64] = np.flatnonzero(material.outcomes.truth == number)
    order = np.lexsort((material.outcomes.truth_probability[rows], material.outcomes.typicality[rows]))
    least, most = int(rows[order[0]]), int(rows[order[-1]])
    return [_example(material, most, "most typical"), _example(material, least, "least typical")]


def _example(material: ReportData, row: int, which: str) -> Wanted:
    label = material.classes[material.outcomes.truth[row]]
    figure = f"{which}, {material.outcomes.typicality[row]:.2g}"
    return Wanted(material.images.paths[row], label, label, (figure,), material.shown(row))
