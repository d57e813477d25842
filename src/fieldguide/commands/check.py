"""``fieldguide check``: what is wrong with labelled photos, before anything is learned from them."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from fieldguide import terminal
from fieldguide.commands.options import (
    STANDARD_OUTPUT,
    add_json,
    new_file,
    told_progress,
    write_json,
)

if TYPE_CHECKING:
    from fieldguide.audit import Audit
    from fieldguide.checks.common import Finding, Item

NAME = "check"
HELP = "find what is wrong with labelled photos: duplicates, leaks, label errors and more"

MOST_ITEMS, MOST_PATHS = 3, 2
"""Shown of each finding on the terminal, and of each of these; the JSON has them all."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare DATA and where findings go."""
    parser.add_argument(
        "data", type=Path, metavar="DATA", help="class folders, split folders, a table or an archive"
    )
    parser.add_argument(
        "--progress", type=new_file, metavar="FILE.jsonl", help="also write progress as JSON lines"
    )
    add_json(parser)
    parser.add_argument(
        "--report", type=new_file, metavar="FILE.html", help="also write a page to look at, one HTML file"
    )
    parser.add_argument(
        "--fix",
        type=new_file,
        metavar="FILE.csv",
        help="write a table of corrections for `train --corrections`",
    )
    parser.add_argument(
        "--corrections", type=Path, metavar="FILE", help="apply such a table first; nothing on disk changes"
    )
    parser.add_argument(
        "--backbone", metavar="B", help="pretrained network, see `fieldguide backbones` (default: as train's)"
    )
    parser.add_argument(
        "--weights", type=Path, metavar="FILE", help="local weights of the backbone: no download"
    )


def run(options: argparse.Namespace) -> int:
    """Run every check, show the findings, write what was asked for."""
    from fieldguide.audit import audit
    from fieldguide.corrections import corrected, read_corrections, write_corrections
    from fieldguide.dataset import open_dataset
    from fieldguide.files import cache_folder
    from fieldguide.recipes.common import Setting

    if options.report is not None:
        from fieldguide.page import require_jinja

        require_jinja()  # before minutes of work
    corrections = read_corrections(options.corrections) if options.corrections is not None else ()
    with (
        told_progress(options.progress) as progress,
        open_dataset(options.data, minimum_classes=1, progress=progress) as dataset,
    ):
        setting = Setting(
            backbone=options.backbone,
            weights=options.weights,
            cache=cache_folder() / "features",
            progress=progress,
        )
        if options.corrections is not None:
            dataset = corrected(dataset, corrections)
        found = audit(dataset, setting, corrections=corrections)
        if options.report is not None:  # now, while the images of an archive are still there
            from fieldguide.audit_page import write_audit_page

            name = options.data.name or str(options.data)
            write_audit_page(found, name, options.report, progress=progress)
    for note in found.notes:
        terminal.say(f"note: {note}")
    tell = terminal.say if options.json == STANDARD_OUTPUT else terminal.show
    for line in lines(found):
        tell(line)
    write_json({"data": options.data.name or str(options.data), **found.as_dict()}, options.json)
    if options.fix is not None:
        # What was corrected before stays corrected: the new table can take the old one's place.
        table = (*corrections, *found.fixes)
        write_corrections(table, options.fix)
        terminal.say(f"{options.fix}: {len(table)} corrections; look through them, then train --corrections")
    if options.report is not None:
        terminal.say(f"{options.report}: the findings as a page; open it in a browser")
    return 1 if found.issues else 0


def lines(found: "Audit") -> Iterator[str]:
    """The findings as a page of text."""
    from fieldguide.checks import CHECKS
    from fieldguide.scan import count_of

    issues = count_of(len(found.issues), "issue")
    tips = count_of(len(found.findings) - len(found.issues), "tip")
    yield f"{found.images} images, {found.classes} classes: {issues}, {tips}"
    for finding in sorted(found.findings, key=lambda finding: finding.severity != "issue"):
        yield ""
        yield from _shown(finding)
    yield ""
    if found.not_applicable:
        titles = {check.CODE: check.TITLE for check in CHECKS}
        reasons: dict[str, list[str]] = {}
        for code, reason in found.not_applicable:
            reasons.setdefault(reason, []).append(f"{code} {titles[code]}")
        for reason, checks in reasons.items():
            yield f"not looked for, since {reason}: {'; '.join(checks)}"
    fixes = len(found.fixes)
    if fixes:
        yield f"--fix FILE.csv writes {count_of(fixes, 'suggested correction')}; docs/check.md explains all"
    elif not found.findings:
        yield "nothing found"


def _shown(finding: "Finding") -> Iterator[str]:
    yield f"{finding.severity} {finding.code}  {finding.title}: {finding.count}"
    yield f"  {finding.message}"
    for item in finding.items[:MOST_ITEMS]:
        yield f"    {_item(item)}"
    if len(finding.items) > MOST_ITEMS:
        yield f"    … {len(finding.items) - MOST_ITEMS} more"


def _item(item: "Item") -> str:
    if not item.paths:
        return item.note
    more = f" and {len(item.paths) - MOST_PATHS} more" if len(item.paths) > MOST_PATHS else ""
    return f"{', '.join(item.paths[:MOST_PATHS])}{more}: {item.note}"
