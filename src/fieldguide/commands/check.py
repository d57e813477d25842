"""``fieldguide check``: what is wrong with labelled photos, before anything is learned from them."""

import argparse
import dataclasses
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fieldguide.commands import terminal
from fieldguide.commands.shared.options import (
    STANDARD_OUTPUT,
    add_cluster,
    add_data,
    add_json,
    data_options,
    reading,
    shown_progress,
    write_json,
)
from fieldguide.commands.shared.output_paths import new_lines, new_page, new_table
from fieldguide.commands.shared.standard_input import STANDARD_INPUT, names_read
from fieldguide.installation import program_command

if TYPE_CHECKING:
    from fieldguide.audit.run import Findings
    from fieldguide.progress import Progress

NAME = "check"
HELP = "find what is wrong with labelled photos: duplicates, leaks, label errors and more"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare DATA and where findings go."""
    add_data(parser, "; - for names of files on standard input")
    parser.add_argument(
        "--progress", type=new_lines, metavar="FILE.jsonl", help="also write progress as JSON lines"
    )
    parser.add_argument(
        "--explain",
        type=explained,
        metavar="CODE",
        help="explain a finding such as FG003 and what to do about it; DATA is not read",
    )
    add_json(parser)
    parser.add_argument(
        "--report", type=new_page, metavar="FILE.html", help="also write a page to look at, one HTML file"
    )
    parser.add_argument(
        "--fix",
        type=new_table,
        metavar="FILE.csv",
        help="write a table of corrections for `train --corrections`; lines of an existing table are kept",
    )
    parser.add_argument(
        "--force", action="store_true", help="with --fix: write a new table, and keep the old one as a backup"
    )
    parser.add_argument(
        "--corrections", type=Path, metavar="FILE", help="apply such a table first; nothing on disk changes"
    )
    parser.add_argument(
        "--backbone",
        metavar="B",
        help=f"pretrained network, see `{program_command('backbones')}` (default: as train's)",
    )
    parser.add_argument(
        "--weights", type=Path, metavar="FILE", help="local weights of the backbone: no download"
    )
    add_cluster(parser, "compute features")


def explained(code: str) -> str:
    """Show the page of a kind of finding and leave."""
    from fieldguide.audit.finding_pages import finding_page
    from fieldguide.errors import OptionError

    try:
        page = finding_page(code)
    except OptionError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    for line in page.splitlines():
        terminal.show(line)
    raise SystemExit(0)


def run(options: argparse.Namespace) -> int:
    """Run every check, show the findings, write what was asked for."""
    from fieldguide.api.checking import check
    from fieldguide.data.corrections import read_corrections
    from fieldguide.displays.findings import lines

    if options.fix is not None and options.fix.is_file() and not options.force:
        read_corrections(options.fix)  # nothing else is written over
    names = names_read() if str(options.data) == STANDARD_INPUT else None
    with shown_progress(options.progress) as progress:
        found = check(
            **_data(options, names, progress),
            report=options.report,
            corrections=options.corrections,
            backbone=options.backbone,
            weights=options.weights,
            cluster=options.cluster,
            progress=progress,
        )
    for note in found.notes:
        terminal.say(f"note: {note}")
    tell = terminal.say if options.json == STANDARD_OUTPUT else terminal.show
    for line in lines(found):
        tell(line)
    write_json(found.as_dict(), options.json)
    if options.fix is not None:
        _write_fixes(found, options)
    if options.report is not None:
        terminal.say(f"{options.report}: the findings as a page; open it in a browser")
    return 1 if found.issues else 0


def _data(options: argparse.Namespace, names: list[str] | None, progress: "Progress") -> dict[str, Any]:
    """DATA and how it is read, or the files that standard input names."""
    from fieldguide.data.named_files import named_files

    if names is None:
        return {"data": options.data, **reading(options)}
    listed = named_files(names, data_options(options), options.splits, progress=progress)
    return {"data": dataclasses.replace(listed, name=STANDARD_INPUT)}


def _write_fixes(found: "Findings", options: argparse.Namespace) -> None:
    """Write the table, and say what became of one that was there."""
    from fieldguide.data.scan import count_of

    out: Path = options.fix
    data = "DATA" if str(options.data) == STANDARD_INPUT else shlex.quote(str(options.data))
    fix = shlex.quote(str(out))
    train = program_command(f"train {data} --corrections {fix} --out model.onnx")
    there = out.is_file() and not options.force
    saved = found.save_fixes(out, force=options.force)
    if there:
        terminal.say(
            f"{out}: {count_of(saved.kept, 'line')} kept, {saved.added} added; look through them, then: "
            f"{train} "
            "(--force writes a new table and keeps this one as a backup)"
        )
        return
    if saved.backup is not None:
        terminal.say(f"{saved.backup}: the previous table")
    terminal.say(f"{out}: {saved.added} corrections; look through them, then: {train}")
