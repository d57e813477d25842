"""Tags that nearly always or nearly never occur together."""

import numpy as np
from numpy.typing import NDArray

from fieldguide.audit.checks.common import Evidence, Found, Item, Result, count_of
from fieldguide.tasks.tags import PRESENT, Tags, indicators

CODE = "FG023"
TITLE = "Tags that depend on each other"
SEVERITY = "tip"
FEWEST = 20
"""Photos with a tag, or expected with two, below which nothing is said."""
ALWAYS, NEVER = 0.98, 0.02
"""Share of a tag's photos that have another too; share of the photos that are expected to have both."""
USUAL = 0.9
"""A tag on more than this share of all photos is with every other nearly always."""


def check(evidence: Evidence) -> Result:
    """Compare how often two tags occur together with how often they would by chance."""
    names, tags = evidence.classes, evidence.dataset.tags or ()
    shown = (indicators([one or Tags() for one in tags], names) == PRESENT).astype(np.float32)
    counts, both = shown.sum(0), shown.T @ shown
    expected = np.outer(counts, counts) / max(len(shown), 1)
    share = both / np.maximum(counts, 1)[:, None]
    always = (share >= ALWAYS) & (counts >= FEWEST)[:, None] & (counts <= USUAL * len(shown))
    never = (both <= NEVER * expected) & (expected >= FEWEST)
    np.fill_diagonal(always, False)
    items = [
        _always(names[one], names[other], both[one, other], counts[one]) for one, other in _places(always)
    ]
    items += [
        _never(names[one], names[other], both[one, other], expected[one, other])
        for one, other in _places(np.triu(never))
    ]
    if not items:
        return None
    return Found(
        f"{count_of(len(items), 'pair')} of tags that nearly always or nearly never occur together: a model "
        "may take one for the other, and tags that exclude each other may be one label of several values",
        tuple(items),
        count=len(items),
    )


def _places(found: NDArray[np.bool_]) -> list[tuple[int, int]]:
    rows, columns = np.nonzero(found)
    return list(zip(rows.tolist(), columns.tolist(), strict=True))


def _always(one: str, other: str, both: float, count: float) -> Item:
    return Item((), f"{one!r} is nearly always with {other!r} ({both:.0f} of {count:.0f})")


def _never(one: str, other: str, both: float, expected: float) -> Item:
    return Item((), f"{one!r} is nearly never with {other!r} ({both:.0f}, by chance {expected:.0f})")
