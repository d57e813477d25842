"""What a check of data found."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fieldguide.audit.checks import CHECKS
from fieldguide.audit.checks.common import Finding, Item
from fieldguide.audit.run import Findings
from fieldguide.data.scan import count_of
from fieldguide.displays import html as page
from fieldguide.displays.drawing import axes_for, draw_counts, height_for
from fieldguide.installation import program_command

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_SHOWN, MOST_PHOTOS = 8, 6
"""Findings with photos in a notebook, and photos of each."""
MOST_ITEMS, MOST_PATHS = 3, 2
"""Shown of each finding, and of each of these; the JSON has them all."""


def lines(found: Findings) -> Iterator[str]:
    """The findings as a page of text."""
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
        yield f"--fix FILE.csv writes {count_of(fixes, 'suggested correction')}"
    if found.findings:
        example = program_command("check --explain", found.findings[0].code)
        yield f"what a finding means, and what to do: {example}"
    else:
        yield "nothing found"


def _shown(finding: Finding) -> Iterator[str]:
    yield f"{finding.severity} {finding.code}  {finding.title}: {finding.count}"
    yield f"  {finding.message}"
    for item in finding.items[:MOST_ITEMS]:
        yield f"    {_item(item)}"
    if len(finding.items) > MOST_ITEMS:
        yield f"    … {len(finding.items) - MOST_ITEMS} more"


def _item(item: Item) -> str:
    if not item.paths:
        return item.note
    more = f" and {len(item.paths) - MOST_PATHS} more" if len(item.paths) > MOST_PATHS else ""
    return f"{', '.join(item.paths[:MOST_PATHS])}{more}: {item.note}"


def html(found: Findings) -> str:
    """The findings with a few of the photos that each is about."""
    kept = found.evidence.dataset
    places = {kept.display(path): path for path in kept.paths}
    ordered = sorted(found.findings, key=lambda finding: finding.severity != "issue")
    heading, *_ = lines(found)
    rows = [(one.severity, one.code, one.title, one.count) for one in ordered]
    parts = [page.table(("", "code", "finding", "count"), rows, len(rows))] if rows else []
    for finding in ordered[:MOST_SHOWN]:
        shown = [path for path in finding.paths if path in places][:MOST_PHOTOS]
        parts.append(page.paragraph(f"{finding.code} {finding.title}: {finding.message}"))
        parts.append(page.side_by_side(page.photo(places[path], (path,)) for path in shown))
    if not ordered:
        parts.append(page.paragraph("nothing found"))
    return page.whole(f"Check of {found.data or 'data'}: {heading}", *parts)


def rows(found: Findings) -> list[dict[str, Any]]:
    """A row an image of a finding; what has the same item belongs together."""
    return [
        {
            "code": finding.code,
            "severity": finding.severity,
            "title": finding.title,
            "item": number,
            "path": path,
            "note": item.note,
        }
        for finding in found.findings
        for number, item in enumerate(finding.items, start=1)
        for path in (item.paths or (None,))
    ]


def plot_counts(found: Findings, ax: "Axes | None") -> "Axes":
    """How many each finding concerns."""
    rows = [(f"{one.code} {one.title}", float(one.count)) for one in found.findings]
    with axes_for(ax, height_for(len(rows))) as axes:
        draw_counts(axes, rows, "images, or classes where it is about classes")
    return axes


PLOTS = {"counts": plot_counts}
