"""Files whose name promises another format than they hold."""

from fieldguide.audit.checks.common import Evidence, Found, Item, Result, count_of

CODE = "FG002"
TITLE = "Wrong extension"
SEVERITY = "tip"


def check(evidence: Evidence) -> Result:
    """Compare each name's ending with the first bytes."""
    items = tuple(Item((evidence.path(row),), sentence) for row, sentence in evidence.image_facts.mismatches)
    if not items:
        return None
    return Found(
        f"{count_of(len(items), 'image')} of another format than the name says; fieldguide reads them by "
        "content, other programs may not",
        items,
    )
