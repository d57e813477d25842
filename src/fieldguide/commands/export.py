"""``fieldguide export``: a model file in another form, for another place."""

import argparse
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fieldguide.commands import terminal
from fieldguide.commands.shared.options import (
    STANDARD_OUTPUT,
    add_json,
    add_reading,
    reading,
    say_refused,
    write_json,
)
from fieldguide.commands.shared.output_paths import new_export, new_folder_or
from fieldguide.errors import OptionError
from fieldguide.installation import program_command

if TYPE_CHECKING:
    from fieldguide.evaluation.checked_export import CheckedExport
    from fieldguide.evaluation.export_check import ExportCheck

NAME = "export"
HELP = "write a model file in another form, and check it on your own photos"

FORMS = ("int8", "core", "litert", "litert-float16", "litert-int8", "litert-micro", "web")
"""Names of :data:`fieldguide.modelfile.exports.conversion.FORMS`, and the folder's, named here so that
``--help`` loads no training library."""
PRECISIONS = ("auto", "int8", "float32")
SMALL = 1_000_000
"""Bytes below which sizes are told in kilobytes."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare MODEL, ``--to``, ``--out``, ``--check`` and what only ``--to web`` knows."""
    parser.add_argument("model", type=Path, metavar="MODEL", help="a model file")
    parser.add_argument("--to", required=True, choices=FORMS, help="the form (docs/export.md)")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="PATH", help="the file to write; for web, the folder"
    )
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="auto",
        help="for web: of the large weights; auto is int8 where the model has any",
    )
    parser.add_argument(
        "--runtime",
        type=Path,
        metavar="PATH",
        help="for web: the npm package onnxruntime-web, packed or not, if it is not in this folder",
    )
    parser.add_argument(
        "--gpu",
        action="store_true",
        help="for web: visitors' graphics processors answer where they do so alike and faster",
    )
    parser.add_argument(
        "--calibrate",
        type=Path,
        metavar="DATA",
        help="for int8, litert-int8 and litert-micro: photos that tell how to round between layers",
    )
    parser.add_argument(
        "--check", type=Path, metavar="DATA", help="run both files on these photos and compare the answers"
    )
    add_reading(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Write it, and say what it gained; with ``--check``, whether it answers as the model does."""
    from fieldguide.api.exporting import export

    if options.json is not None and options.check is None:
        raise OptionError("--json: holds what --check DATA found; give --check DATA or leave --json out")
    out = _out(options)
    tell = terminal.say if options.json == STANDARD_OUTPUT else terminal.show
    with terminal.progress() as progress:  # of a large network it takes a while
        done = export(
            options.model,
            to=options.to,
            out=out,
            precision=options.precision,
            runtime=options.runtime,
            gpu=options.gpu,
            calibrate=options.calibrate,
            check=options.check,
            **reading(options),
            progress=progress,
        )
    if options.to == "web":
        _say_page(done, tell)
    else:
        tell(f"{done.path}: {_size(done.bytes_after)} instead of {_size(done.bytes_before)}")
        if done.note:
            tell(done.note)
        if done.beside is not None:
            tell(f"{done.beside}: its card, for hosts that cannot read what stands in an ONNX file")
    if done.check is not None:
        return _checked(done.check, options, tell)
    if options.to != "int8":
        return 0
    against = program_command(
        f"evaluate {shlex.quote(str(done.path))} DATA --against {shlex.quote(str(options.model))}"
    )
    terminal.say(f"compare both on your photos: {against}")
    return 0


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= SMALL else f"{count / 1e3:.0f} kB"


def _out(options: argparse.Namespace) -> Path:
    """What kind of place is right depends on the form, which may stand after it."""
    kind = new_folder_or() if options.to == "web" else new_export
    try:
        out = kind(str(options.out))
    except argparse.ArgumentTypeError as error:
        raise OptionError(f"--out: {error}") from error
    ending = ".tflite" if options.to.startswith("litert") else ".onnx"
    if options.to != "web" and out.suffix != ending:
        raise OptionError(f"--out: must end in {ending} for the form {options.to}; got {out.name}")
    return out


def _say_page(done: "CheckedExport", tell: Callable[[str], None]) -> None:
    tell(f"{done.path}: a page for any host of plain files, {done.bytes_after / 1e6:.1f} MB")
    if done.note:
        tell(done.note)
    here = f"python3 -m http.server --bind 127.0.0.1 --directory {shlex.quote(str(done.path))}"
    terminal.say(f"try it: {here}  # then open http://127.0.0.1:8000")


def _checked(check: "ExportCheck", options: argparse.Namespace, tell: Callable[[str], None]) -> int:
    from fieldguide.evaluation.export_check import lines

    answer = check.as_dict()
    say_refused(answer["refused"], len(check.refused), "--json lists")
    for line in lines(check):
        tell(line)
    write_json(answer, options.json)
    return 0 if check.within and not check.refused else 1
