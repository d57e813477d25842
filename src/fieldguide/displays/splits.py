"""Photos that were dealt into splits."""

from collections.abc import Iterator

from fieldguide.data.holding_out import DealtSplits
from fieldguide.displays import dataset as whole
from fieldguide.displays import html as page

PLOTS = whole.PLOTS


def lines(dealt: DealtSplits) -> Iterator[str]:
    """How many photos of each split, and what stays together."""
    yield ", ".join(f"{count:,} {name}" for name, count in sorted(dealt.counts.items()))
    if dealt.tied:
        yield f"{dealt.tied:,} photos stay together with a near-duplicate or others of their group"
    for name, classes in dealt.lacking.items():
        if classes:
            yield f"no photo for {name} of {', '.join(map(repr, classes[:10]))}: too few separate ones"
    if dealt.refused:
        yield f"{len(dealt.refused):,} could not be used"


def html(dealt: DealtSplits) -> str:
    """The same."""
    first, *more = lines(dealt)
    return page.whole(f"Split: {first}", *(page.paragraph(line) for line in more))
