"""Answers to several photos."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fieldguide.displays import html as page
from fieldguide.displays import prediction as single
from fieldguide.displays.drawing import axes_for, draw_counts, height_for
from fieldguide.prediction.predictions import Predictions

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LINES, MOST_PHOTOS = 20, 24


def lines(answers: Predictions) -> Iterator[str]:
    """A line a photo, of many the first."""
    yield _title(answers)
    for prediction in answers[:MOST_LINES]:
        yield f"  {next(single.lines(prediction))}"
    if len(answers) > MOST_LINES:
        yield f"  {len(answers) - MOST_LINES:,} more"


def html(answers: Predictions) -> str:
    """The first photos with their answers; one alone with its bars."""
    if len(answers) == 1:
        (only,) = answers
        return page.whole(
            single.said(only), page.side_by_side(single.cells(only, _place(answers, only.path)))
        )
    shots = [
        page.photo(_place(answers, one.path), (_short(one), one.path or ""), 128)
        for one in answers[:MOST_PHOTOS]
    ]
    more = len(answers) - MOST_PHOTOS
    rest = [page.paragraph(f"{more:,} more; to_pandas() has them all", "dim")] if more > 0 else []
    return page.whole(_title(answers), page.side_by_side(shots), *rest)


def rows(answers: Predictions) -> list[dict[str, Any]]:
    """A row a photo."""
    return [row for prediction in answers for row in single.rows(prediction)]


def plot_counts(answers: Predictions, ax: "Axes | None") -> "Axes":
    """How often each answer was given."""
    counts = Counter(prediction.answer for prediction in answers).most_common()
    with axes_for(ax, height_for(len(counts))) as axes:
        draw_counts(axes, counts, "photos")
    return axes


PLOTS = {"counts": plot_counts}


def _title(answers: Predictions) -> str:
    counts = Counter(prediction.answer for prediction in answers).most_common()
    named = ", ".join(f"{count:,} × {answer}" for answer, count in counts[:6])
    more = f" and {len(counts) - 6} other answers" if len(counts) > 6 else ""
    return f"{len(answers):,} {'answer' if len(answers) == 1 else 'answers'}: {named}{more}"


def _short(prediction: Any) -> str:
    share = "" if prediction.probability is None else f" {prediction.probability:.2f}"
    return f"{single.said(prediction)}{share}"


def _place(answers: Predictions, path: str | None) -> str | None:
    return None if path is None else answers.files.get(path, path)
