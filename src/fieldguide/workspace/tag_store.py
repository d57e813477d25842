"""Photos with tags that grow one by one, as :mod:`fieldguide.workspace.photo_store` keeps single labels.

They have a folder of their own: one table holds either labels or tags.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from fieldguide.errors import OptionError
from fieldguide.workspace.photo_store import MOST_LABEL, PhotoStore, StoredPhoto

MOST_TAGS = 1_000
"""Of a photo."""


class TagStore(PhotoStore):
    """A folder of photos with tags; its table has a list a photo, and an empty one is an answer."""

    def record_tags(
        self,
        content: bytes,
        tags: Iterable[str],
        *,
        name: str,
        said: str | None = None,
        model: str | None = None,
        batch: str | None = None,
    ) -> StoredPhoto:
        """Keep a photo with its tags, none included; the same photo again changes them.

        Parameters
        ----------
        content
            The bytes of an image file, kept as they are.
        tags
            At most :data:`MOST_TAGS`, of 1 to 1,000 characters each.
        name, said, model, batch
            As in :class:`fieldguide.workspace.photo_store.StoredPhoto`.

        Raises
        ------
        RefusedInput
            If the content is no image that can be read.
        OptionError
            If a tag is empty, too long or no text, or there are too many.
        OutputError
            If the folder cannot be written to.
        """
        chosen = sorted(set(tags))
        for tag in chosen:
            if not tag.strip() or len(tag) > MOST_LABEL or "\0" in tag:
                raise OptionError(f"tag: must be text of 1 to {MOST_LABEL:,} characters; got {tag[:40]!r}")
        if len(chosen) > MOST_TAGS:
            raise OptionError(f"tags: at most {MOST_TAGS:,} a photo; got {len(chosen):,}; choose fewer")
        return self._keep(content, json.dumps(chosen), name=name, said=said, model=model, batch=batch)

    def counts(self) -> dict[str, int]:
        """Photos of each tag, tags in the order of their first photo."""
        return dict(Counter(tag for photo in self.photos() for tag in tags_of(photo)))

    def _rows(self, photos: Sequence[StoredPhoto]) -> list[dict[str, object]]:
        rows: list[dict[str, object]] = [{"path": photo.file, "labels": tags_of(photo)} for photo in photos]
        if _batches_say_something(photos):
            for row, photo in zip(rows, photos, strict=True):
                row |= {"group": photo.batch} if photo.batch else {}
        return rows


def store_in(folder: Path, *, tags: bool) -> PhotoStore:
    """The store of a folder: of the kind that it is, else of the kind that is wanted."""
    held = holds_tags(folder)
    return TagStore(folder) if (tags if held is None else held) else PhotoStore(folder)


def holds_tags(folder: Path) -> bool | None:
    """Whether the photos of a folder have tags; None where none were recorded."""
    try:
        with PhotoStore(folder).table.open(encoding="ascii") as file:
            first = json.loads(file.readline() or "{}")
    except (OSError, ValueError):
        return None
    return "labels" in first if first else None


def _batches_say_something(photos: Sequence[StoredPhoto]) -> bool:
    """Whether every tag, and having none, has two batches; one could be held out whole or not at all."""
    batches: dict[str, set[str]] = {}
    for photo in photos:
        for tag in tags_of(photo) or [""]:
            batches.setdefault(tag, set()).add(photo.batch or photo.digest)
    return all(len(some) > 1 for some in batches.values())


def tags_of(photo: StoredPhoto) -> list[str]:
    """The tags of a photo that a :class:`TagStore` keeps.

    Examples
    --------
    >>> tags_of(StoredPhoto("ab", "photos/ab.jpg", '["dog", "sea"]', "a.jpg"))
    ['dog', 'sea']
    """
    return [str(tag) for tag in json.loads(photo.label)]
