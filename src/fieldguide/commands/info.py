"""``fieldguide info``: what a model file says of itself."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fieldguide.commands import terminal

NAME = "info"
HELP = "show what a model file says about itself"

FIRST = ("recipe", "preset", "seed", "backbone", "classes", "data", "metrics", "thresholds", "choices")
"""What a person wants to know first; the rest follows in the card's order."""

MOST_NAMES = 30
"""Longest list of names shown in full; ``--json`` has them all."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare MODEL and ``--json``."""
    parser.add_argument("model", type=Path, metavar="MODEL", help="a model file")
    parser.add_argument("--json", action="store_true", help="the card as JSON, unabridged")


def run(options: argparse.Namespace) -> int:
    """Show the card."""
    from fieldguide.modelfile.artifact import load_model_file

    card = load_model_file(options.model).card
    if options.json:
        for line in json.dumps(card, indent=2).split("\n"):
            terminal.show(line)
        return 0
    terminal.show(
        f"{options.model}: {len(card['classes'])} classes, {options.model.stat().st_size / 1e6:.1f} MB"
    )
    card["data"] = {key: value for key, value in card["data"].items() if key != "contents"}
    ordered = {key: card[key] for key in FIRST if key in card}
    for line in page(ordered | card):
        terminal.show(line)
    return 0


def page(card: dict[str, Any], indent: str = "") -> Iterator[str]:
    """A card as indented lines, whatever it holds."""
    for key, value in card.items():
        if value in ({}, []):
            continue
        if isinstance(value, dict) and set(value) == {"value", "low", "high"}:
            yield f"{indent}{key}: {value['value']:.3f} ({value['low']:.3f} to {value['high']:.3f})"
        elif isinstance(value, dict):
            yield f"{indent}{key}"
            yield from page(value, indent + "  ")
        elif isinstance(value, list) and any(isinstance(item, str) and " " in item for item in value):
            yield f"{indent}{key}"
            yield from (f"{indent}  {item}" for item in value)
        else:
            yield f"{indent}{key}: {_text(value)}"


def _text(value: Any) -> str:
    if isinstance(value, list):
        more = f", … and {len(value) - MOST_NAMES} more" if len(value) > MOST_NAMES else ""
        return ", ".join(_text(item) for item in value[:MOST_NAMES]) + more
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value)
