"""How training went, and what more photos would bring."""

from typing import Any

from fieldguide import page_figures
from fieldguide.history_picture import figure_of
from fieldguide.page_blocks import Cell, Notice, Numbers, Picture, Section, Text
from fieldguide.report.material import Material, percent


def history(material: Material) -> Section | None:
    """Losses, accuracy and rate by epoch; None for recipes without epochs."""
    rows = material.card.get("history")
    if not (isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows)):
        return None
    names = tuple(name for name in rows[0] if all(isinstance(row.get(name), (int, float)) for row in rows))
    if not {"epoch", "train_loss", "validation_loss", "validation_accuracy", "learning_rate"} <= set(names):
        return None
    lead = (
        "Both losses should fall. Where the held-out one turns up again, the model has begun to "
        "learn by heart."
    )
    with page_figures.style():
        figure = figure_of(rows, None)
    last = rows[-1]
    alt = (
        f"Training over {len(rows)} epochs: held-out loss {rows[0]['validation_loss']:.3f} at first, "
        f"{last['validation_loss']:.3f} at last; held-out accuracy {percent(last['validation_accuracy'])}."
    )
    table: tuple[tuple[Cell, ...], ...] = tuple(tuple(row[name] for name in names) for row in rows)
    numbers = Numbers(names, table)
    picture = Picture("history", alt, alt, page_figures.Plot(figure), numbers, wide=True)
    return Section("history", "How training went", lead, [picture])


def curve(material: Material) -> Section:
    """Accuracy by number of training photos, where it was measured; else the command that does."""
    lead = (
        "Accuracy at growing shares of the training photos: where the curve still climbs, more photos help."
    )
    title = "Would more photos help"
    found = material.learning_curve
    points = _points(found)
    if found is None or not points:
        text = (
            "This was not measured. The first command trains on growing shares of the photos, the "
            "second shows it."
        )
        command = f"fieldguide compare {material.data} --curve --json curve.json"
        second = (
            f"fieldguide evaluate {material.model} {material.data} --learning-curve curve.json "
            "--report FILE.html"
        )
        return Section("learning-curve", title, lead, [Notice(text, (command, second))])
    return Section("learning-curve", title, lead, [_drawn(points), Text(_sentence(found))])


def _sentence(found: dict[str, Any]) -> str:
    """What ``compare`` says of the curve, as a sentence of its own."""
    said = str(found.get("sentence", ""))
    return said[:1].upper() + said[1:] + "."


def _points(found: dict[str, Any] | None) -> list[tuple[float, float, float, float]]:
    """(images, accuracy, low, high) of each point; nothing where the file holds something else."""
    try:
        rows = (found or {}).get("points", [])
        return [
            (float(row["images"]), *(float(row["accuracy"][key]) for key in ("value", "low", "high")))  # type: ignore[misc]
            for row in rows
        ]
    except (KeyError, TypeError, ValueError, AttributeError):
        return []


def _drawn(points: list[tuple[float, float, float, float]]) -> Picture:
    images, values, low, high = zip(*points, strict=True)
    with page_figures.style():
        figure, axes = page_figures.axes(9.6, 3.2)
        axes.fill_between(images, low, high, color="#cfe5f1", linewidth=0, label="95 % range")
        axes.plot(images, values, "o-", color=page_figures.BLUE, label="held-out accuracy")
        axes.set(xlabel="photos learned from", ylabel="accuracy")
        axes.grid(axis="y")
        axes.legend(loc="lower right")
    alt = (
        f"Learning curve: {percent(values[0])} with {images[0]:.0f} photos, {percent(values[-1])} "
        f"with {images[-1]:.0f}."
    )
    numbers = Numbers(("photos", "accuracy", "low", "high"), tuple(points))
    return Picture("learning-curve", alt, alt, page_figures.Plot(figure), numbers, wide=True)
