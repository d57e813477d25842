"""The findings of an audit as one HTML page, with the photos that they are about."""

import shlex
from importlib.metadata import version
from pathlib import Path

from fieldguide.audit.checks.common import Finding, Item
from fieldguide.audit.run import Findings
from fieldguide.data.scan import count_of
from fieldguide.errors import RefusedInput
from fieldguide.images.thumbnails import thumbnail
from fieldguide.installation import program_command
from fieldguide.progress import Progress, silent
from fieldguide.report.blocks import (
    Block,
    Column,
    Facts,
    Gallery,
    Notice,
    Page,
    Section,
    Shot,
    TableBlock,
    Text,
    Tile,
    Tiles,
)
from fieldguide.report.page import write_page

SHOTS = 12
"""Photos shown of a finding; the table below them has all."""
SIDE = 160
"""Longer side of these, in pixels."""
MOST_ROWS = 5000
"""Rows of a finding's table; more would make the page slow, and the JSON has them all."""


def write_audit_page(found: Findings, data: str, out: Path, *, progress: Progress = silent) -> None:
    """Write the page.

    Parameters
    ----------
    found
        The audit; its images must still be there.
    data
        What the person calls the data.
    out
        The file.
    progress
        Callback for progress: the findings done.

    Raises
    ------
    OptionError
        If Jinja2 is not installed.
    OutputError
        If the file cannot be written.
    """
    write_page(audit_page(found, data, progress), out)


def audit_page(found: Findings, data: str, progress: Progress = silent) -> Page:
    """Make the page of :func:`write_audit_page`: a headline, a section a finding, what was not applicable."""
    kept = found.evidence.dataset
    places = {kept.display(path): path for path in kept.paths}
    ordered = sorted(found.findings, key=lambda finding: finding.severity != "issue")
    sections = [_headline(found, ordered, data)]
    for done, finding in enumerate(ordered):
        progress("report", done, len(ordered))
        sections.append(_section(finding, places))
    progress("report", len(ordered), len(ordered))
    if found.not_applicable or found.notes:
        sections.append(_rest(found))
    return Page(
        title=f"Check of {data}",
        subtitle=f"{count_of(found.images, 'image')}; classes: {found.classes}",
        sections=sections,
        closing=f"Made with fieldguide {version('fieldguide')}. This page is self-contained: it loads "
        f"nothing from "
        "other computers, and its photos are small copies without metadata.",
    )


def _headline(found: Findings, ordered: list[Finding], data: str) -> Section:
    issues = len(found.issues)
    tiles = (
        Tile("Issues", str(issues), "something is wrong"),
        Tile("Tips", str(len(ordered) - issues), "worth a look"),
        Tile("Images", f"{found.images:,}", f"{len(found.evidence.dataset):,} of them can be read"),
        Tile(
            "Suggested corrections",
            f"{len(found.fixes):,}",
            "to look through; nothing is changed automatically",
        ),
    )
    blocks: list[Block] = [Tiles(tiles)]
    if ordered:
        rows = tuple((f.code, f.severity, f.title, f.count) for f in ordered)
        columns = tuple(map(Column, ("code", "severity", "finding", "count")))
        blocks.append(TableBlock("findings", count_of(len(rows), "finding"), columns, rows, shown=len(rows)))
    if found.fixes:
        summary = (
            "All suggested corrections as a table, to be looked through and given to train --corrections:"
        )
        blocks.append(Notice(summary, program_command(f"check {shlex.quote(data)} --fix corrections.csv")))
    if not ordered:
        blocks.append(Text("Nothing was found."))
    lead = "What checking every image says about the data, before anything is learned from it."
    return Section("headline", "What was found", lead, blocks)


def _section(finding: Finding, places: dict[str, str]) -> Section:
    blocks: list[Block] = []
    shots = tuple(_shots(finding, places))
    if shots:
        blocks.append(Gallery(shots))
    rows = tuple(
        (number, path, item.note, _advice(item, path))
        for number, item in enumerate(finding.items, start=1)
        for path in (item.paths or ("",))
    )
    columns = (
        Column("number", note="images with the same number belong together"),
        Column("image"),
        Column("what"),
        Column("suggested", note="what check --fix writes"),
    )
    noun = "row" if len(rows) == 1 else "rows"
    caption = f"{len(rows):,} {noun}" + (f", the first {MOST_ROWS:,} shown" if len(rows) > MOST_ROWS else "")
    blocks.append(TableBlock(finding.code.lower(), caption, columns, rows[:MOST_ROWS], shown=10))
    blocks.append(Text(f"Why it matters and what to do: {program_command('check --explain', finding.code)}"))
    title = f"{finding.title} ({finding.severity}, {finding.code})"
    return Section(
        finding.code.lower(), title, finding.message[0].upper() + finding.message[1:] + ".", blocks
    )


def _advice(item: Item, path: str) -> str:
    fixes = [fix for fix in item.fixes if fix.path == path or not path]
    if not fixes:
        return ""
    if not path:
        return f"{fixes[0].action} {count_of(len(fixes), 'image')}"
    tag = fixes[0].label if fixes[0].action == "remove" else fixes[0].corrected
    return f"{fixes[0].action} {tag}".strip()


def _shots(finding: Finding, places: dict[str, str]) -> list[Shot]:
    """The first photos, those that belong together side by side."""
    shots: list[Shot] = []
    for item in finding.items:
        for path in item.paths:
            if path in places and len(shots) < SHOTS:
                advice = _advice(item, path)
                lines = (item.note, f"suggested: {advice}") if advice else (item.note,)
                shots.append(Shot(_small(places[path]), path, lines))
        if len(shots) >= SHOTS:
            break
    return shots


def _small(path: str) -> bytes:
    try:
        return thumbnail(path, SIDE)
    except RefusedInput:  # gone or changed since it was looked at
        return b""


def _rest(found: Findings) -> Section:
    blocks: list[Block] = []
    if found.not_applicable:
        blocks.append(Facts(found.not_applicable))
    blocks += [Text(note) for note in found.notes]
    lead = "Checks that had nothing to look at, and what else was noted while the data were read."
    return Section("rest", "Not applicable, and notes", lead, blocks)
