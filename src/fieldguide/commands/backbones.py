"""``fieldguide backbones``: the pretrained networks to choose from."""

import argparse
import json
from typing import Any

from fieldguide.commands import terminal

NAME = "backbones"
HELP = "list pretrained networks: size, licence, and whether usable offline now"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare ``--json``."""
    parser.add_argument("--json", action="store_true", help="the list as JSON")


def run(options: argparse.Namespace) -> int:
    """Show the catalogue."""
    rows = listing()
    if options.json:
        for line in json.dumps(rows, indent=2).split("\n"):
            terminal.show(line)
        return 0
    table = [("name", "MB", "pixels", "licence", "offline", "torch", "what it is")]
    for row in rows:
        offline = "yes" if row["usable_offline"] else "no"
        torch = "needed" if row["needs_torch"] else "no"
        numbers = (f"{row['megabytes']:.0f}", str(row["size"]))
        table.append((row["name"], *numbers, row["licence"], offline, torch, row["description"]))
    terminal.show_table(table)
    terminal.say(
        "any other name that timm knows works too; offline means usable now without a network connection"
    )
    terminal.say(
        "torch: whether PyTorch is needed to prepare it; a model that is made runs without in any case"
    )
    return 0


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
