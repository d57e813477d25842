"""Which photos to label next."""

from collections.abc import Iterator
from typing import Any

from fieldguide.displays import html as page
from fieldguide.prediction.active_learning import Suggestions

MOST_LINES, MOST_PHOTOS = 20, 24


def lines(found: Suggestions) -> Iterator[str]:
    """A line a photo, the most useful first."""
    yield _title(found)
    for rank, photo in enumerate(found.photos[:MOST_LINES], start=1):
        yield f"  {rank}. {photo.path}: {photo.reason}"


def html(found: Suggestions) -> str:
    """The first photos with the model's guess and the reason."""
    shots = [
        page.photo(photo.path, (f"{rank}. {photo.guess}?", photo.reason, photo.path), 128)
        for rank, photo in enumerate(found.photos[:MOST_PHOTOS], start=1)
    ]
    return page.whole(_title(found), page.side_by_side(shots))


def rows(found: Suggestions) -> list[dict[str, Any]]:
    """A row a photo."""
    return [{"rank": rank, **photo.as_dict()} for rank, photo in enumerate(found.photos, start=1)]


def _title(found: Suggestions) -> str:
    return f"{len(found.photos):,} of {found.seen:,} photos to label next, the most useful first"
