"""The very same file more than once, within one class and split."""

from fieldguide.audit.checks.common import Evidence, Found, Item, Result, count_of, together

CODE = "FG003"
TITLE = "Exact duplicates"
SEVERITY = "issue"


def check(evidence: Evidence) -> Result:
    """Group images by content, class or tags, and split; those that differ have findings of their own."""
    dataset, digests = evidence.dataset, evidence.image_facts.digests
    shown = dataset.tags or dataset.labels
    keys = [(digests[row], shown[row], evidence.split(row)) for row in range(len(shown))]
    items = tuple(_item(evidence, rows) for rows in together(keys))
    if not items:
        return None
    extra = sum(len(item.paths) - 1 for item in items)
    copies = "1 copy" if extra == 1 else f"{extra} copies"
    where = "within a class" if dataset.tags is None else "with the same tags"
    return Found(
        f"{copies} of {count_of(len(items), 'image')} {where}: they count more than others and bring "
        "nothing new",
        items,
    )


def _item(evidence: Evidence, rows: tuple[int, ...]) -> Item:
    first, *others = rows
    reason = f"the same file as {evidence.path(first)!r}"
    fixes = tuple(evidence.correction(row, "drop", reason) for row in others)
    return Item(evidence.paths(rows), "the same file", fixes)
