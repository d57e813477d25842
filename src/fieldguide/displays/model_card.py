"""What a model file says of itself."""

from collections.abc import Iterator
from typing import Any

from fieldguide.displays import html as page
from fieldguide.prediction.predictor import Predictor
from fieldguide.tasks.task import Task

MOST_NAMES = 12


def lines(model: Predictor) -> Iterator[str]:
    """Its classes, how it was made, what it reached and what it cannot say."""
    yield f"{model.path}: {_kinds(model)}"
    yield from (f"  {name}: {value}" for name, value in _facts(model))
    yield from model.limits


def html(model: Predictor) -> str:
    """The same as a table."""
    limits = [page.paragraph(sentence, "warn") for sentence in model.limits]
    heading = f"{model.path}: {_kinds(model)}"
    return page.whole(heading, page.table(("", ""), _facts(model), 20), *limits)


def _kinds(model: Predictor) -> str:
    if model.task is Task.MULTIPLE:
        return f"any number of {len(model.classes):,} tags a photo"
    return f"{len(model.classes):,} classes"


def _facts(model: Predictor) -> list[tuple[str, str]]:
    card, more = model.card, len(model.classes) - MOST_NAMES
    names = ", ".join(model.classes[:MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "")
    facts = [("classes", names)]
    facts += [(name, str(card[name])) for name in ("recipe", "preset", "seed") if card.get(name) is not None]
    backbone = card.get("backbone") or {}
    if backbone:
        licence = backbone.get("licence", "licence not stated")
        facts.append(("backbone", f"{backbone.get('name')} ({licence})"))
    metrics = card.get("metrics") or {}
    facts += [(name, _range(value)) for name, value in metrics.items() if _has_range(value)]
    thresholds = model.thresholds.items()
    return [
        *facts,
        *((f"threshold: {name}", f"{value:g}") for name, value in thresholds if value is not None),
    ]


def _has_range(value: Any) -> bool:
    return isinstance(value, dict) and {"value", "low", "high"} <= set(value)


def _range(value: Any) -> str:
    return f"{value['value']:.3f} ({value['low']:.3f} to {value['high']:.3f})"
