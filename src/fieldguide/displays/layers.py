"""A network's layers: what each gives, what it learns, and what an image costs in it."""

from collections.abc import Iterator
from typing import Any

from fieldguide.displays import html as page
from fieldguide.recipes.cnn.layer_rows import LayerTable

COLUMNS = ("layer", "kind", "output", "parameters", "multiply-adds")


def lines(table: LayerTable) -> Iterator[str]:
    """The table in columns, and its sums."""
    cells = [COLUMNS, *_cells(table)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(COLUMNS))]
    for row in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    yield total(table)


def total(table: LayerTable) -> str:
    """The sums in a sentence."""
    return (
        f"{table.parameters:,} parameters, {table.multiply_adds:,} multiply-adds for one image of "
        f"{table.size} × {table.size} pixels, {table.features:,} features"
    )


def html(table: LayerTable) -> str:
    """The same; as many rows as there are layers."""
    shown = page.table(COLUMNS, _cells(table), len(table.rows))
    return page.whole(table.architecture, page.paragraph(total(table)), shown)


def rows(table: LayerTable) -> list[dict[str, Any]]:
    """A row a layer."""
    found: list[dict[str, Any]] = table.as_dict()["rows"]
    return found


def _cells(table: LayerTable) -> list[tuple[str, ...]]:
    return [
        (
            row.name,
            row.kind,
            " × ".join(map(str, row.output or ())),
            f"{row.parameters:,}",
            f"{row.multiply_adds:,}",
        )
        for row in table.rows
    ]
