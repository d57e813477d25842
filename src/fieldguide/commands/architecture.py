"""``fieldguide architecture``: a network that `cnn` can learn, as a table of its layers."""

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fieldguide.commands import terminal
from fieldguide.commands.shared.options import count
from fieldguide.errors import OptionError

if TYPE_CHECKING:
    from fieldguide.recipes.cnn.architectures import Architecture

NAME = "architecture"
HELP = "show the layers of a network that `cnn` can learn, and list those there are"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the network, its images, and what is shown."""
    parser.add_argument(
        "architecture",
        nargs="?",
        metavar="NAME|LAYERS",
        help="a name such as resnet18, or layers such as 'conv 32, pool, dense 64'",
    )
    parser.add_argument("--size", type=count, metavar="N", help="side of the images in pixels (default: 64)")
    parser.add_argument(
        "--classes", type=count, metavar="K", help="with the layer of class scores for so many classes"
    )
    parser.add_argument("--all", action="store_true", help="each layer by itself, instead of stages")
    parser.add_argument(
        "--list", nargs="?", const="", metavar="WORD", help="list the names there are, or those with a word"
    )
    parser.add_argument("--json", action="store_true", help="the table or the list as JSON")


def run(options: argparse.Namespace) -> int:
    """Show a network, or the names there are."""
    if (options.architecture is None) == (options.list is None):
        raise OptionError(
            "architecture: give a name such as resnet18, or layers such as 'conv 32, pool, dense 64', "
            "or --list"
        )
    from fieldguide.api.architectures import require_torch

    require_torch()
    if options.list is not None:
        return _list(options.list, as_json=options.json)
    return _show(options)


def _list(word: str, *, as_json: bool) -> int:
    from fieldguide.recipes.cnn.architectures import architectures

    found = [one for one in architectures() if word.lower() in one.name]
    if not found:
        raise OptionError(
            f"--list: no name of timm or torchvision has {word!r} in it; give less of it, or no word to list "
            "all"
        )
    if as_json:
        return _write([asdict(one) for one in found])
    _show_names(found)
    return 0


def _show_names(found: "list[Architecture]") -> None:
    terminal.show_table([("name", "library"), *((one.name, one.library) for one in found)])
    terminal.say(f"{len(found)} networks; train one from scratch with --recipe cnn --architecture NAME")


def _show(options: argparse.Namespace) -> int:
    from fieldguide.api.architectures import architecture
    from fieldguide.displays.layers import lines

    table = architecture(options.architecture, size=options.size, classes=options.classes, all=options.all)
    if options.json:
        return _write(table.as_dict())
    for line in lines(table):
        terminal.show(line)
    return 0


def _write(answer: Any) -> int:
    for line in json.dumps(answer, indent=2).split("\n"):
        terminal.show(line)
    return 0
