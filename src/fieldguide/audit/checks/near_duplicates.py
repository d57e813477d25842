"""The same photo again, re-encoded, resized or slightly cropped, within one class and split."""

from fieldguide.audit.checks.common import Evidence, Found, Item, Result, count_of, together

CODE = "FG004"
TITLE = "Near-duplicates"
SEVERITY = "tip"


def check(evidence: Evidence) -> Result:
    """Group images that look alike by class and split; what is the same file throughout is not repeated."""
    labels, digests = evidence.dataset.labels, evidence.image_facts.digests
    keys = [(int(evidence.alike[row]), labels[row], evidence.split(row)) for row in range(len(labels))]
    several = [rows for rows in together(keys) if len({digests[row] for row in rows}) > 1]
    items = tuple(Item(evidence.paths(rows), "nearly the same photo") for rows in several)
    if not items:
        return None
    images = sum(len(item.paths) for item in items)
    return Found(
        f"{count_of(images, 'image')} in {count_of(len(items), 'group')} of nearly the same photo; training "
        "keeps each group on one side of every split",
        items,
    )
