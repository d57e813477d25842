"""Photos from elsewhere join those that are learned from: corrections recorded one by one, a second folder.

They bring photos, not classes: a typing error must not become a class, and a collection may hold corrections
of several models. What DATA keeps to measure with stays out of training even if it is added.
"""

import dataclasses
import hashlib
import os
from collections import Counter
from collections.abc import Iterable

from fieldguide.dataset import Dataset
from fieldguide.scan import count_of

MEASURED_ON = ("validation", "test")


def extended(dataset: Dataset, more: Dataset) -> Dataset:
    """Add photos to what is learned from; a note counts them.

    Parameters
    ----------
    dataset
        As it was opened; where it has splits, photos are added to train.
    more
        The photos; of one with splits, those of train. One whose very file `dataset` has in train is not
        added: it gives that photo its label. One whose file is in validation or test is left out, and so is
        one whose label is no class of `dataset`.
    """
    if "train" in (more.splits or ()):
        more = more.select("train")
    twins = _same_files(dataset, more)
    classes, labels = frozenset(dataset.classes), list(dataset.labels)
    new: list[int] = []
    counts: Counter[str] = Counter()
    for place, label in enumerate(more.labels):
        rows = twins.get(more.paths[place], [])
        if label not in classes:
            counts["strange"] += 1
        elif any(dataset.splits[row] in MEASURED_ON for row in rows if dataset.splits):
            counts["measured on"] += 1
        elif rows:
            counts["changed"] += any(labels[row] != label for row in rows)
            for row in rows:
                labels[row] = label
        else:
            new.append(place)
    whole = dataclasses.replace(
        dataset, labels=tuple(labels), notes=(*dataset.notes, _note(len(new), counts))
    )
    return _joined(whole, more.take(new))


def told(dataset: Dataset) -> tuple[str, ...]:
    """The note that :func:`extended` left; nothing where it was not used."""
    return tuple(note for note in dataset.notes if note.startswith("added: "))


def _joined(dataset: Dataset, new: Dataset) -> Dataset:
    splits = None if dataset.splits is None else (*dataset.splits, *["train"] * len(new))
    grouped = dataset.groups is not None or new.groups is not None
    groups = (*(dataset.groups or [""] * len(dataset)), *(new.groups or [""] * len(new)))
    return dataclasses.replace(
        dataset,
        paths=(*dataset.paths, *new.paths),
        labels=(*dataset.labels, *new.labels),
        splits=splits,
        groups=groups if grouped else None,
        refused=(*dataset.refused, *new.refused),
    )


def _note(new: int, counts: Counter[str]) -> str:
    parts = [count_of(new, "image")]
    if counts["changed"]:
        parts.append(f"{count_of(counts['changed'], 'label')} changed of images that DATA has")
    if counts["strange"]:
        parts.append(f"{counts['strange']} left out whose label is no class of DATA")
    if counts["measured on"]:
        parts.append(f"{counts['measured on']} left out that DATA keeps to measure with")
    return "added: " + ", ".join(parts)


def _same_files(dataset: Dataset, more: Dataset) -> dict[str, list[int]]:
    """Path in `more` → rows of `dataset` whose files have the same bytes."""
    sizes = {path: _size(path) for path in more.paths}
    wanted = set(sizes.values()) - {None}
    rows = [row for row, path in enumerate(dataset.paths) if _size(path) in wanted]
    by_digest: dict[str, list[int]] = {}
    for row in rows:
        by_digest.setdefault(_digest(dataset.paths[row]), []).append(row)
    met = {_size(dataset.paths[row]) for row in rows}
    alike: Iterable[str] = (path for path, size in sizes.items() if size in met)
    return {path: by_digest.get(_digest(path), []) for path in alike}


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - a name need not be Unicode
    except OSError:  # gone; training refuses it by name
        return None


def _digest(path: str) -> str:
    """Of the bytes; of a file that cannot be read, nothing that another one has."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return path
