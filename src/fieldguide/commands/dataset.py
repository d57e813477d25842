"""``fieldguide dataset``: datasets of the field by name, as class folders or one ZIP."""

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

from fieldguide.commands import terminal
from fieldguide.commands.shared.output_paths import new_folder_or
from fieldguide.installation import program_command

NAME = "dataset"
HELP = "get a dataset of the field (cifar10, mnist, food101, ...) as class folders; list them"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare NAME, ``--out``, ``--from`` and ``--json``."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="which one; without it, they are listed")
    parser.add_argument(
        "--out",
        type=new_folder_or(".zip"),
        metavar="DIR|FILE.zip",
        help="what to write (default: a folder called NAME)",
    )
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FOLDER",
        help="folder with the original files: no download",
    )
    parser.add_argument("--json", action="store_true", help="the answer as JSON")


def run(options: argparse.Namespace) -> int:
    """List the datasets, or write one."""
    if options.name is None:
        return _list(options)
    from fieldguide.data.catalogue.entries import find
    from fieldguide.data.catalogue.preparation import write

    entry = find(options.name)
    download = "no download" if options.source else f"{entry.download_megabytes:,} MB to download"
    size = f"{entry.images:,} images, {download}, about {entry.disk_megabytes:,} MB written"
    terminal.say(f"{entry.name}: {entry.title}; {size}")
    terminal.say(f"terms: {entry.terms}; {entry.page}")
    terminal.say(f"to cite: {entry.paper}")
    out = options.out or Path(entry.name)
    with terminal.progress() as progress:
        done = write(entry.name, out, root=options.source, download=not options.source, progress=progress)
    if options.json:
        _show_json({**_row(entry), "path": str(out), "written": done.written})
    else:
        terminal.show(f"{out}: {done.images:,} images of {entry.name}, {done.written:,} of them written now")
    return 0


def _list(options: argparse.Namespace) -> int:
    from fieldguide.data.catalogue.entries import CATALOGUE
    from fieldguide.errors import OptionError

    if options.out or options.source:
        raise OptionError("--out and --from need NAME: which dataset to write")
    if options.json:
        _show_json([_row(entry) for entry in CATALOGUE])
        return 0
    table = [("name", "images", "classes", "pixels", "MB", "terms", "what it is")]
    for entry in CATALOGUE:
        numbers = (f"{entry.images:,}", str(entry.classes), entry.pixels, f"{entry.download_megabytes:,}")
        table.append((entry.name, *numbers, entry.terms, entry.title))
    terminal.show_table(table)
    one = program_command("dataset NAME --out FOLDER")
    terminal.say(f"{one} downloads one (MB) and writes it as class folders")
    return 0


def _row(entry: Any) -> dict[str, Any]:
    hidden = ("base", "unpacked", "originals")
    row = {key: value for key, value in dataclasses.asdict(entry).items() if key not in hidden}
    return {**row, "originals": [original.urls[0] for original in entry.originals]}


def _show_json(answer: Any) -> None:
    for line in json.dumps(answer, indent=2).split("\n"):
        terminal.show(line)
