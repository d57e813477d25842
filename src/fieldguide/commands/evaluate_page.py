"""The page of ``fieldguide evaluate --report``: its options, and how it is made."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from fieldguide.commands.options import new_file
from fieldguide.errors import OptionError

if TYPE_CHECKING:
    from fieldguide.dataset import Dataset
    from fieldguide.leaks import Leaks
    from fieldguide.predictor import Predictor
    from fieldguide.progress import Progress
    from fieldguide.report.material import Material

ADDITIONS = ("plots", "findings", "learning_curve")
"""Options that mean nothing without a page."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare ``--report`` and what may be added to it."""
    parser.add_argument(
        "--report", type=new_file, metavar="FILE.html", help="also write a page to look at: one HTML file"
    )
    parser.add_argument(
        "--plots", type=Path, metavar="DIR", help="with --report: plots as SVG and PNG, numbers as CSV"
    )
    parser.add_argument(
        "--findings", type=Path, metavar="FILE", help="with --report: what `check --json FILE` wrote"
    )
    parser.add_argument(
        "--learning-curve",
        type=Path,
        metavar="FILE",
        help="with --report: what `compare --curve --json FILE` wrote",
    )


def check(options: argparse.Namespace) -> None:
    """See that a page can be made, before minutes are spent on measuring.

    Raises
    ------
    OptionError
        If an addition is given without a page, or a library is missing.
    """
    if options.report is None:
        for name in ADDITIONS:
            if getattr(options, name) is not None:
                flag = "--" + name.replace("_", "-")
                raise OptionError(f"{flag}: belongs to --report, which was not given; add --report FILE.html")
        return
    from fieldguide.page import require_jinja
    from fieldguide.page_figures import require_matplotlib

    require_jinja()
    require_matplotlib()


def measure_and_write(
    models: "Mapping[str, Predictor]",
    images: "tuple[Dataset, Dataset | None]",
    leaks: "Leaks | None",
    options: argparse.Namespace,
    progress: "Progress",
) -> "Material":
    """Measure the first model, compare it with the others, and write the page.

    Now, while the photos of an archive are still there.
    """
    from fieldguide.report import write_report
    from fieldguide.report.gather import Asked, gather

    asked = Asked(
        model=options.model,
        data=options.data,
        split=options.split,
        foreign=options.foreign,
        findings=options.findings,
        learning_curve=options.learning_curve,
        rivals=models if len(models) > 1 else {},
    )
    model, (chosen, foreign) = next(iter(models.values())), images
    material = gather(model, chosen, asked, foreign=foreign, leaks=leaks, progress=progress)
    write_report(material, options.report, plots=options.plots, progress=progress)
    return material
