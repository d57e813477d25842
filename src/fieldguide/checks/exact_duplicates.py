"""The very same file more than once, within one class and split."""

from fieldguide.checks.common import Evidence, Found, Item, Result, count_of, together

CODE = "FG003"
TITLE = "Exact duplicates"
SEVERITY = "issue"


def check(evidence: Evidence) -> Result:
    """Group images by content, class and split; those in two classes or splits have findings of their own."""
    labels, digests = evidence.dataset.labels, evidence.sight.digests
    keys = [(digests[row], labels[row], evidence.split(row)) for row in range(len(labels))]
    items = tuple(_item(evidence, rows) for rows in together(keys))
    if not items:
        return None
    extra = sum(len(item.paths) - 1 for item in items)
    copies = "1 copy" if extra == 1 else f"{extra} copies"
    return Found(
        f"{copies} of {count_of(len(items), 'image')} within a class: they count more than others and bring "
        "nothing new",
        items,
    )


def _item(evidence: Evidence, rows: tuple[int, ...]) -> Item:
    first, *others = rows
    reason = f"the same file as {evidence.path(first)!r}"
    fixes = tuple(evidence.correction(row, "drop", reason) for row in others)
    return Item(evidence.paths(rows), "the same file", fixes)
