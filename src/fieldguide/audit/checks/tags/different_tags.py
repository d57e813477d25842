"""The same photo with different tags."""

from collections.abc import Iterator

from fieldguide.audit.checks.common import Evidence, Found, Item, Result, count_of, named
from fieldguide.tasks.tags import Tags

CODE = "FG025"
TITLE = "The same photo with different tags"
SEVERITY = "issue"


def check(evidence: Evidence) -> Result:
    """Look for different tags among equal and nearly equal photos; what is not known differs from nothing."""
    exact = [rows for rows in evidence.copies if _differ(evidence, rows)]
    known = {row for rows in exact for row in rows}
    near = [rows for rows in _near(evidence) if _differ(evidence, rows) and not known.issuperset(rows)]
    items = (
        *(Item(evidence.paths(rows), _note(evidence, rows, "the same file")) for rows in exact),
        *(Item(evidence.paths(rows), _note(evidence, rows, "nearly the same photo")) for rows in near),
    )
    if not items:
        return None
    return Found(
        f"{count_of(len(items), 'photo')} with different tags ({len(exact)} the same file, {len(near)} "
        "nearly the same photo); the tags of one of them are wrong or incomplete",
        items,
    )


def _tags(evidence: Evidence, row: int) -> Tags:
    return (evidence.dataset.tags or ())[row] or Tags()


def _disputed(evidence: Evidence, rows: tuple[int, ...]) -> list[str]:
    """Tags that one of the photos has and another surely lacks."""
    own = [_tags(evidence, row) for row in rows]
    names = {name for one in own for name in one.present}
    return sorted(
        name for name in names if any(name not in one.present and name not in one.not_known for one in own)
    )


def _differ(evidence: Evidence, rows: tuple[int, ...]) -> bool:
    return bool(_disputed(evidence, rows))


def _near(evidence: Evidence) -> Iterator[tuple[int, ...]]:
    """Photos of equal signatures, and those of each two signatures that are alike."""
    duplicates = evidence.duplicates
    for first, rows in sorted(duplicates.members.items()):
        yield rows
        for other in duplicates.linked.get(first, ()):
            if other > first:
                yield (*rows, *duplicates.members[other])


def _note(evidence: Evidence, rows: tuple[int, ...], kind: str) -> str:
    return f"{kind}, with and without {named(_disputed(evidence, rows))}"
