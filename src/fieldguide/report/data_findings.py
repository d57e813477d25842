"""What ``fieldguide check`` found in the data, and the photos that could not be read."""

from typing import Any

from fieldguide.installation import program_command
from fieldguide.report.blocks import Block, Cell, Column, Notice, Section, TableBlock, Text
from fieldguide.report.material import CommonMaterial, plural

PATHS = 3
"""Files named for a finding; the JSON of ``check`` has them all."""
MOST = 500


def section(material: CommonMaterial) -> Section:
    """Findings, or the command that looks for them; and refused photos."""
    lead = "Faults in the data limit every model, and wrong labels make a good one look worse than it is."
    blocks: list[Block] = []
    if material.findings is None:
        text = "The data were not checked. This looks for duplicates, leaks, wrong labels and odd photos:"
        check = program_command(f"check {material.data} --json check.json")
        again = program_command(
            f"evaluate {material.model} {material.data} --findings check.json --report FILE.html"
        )
        blocks.append(Notice(text, f"{check}\n{again}"))
    else:
        blocks.append(_found(material.findings))
    if material.evaluation.refused:
        blocks.append(_refused(material))
    return Section("data", "Data findings", lead, blocks)


def findings_of(answer: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The findings of ``check --json``, in its order; what is none is left out."""
    rows = (answer or {}).get("findings")
    wanted = {"title": str, "severity": str, "count": int, "message": str, "paths": list}
    return [
        row
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict) and all(isinstance(row.get(key), kind) for key, kind in wanted.items())
    ]


def _found(answer: dict[str, Any]) -> TableBlock | Text:
    findings = findings_of(answer)
    if not findings:
        return Text("fieldguide check found nothing wrong.")
    rows: list[tuple[Cell, ...]] = [
        (
            str(finding.get("code", "")),
            finding["title"],
            finding["severity"],
            finding["count"],
            finding["message"],
            ", ".join(str(path) for path in finding["paths"][:PATHS]),
        )
        for finding in findings
    ]
    names = ("code", "finding", "kind", "count", "what it is", "first files")
    return TableBlock("findings", "Found by fieldguide check", tuple(map(Column, names)), tuple(rows))


def _refused(material: CommonMaterial) -> TableBlock:
    refused = material.evaluation.refused
    rows = tuple((refusal.path, refusal.message, refusal.code) for refusal in refused[:MOST])
    caption = (
        f"{plural(len(refused), 'file')} could not be read and "
        f"{'was' if len(refused) == 1 else 'were'} left out"
    )
    return TableBlock("refused", caption, tuple(map(Column, ("file", "why", "code"))), rows, shown=8)
