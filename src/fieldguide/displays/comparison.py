"""Ways of training side by side."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fieldguide.displays import html as page
from fieldguide.displays.drawing import axes_for, draw_ranges, height_for, inside
from fieldguide.errors import OptionError
from fieldguide.experiments.comparison import Comparison, ComparisonRow
from fieldguide.experiments.scoring import score_of, words_of
from fieldguide.metrics.intervals import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_PAIRS = 6


def lines(result: Comparison) -> Iterator[str]:
    """A line a way of training, the differences, and the recommendation."""
    yield f"{result.images:,} images, {result.folds} folds; ranges hold the true value with 95 % confidence"
    for row in result.rows:
        yield f"  {row.candidate.name}: {_figures(row)}"
    yield from (pair.sentence for pair in result.pairs[:MOST_PAIRS])
    yield f"recommended: {result.recommended}, {result.reason}"
    if result.learning_curve is not None:
        yield result.learning_curve.sentence


def html(result: Comparison) -> str:
    """The same as a table, with the accuracies drawn."""
    name = result.words.name
    columns = ("way to train", name, "95 % range", "log loss", "ECE", "training", "a photo", "file")
    table = page.table(columns, map(_cells, result.rows))
    drawn = inside(
        lambda axes: draw_ranges(axes, _scores(result), name),
        f"{name} with 95 % range",
        height=height_for(len(result.rows)),
    )
    curve = () if result.learning_curve is None else (page.paragraph(result.learning_curve.sentence),)
    pairs = [page.paragraph(pair.sentence, "dim") for pair in result.pairs[:MOST_PAIRS]]
    heading = f"Recommended: {result.recommended}"
    below = page.paragraph(f"{result.reason}; {result.images:,} images, {result.folds} folds")
    return page.whole(heading, below, page.side_by_side([table, drawn]), *curve, *pairs)


def rows(result: Comparison) -> list[dict[str, Any]]:
    """A row a way of training."""
    found = []
    for row in result.rows:
        answer = row.as_dict()
        flat: dict[str, Any] = {
            "name": row.candidate.name,
            "recipe": row.candidate.recipe,
            "error": row.error,
        }
        if row.evaluation is not None:
            score, key = score_of(row.evaluation), result.words.key
            flat |= {key: score.value, f"{key}_low": score.low, f"{key}_high": score.high}
            flat |= {"macro_f1": answer["macro_f1"]["value"], "log_loss": row.evaluation.log_loss}
            flat |= {"ece": row.evaluation.ece, "megabytes": row.megabytes}
            flat |= {f"{name}_seconds": value for name, value in answer["seconds"].items()}
        found.append(flat)
    return found


def plot_accuracy(result: Comparison, ax: "Axes | None") -> "Axes":
    """Accuracies, or mean average precisions of tags, with their 95 % ranges, the best first."""
    with axes_for(ax, height_for(len(result.rows))) as axes:
        draw_ranges(axes, _scores(result), result.words.name)
    return axes


def plot_curve(result: Comparison, ax: "Axes | None") -> "Axes":
    """Accuracy, or mean average precision of tags, by number of training images.

    Raises
    ------
    OptionError
        If no learning curve was asked for.
    """
    curve = result.learning_curve
    if curve is None:
        raise OptionError("kind: there is no learning curve; compare with curve=True")
    values = [point.accuracy for point in curve.points]
    below, above = [one.value - one.low for one in values], [one.high - one.value for one in values]
    with axes_for(ax) as axes:
        images = [point.images for point in curve.points]
        axes.errorbar(images, [one.value for one in values], [below, above], fmt="o-", elinewidth=3)
        axes.set(xlabel="images learned from", ylabel=result.words.name, title=curve.candidate.name)
    return axes


PLOTS = {"accuracy": plot_accuracy, "curve": plot_curve}


def _scores(result: Comparison) -> list[tuple[str, Interval]]:
    return [
        (row.candidate.name, score_of(row.evaluation)) for row in result.rows if row.evaluation is not None
    ]


def _figures(row: ComparisonRow) -> str:
    if row.evaluation is None:
        return f"failed: {row.error}"
    score, name = score_of(row.evaluation), words_of(row.evaluation).name
    return (
        f"{name} {score.value:.3f} ({score.low:.3f} to {score.high:.3f}), "
        f"log loss {row.evaluation.log_loss:.3f}, {1000 * row.image_seconds:.0f} ms a photo"
    )


def _cells(row: ComparisonRow) -> tuple[object, ...]:
    if row.evaluation is None:
        return (row.candidate.name, "-", f"failed: {row.error}", "-", "-", "-", "-", "-")
    score = score_of(row.evaluation)
    return (
        row.candidate.name,
        f"{score.value:.3f}",
        f"{score.low:.3f} to {score.high:.3f}",
        f"{row.evaluation.log_loss:.3f}",
        f"{row.evaluation.ece:.3f}",
        f"{row.train_seconds:.1f} s",
        f"{1000 * row.image_seconds:.0f} ms",
        f"{row.megabytes:.1f} MB",
    )
