"""The report of an evaluation: one page, a file a section.

A section is a function of the material, in a file of its own or beside its kin, which gives a
:class:`~fieldguide.report.blocks.Section`, or None where it has nothing to say, and one line in
:data:`SECTIONS` or, for tags, :data:`SECTIONS_OF_TAGS`; that is also their order on the page.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from fieldguide.progress import Progress, silent
from fieldguide.report import (
    by_class,
    calibration_plot,
    confusion,
    coverage_plot,
    data_findings,
    feature_map,
    galleries,
    headline,
    model_facts,
    next_steps,
    other_models,
    separation,
    training,
    typicality_plot,
)
from fieldguide.report.blocks import Page, Section
from fieldguide.report.material import CommonMaterial, ReportData, plural
from fieldguide.report.page import write_page, write_plots
from fieldguide.report.tagged import by_tag, calibration, ranking, sets, taken_for
from fieldguide.report.tagged import headline as tag_headline
from fieldguide.report.tagged import map as tag_map
from fieldguide.report.tagged import next_steps as next_steps_of_tags
from fieldguide.report.tagged import other_models as other_models_of_tags
from fieldguide.report.tagged import photos as tagged_photos
from fieldguide.report.tagged.material import TagReportData

SECTIONS: tuple[Callable[[ReportData], Section | None], ...] = (
    headline.section,
    next_steps.section,
    other_models.section,
    galleries.mistakes,
    confusion.section,
    by_class.section,
    calibration_plot.section,
    coverage_plot.section,
    typicality_plot.section,
    feature_map.section,
    separation.section,
    galleries.hits,
    galleries.examples,
    training.curve,
    training.history,
    data_findings.section,
    model_facts.section,
)

SECTIONS_OF_TAGS: tuple[Callable[[TagReportData], Section | None], ...] = (
    tag_headline.section,
    next_steps_of_tags.section,
    other_models_of_tags.section,
    tagged_photos.mistakes,
    by_tag.section,
    ranking.section,
    calibration.section,
    taken_for.section,
    sets.section,
    typicality_plot.section,
    tag_map.section,
    tagged_photos.closest,
    tagged_photos.examples,
    training.curve,
    training.history,
    data_findings.section,
    model_facts.section,
)
"""Those of a report on a model of tags, in their order."""


def page_of(material: ReportData | TagReportData, progress: Progress = silent) -> Page:
    """Make all sections.

    Parameters
    ----------
    material
        What was measured.
    progress
        Callback for progress: the sections done.
    """
    makers, kind = _makers(material)
    made = []
    for done, make in enumerate(makers):
        progress("report", done, len(makers))
        made.append(make())
    progress("report", len(makers), len(makers))
    where = "" if material.split == "all" else f", split {material.split}"
    return Page(
        title=f"{material.model} on {material.data}",
        subtitle=f"{plural(material.evaluation.n, 'photo')}{where}; {len(material.classes):,} {kind}",
        sections=tuple(section for section in made if section is not None),
        closing=_closing(material),
    )


def _makers(material: ReportData | TagReportData) -> tuple[list[Callable[[], Section | None]], str]:
    """What makes each section, and what the model's classes are called."""
    if isinstance(material, TagReportData):
        return [partial(make, material) for make in SECTIONS_OF_TAGS], "tags"
    return [partial(make, material) for make in SECTIONS], "classes"


def write_report(
    material: ReportData | TagReportData, out: Path, *, plots: Path | None = None, progress: Progress = silent
) -> None:
    """Write a report as one HTML file.

    Parameters
    ----------
    material
        What was measured.
    out
        The file.
    plots
        A folder for every plot as SVG and PNG, and the numbers of plots and tables as CSV; None writes none.
    progress
        Callback for progress: the sections done.

    Raises
    ------
    OptionError
        If a library that pages need is not installed.
    OutputError
        If a file cannot be written.
    """
    page = page_of(material, progress)
    write_page(page, out)
    if plots is not None:
        write_plots(page, plots)


def _closing(material: CommonMaterial) -> str:
    made = ", ".join(f"{name} {version}" for name, version in material.card["created"].items())
    return (
        f"Model {material.digest[:16]}, made with {made}. This page is self-contained: it loads nothing from "
        "other computers, and its photos are small copies without metadata."
    )
