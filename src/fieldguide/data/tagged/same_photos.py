"""The same photo in several class folders: as tags, one photo with the names of all its folders."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fieldguide.tasks.tags import Tags

_BLOCK = 1 << 20


@dataclass(frozen=True)
class JoinedPhotos:
    """Photos of which each lies in one folder or several."""

    rows: tuple[int, ...]
    """The first of each."""
    tags: tuple[Tags | None, ...]
    """The names of its folders; None where it lies in none."""
    several: int
    """Photos that lie in several."""


def joined_photos(
    paths: Sequence[str], labels: Sequence[str], splits: Sequence[str] | None = None
) -> JoinedPhotos:
    """Join files of the same content, within a split; only files of the same size are read.

    Parameters
    ----------
    paths, labels
        Of each file; an empty label is none.
    splits
        Of each file, where there are splits.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = [os.path.join(folder, name) for name in ("a.jpg", "b.jpg", "c.jpg")]
    ...     contents = (b"sea", b"sea", b"dog")
    ...     written = [Path(file).write_bytes(content) for file, content in zip(files, contents)]
    ...     found = joined_photos(files, ["beach", "dusk", "dusk"])
    >>> found.rows, [tags.present for tags in found.tags]
    ((0, 2), [('beach', 'dusk'), ('dusk',)])
    """
    names: dict[int, set[str]] = {}
    for same in _same(paths, splits):
        names[same[0]] = {labels[row] for row in same} - {""}
    rows = tuple(sorted(names))
    tags = tuple(Tags.of(names[row]) if names[row] else None for row in rows)
    return JoinedPhotos(rows, tags, sum(len(found) > 1 for found in names.values()))


def _same(paths: Sequence[str], splits: Sequence[str] | None) -> Iterator[list[int]]:
    """Rows of the same content, growing."""
    by_size: defaultdict[tuple[int, str], list[int]] = defaultdict(list)
    for row, path in enumerate(paths):
        by_size[_size(path), splits[row] if splits else ""].append(row)
    for rows in by_size.values():
        by_content: defaultdict[bytes, list[int]] = defaultdict(list)
        for row in rows:
            by_content[_digest(paths[row]) if len(rows) > 1 else b""].append(row)
        yield from by_content.values()


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:  # reading it will refuse it
        return -1


def _digest(path: str) -> bytes:
    found = hashlib.sha256()
    try:
        with Path(path).open("rb") as file:
            while block := file.read(_BLOCK):
                found.update(block)
    except OSError:
        return os.fsencode(path)
    return found.digest()
