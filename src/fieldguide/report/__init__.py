"""The report of an evaluation: one page, a file a section.

A section is a function of the material, in a file of its own or beside its kin, which gives a
:class:`~fieldguide.page_blocks.Section`, or None where it has nothing to say, and one line in
:data:`SECTIONS`; that is also their order on the page.
"""

from collections.abc import Callable
from pathlib import Path

from fieldguide.page import write_page, write_plots
from fieldguide.page_blocks import Page, Section
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
from fieldguide.report.material import Material, plural

SECTIONS: tuple[Callable[[Material], Section | None], ...] = (
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


def page_of(material: Material, progress: Progress = silent) -> Page:
    """Make all sections.

    Parameters
    ----------
    material
        What was measured.
    progress
        Told of the sections done.
    """
    made = []
    for done, make in enumerate(SECTIONS):
        progress("report", done, len(SECTIONS))
        made.append(make(material))
    progress("report", len(SECTIONS), len(SECTIONS))
    where = "" if material.split == "all" else f", split {material.split}"
    return Page(
        title=f"{material.model} on {material.data}",
        subtitle=f"{plural(material.evaluation.n, 'photo')}{where}; {len(material.classes):,} classes",
        sections=tuple(section for section in made if section is not None),
        closing=_closing(material),
    )


def write_report(
    material: Material, out: Path, *, plots: Path | None = None, progress: Progress = silent
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
        Told of the sections done.

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


def _closing(material: Material) -> str:
    made = ", ".join(f"{name} {version}" for name, version in material.card["created"].items())
    return (
        f"Model {material.digest[:16]}, made with {made}. This page stands alone: it asks no other "
        "computer for "
        "anything, and its photos are small copies without metadata."
    )
