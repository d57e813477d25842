"""One look for all plots: Matplotlib, colours for every eye, and SVG whose text stays text.

Colours are those of Okabe and Ito, "Color Universal Design" (2008), which colour-blind people tell apart;
marks and lines differ as well, so that a black-and-white print can be read. Areas use cividis (Nuñez,
Anderton and Renslow, PLOS ONE 2018), which grows evenly in lightness.
"""

import contextlib
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fieldguide.errors import OptionError
from fieldguide.installation import command_for

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, PURPLE = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
GREY, PALE, INK = "#6b7280", "#d7dce3", "#1f2933"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, "#56b4e9", "#e69f00", "#b8a900", "#1f2933")
"""Okabe and Ito's, with the yellow made dark enough to be seen on white."""
MARKS = ("o", "^", "s", "D", "v", "P")
AREAS = "cividis"

_STYLE: Any = {
    "svg.fonttype": "none",  # text as text: small, sharp, searchable, and in every script the reader has
    "svg.hashsalt": "fieldguide",  # the same plot gives the same bytes
    "text.parse_math": False,  # a class may be called $x$
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": "#e7eaee",
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "figure.facecolor": "white",
}


def require_matplotlib() -> None:
    """See that plots can be drawn, before work begins.

    Raises
    ------
    OptionError
        If Matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise OptionError(
            f"--report: needs Matplotlib, which is not installed; run: {command_for('report')}"
        ) from error


@dataclass(frozen=True)
class Plot:
    """A Matplotlib figure that is written when it is asked for."""

    figure: "Figure"

    def svg(self) -> bytes:
        """As SVG, without the time of day."""
        return self._saved("svg", {"Date": None, "Creator": None})

    def png(self) -> bytes:
        """As PNG with 144 dots an inch."""
        return self._saved("png", {"Software": None})

    def _saved(self, form: str, metadata: dict[str, None]) -> bytes:
        file = io.BytesIO()
        with style():
            self.figure.savefig(file, format=form, dpi=144, metadata=metadata)
        return file.getvalue()


@contextlib.contextmanager
def style() -> Iterator[None]:
    """Draw and save in the page's look."""
    import matplotlib as mpl

    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        # Matplotlib measures text with its own font, which lacks many scripts; a browser has them.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
        yield


def axes(width: float = 5.2, height: float = 3.6) -> "tuple[Figure, Axes]":
    """A figure with one plot; call it within :func:`style`.

    Parameters
    ----------
    width, height
        In inches; text is made for 5.2 inches on half a page.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()
