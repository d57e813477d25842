"""``fieldguide backbones``: the pretrained networks to choose from."""

import argparse
import json
from collections.abc import Sequence
from typing import Any

from fieldguide.commands import terminal
from fieldguide.errors import FieldguideError
from fieldguide.progress import Progress

NAME = "backbones"
HELP = "list pretrained networks: size, licence, and whether usable offline now"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="the list as JSON")
    parser.add_argument(
        "--time",
        action="store_true",
        help="measure the milliseconds a photo takes here, for those usable offline; some seconds each",
    )


def run(options: argparse.Namespace) -> int:
    """Show the catalogue."""
    rows = listing()
    if options.time:
        with terminal.progress() as progress:
            rows = timed(rows, progress)
    if options.json:
        for line in json.dumps(rows, indent=2).split("\n"):
            terminal.show(line)
        return 0
    heading = ("name", "MB", "pixels", *(("ms",) if options.time else ()), "licence", "offline", "torch")
    terminal.show_table([(*heading, "what it is"), *map(_line, rows)])
    terminal.say(
        "any other name that timm knows works too; offline means usable now without a network connection"
    )
    terminal.say(
        "torch: whether PyTorch is needed to prepare it; a model that is made runs without in any case"
    )
    if options.time:
        terminal.say(
            "ms: milliseconds for a photo on this machine with all cores at work, without decoding; "
            "empty where the network is not at hand"
        )
    return 0


def _line(row: dict[str, Any]) -> tuple[str, ...]:
    numbers: tuple[str, ...] = (f"{row['megabytes']:.0f}", str(row["size"]))
    if "milliseconds" in row:
        found = row["milliseconds"]
        numbers = (*numbers, "" if found is None else _three_digits(found))
    offline = "yes" if row["usable_offline"] else "no"
    torch = "needed" if row["needs_torch"] else "no"
    return (row["name"], *numbers, row["licence"], offline, torch, row["description"])


def _three_digits(milliseconds: float) -> str:
    return f"{milliseconds:.3g}" if milliseconds < 100 else f"{milliseconds:.0f}"


def timed(rows: Sequence[dict[str, Any]], progress: Progress) -> list[dict[str, Any]]:
    """The catalogue with `milliseconds` for a photo; None where the network is not at hand here."""
    from fieldguide.installation import missing

    with_torch = not missing("torch")
    result = []
    for row in rows:
        here = row["usable_offline"] and (with_torch or not row["needs_torch"])
        result.append({**row, "milliseconds": _measured(row["name"], progress) if here else None})
    return result


def _measured(name: str, progress: Progress) -> float | None:
    """Milliseconds for a photo; None, and a sentence, where the network cannot be read: others still can."""
    from fieldguide.backbones.export import export
    from fieldguide.backbones.speed import milliseconds_an_image

    try:
        return round(milliseconds_an_image(export(name, progress=progress)), 2)
    except FieldguideError as error:
        terminal.say(f"{name}: not measured; {error}")
        return None


def listing() -> list[dict[str, Any]]:
    """The catalogue as ``backbones --json`` holds it."""
    from fieldguide.backbones.catalogue import catalogue, usable_offline

    return [
        {
            "name": backbone.name,
            "timm_name": backbone.timm_name,
            "licence": backbone.licence,
            "megabytes": backbone.megabytes,
            "size": backbone.size,
            "features": backbone.features,
            "usable_offline": usable_offline(backbone),
            "needs_torch": backbone.needs_torch,
            "description": backbone.description,
        }
        for backbone in catalogue()
    ]
