"""An answer to one photo: what it is, how sure, and what else it may be."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fieldguide.displays import html as page
from fieldguide.displays.drawing import axes_for, draw_counts
from fieldguide.errors import OptionError
from fieldguide.prediction.result import Prediction

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def lines(prediction: Prediction) -> Iterator[str]:
    """The answer in a line."""
    yield f"{said(prediction)}{figures(prediction)}: {prediction.path or 'an image'}"


def said(prediction: Prediction) -> str:
    """The label or tags, or that it is unknown or refused."""
    if prediction.error is not None:
        return f"refused ({prediction.error.code})"
    if prediction.unknown:
        return f"unknown (nearest label: {prediction.label})"
    if prediction.labels is not None:
        return ", ".join(prediction.labels) or "no tag"
    return str(prediction.label)


def figures(prediction: Prediction) -> str:
    """Probability, typicality and prediction set."""
    if prediction.error is not None:
        return f", {prediction.error.message}"
    labels = ", ".join(prediction.set)
    return f" {prediction.probability:.3f}, typicality {prediction.typicality:.3f}, set {{{labels}}}"


def html(prediction: Prediction) -> str:
    """The photo beside bars of the most probable classes."""
    return page.whole(said(prediction), page.side_by_side(cells(prediction, prediction.path)))


def cells(prediction: Prediction, path: str | None) -> list[page.Html]:
    """The photo, and what is said of it; `path` is where the photo lies."""
    shot = page.photo(path, (prediction.path or "",), 160)
    if prediction.error is not None:
        return [shot, page.paragraph(prediction.error.message, "warn")]
    members = set(prediction.set)
    rows_shown = [
        (label, f"{share:.3f}", page.bar(share), "in the set" if label in members else "")
        for label, share in prediction.top
    ]
    table = page.table(("", "probability", "", ""), rows_shown)
    below = page.paragraph(f"typicality {prediction.typicality:.3f}", "warn" if prediction.unknown else "dim")
    return [shot, page.Html(f"<div>{table}{below}</div>")]


def rows(prediction: Prediction) -> list[dict[str, Any]]:
    """A row, as tables of answers hold it."""
    return [
        {
            "path": prediction.path,
            "answer": prediction.answer,
            "label": prediction.label,
            **({} if prediction.labels is None else {"labels": prediction.labels}),
            "probability": prediction.probability,
            "typicality": prediction.typicality,
            "unknown": prediction.unknown,
            "set": prediction.set,
            "error": None if prediction.error is None else prediction.error.code,
        }
    ]


def plot_probabilities(prediction: Prediction, ax: "Axes | None") -> "Axes":
    """Bars of the most probable classes.

    Raises
    ------
    OptionError
        If the photo could not be read.
    """
    if prediction.error is not None:
        raise OptionError(f"plot: {prediction.path}: {prediction.error.message}, so there is nothing to draw")
    with axes_for(ax, 2.4) as axes:
        draw_counts(axes, prediction.top, "probability")
        axes.set(xlim=(0, 1), title=said(prediction))
    return axes


PLOTS = {"probabilities": plot_probabilities}
