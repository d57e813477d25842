"""How training went, and what more photos would bring."""

from typing import Any

from fieldguide.installation import program_command
from fieldguide.learning.history_plot import MEASURES, figure_of
from fieldguide.recipes.training_outcome import TrainingOutcome
from fieldguide.report import figures
from fieldguide.report.blocks import Cell, Notice, Numbers, Picture, Section, Text
from fieldguide.report.material import CommonMaterial, percent

ENDS = ("value", "low", "high")


def history(material: CommonMaterial) -> Section | None:
    """Losses, accuracy and rate by epoch; None for recipes without epochs, or without any of these."""
    rows = material.card.get("history")
    if not (isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows)):
        return None
    names = tuple(name for name in rows[0] if all(isinstance(row.get(name), (int, float)) for row in rows))
    measured = [name for name in MEASURES if name in names]
    if not measured or not {"epoch", "train_loss", "validation_loss", "learning_rate"} <= set(names):
        return None
    lead = (
        "Both losses should fall. Where the held-out one turns up again, the model has begun to "
        "learn by heart."
    )
    outcome = TrainingOutcome.read(material.card.get("outcome"))
    with figures.style():
        figure = figure_of(rows, None, outcome)
    last, name = rows[-1], measured[0]
    alt = (
        f"Training over {len(rows)} epochs: held-out loss {rows[0]['validation_loss']:.3f} at first, "
        f"{last['validation_loss']:.3f} at last; held-out {MEASURES[name]} {percent(last[name])}."
    )
    if outcome is not None:
        said = outcome.summary()
        alt += f" {said[:1].upper()}{said[1:]}."
    table: tuple[tuple[Cell, ...], ...] = tuple(tuple(row[name] for name in names) for row in rows)
    numbers = Numbers(names, table)
    picture = Picture("history", alt, alt, figures.Plot(figure), numbers, wide=True)
    return Section("history", "Training history", lead, [picture])


def curve(material: CommonMaterial) -> Section:
    """Accuracy by number of training photos, where it was measured; else the command that does."""
    lead = (
        "Would more photos help? Where the curve still climbs at growing shares of the training photos, "
        "they do."
    )
    title = "Learning curve"
    found = material.learning_curve
    points = _points(found)
    if found is None or not points:
        text = (
            "This was not measured. The first command trains on growing shares of the photos, the "
            "second shows it."
        )
        command = program_command(f"compare {material.data} --curve --json curve.json")
        second = program_command(
            f"evaluate {material.model} {material.data} --learning-curve curve.json --report FILE.html"
        )
        return Section("learning-curve", title, lead, [Notice(text, f"{command}\n{second}")])
    return Section("learning-curve", title, lead, [_drawn(points, _name(found)), Text(_sentence(found))])


def _sentence(found: dict[str, Any]) -> str:
    """What ``compare`` says of the curve, as a sentence of its own."""
    said = str(found.get("sentence", ""))
    return said[:1].upper() + said[1:] + "."


def _points(found: dict[str, Any] | None) -> list[tuple[float, float, float, float]]:
    """(images, score, low, high) of each point; nothing where the file holds something else."""
    try:
        rows = (found or {}).get("points", [])
        return [
            (float(row["images"]), *(float((row.get("accuracy") or row["map"])[key]) for key in ENDS))  # type: ignore[misc]
            for row in rows
        ]
    except (KeyError, TypeError, ValueError, AttributeError):
        return []


def _name(found: dict[str, Any]) -> str:
    return "mean average precision" if "map" in found["points"][0] else "accuracy"


def _drawn(points: list[tuple[float, float, float, float]], name: str) -> Picture:
    images, values, low, high = zip(*points, strict=True)
    with figures.style():
        figure, axes = figures.axes(9.6, 3.2)
        axes.fill_between(images, low, high, color="#cfe5f1", linewidth=0, label="95 % range")
        axes.plot(images, values, "o-", color=figures.BLUE, label=f"held-out {name}")
        axes.set(xlabel="photos learned from", ylabel=name)
        axes.grid(axis="y")
        axes.legend(loc="lower right")
    alt = (
        f"Learning curve: {percent(values[0])} with {images[0]:.0f} photos, {percent(values[-1])} "
        f"with {images[-1]:.0f}."
    )
    numbers = Numbers(("photos", name, "low", "high"), tuple(points))
    return Picture("learning-curve", alt, alt, figures.Plot(figure), numbers, wide=True)
