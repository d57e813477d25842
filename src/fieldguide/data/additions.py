"""Photos from elsewhere join those that are learned from: corrections recorded one by one, a second folder.

They bring photos, not classes: a typing error must not become a class, and a collection may hold corrections
of several models. What DATA keeps to measure with stays out of training even if it is added.
"""

import dataclasses
import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from fieldguide.data.dataset import Dataset
from fieldguide.data.scan import count_of
from fieldguide.tasks.tags import Tags
from fieldguide.tasks.task import Task

MEASURED_ON = ("validation", "test")


def extended(dataset: Dataset, more: Dataset) -> Dataset:
    """Add photos to what is learned from; a note counts them.

    Parameters
    ----------
    dataset
        As it was opened; where it has splits, photos are added to train.
    more
        The photos, of the same task; of one with splits, those of train. One whose very file `dataset` has in
        train is not added: it gives that photo its label, or all of its tags. One whose file is in validation
        or test is left out, and so is one whose label, or any of whose tags, is none of `dataset`. Rows
        without a label, as `next` writes them, are counted and are no fault.
    """
    unlabelled = [refusal for refusal in more.refused if refusal.code == "unlabelled"]
    more = dataclasses.replace(
        more, refused=tuple(refusal for refusal in more.refused if refusal.code != "unlabelled")
    )
    if "train" in (more.splits or ()):
        more = more.select("train")
    twins = _same_files(dataset, more)
    classes, labels = frozenset(dataset.classes), list(_shown(dataset))
    new: list[int] = []
    counts: Counter[str] = Counter({"unlabelled": len(unlabelled)})
    for place, label in enumerate(_shown(more)):
        rows = twins.get(more.paths[place], [])
        if label is None:
            counts["unlabelled"] += 1
        elif not classes.issuperset(label.present if isinstance(label, Tags) else (label,)):
            counts["strange"] += 1
        elif any(dataset.splits[row] in MEASURED_ON for row in rows if dataset.splits):
            counts["measured on"] += 1
        elif rows:
            counts["changed"] += any(labels[row] != label for row in rows)
            for row in rows:
                labels[row] = label
        else:
            new.append(place)
    note = _note(len(new), counts, dataset.task)
    whole = dataclasses.replace(dataset, notes=(*dataset.notes, note), **_columns(dataset, labels))
    return _joined(whole, more.take(new))


def _shown(dataset: Dataset) -> Sequence[str | Tags | None]:
    """The label or the tags of each image; None where nobody has looked for tags."""
    return dataset.labels if dataset.tags is None else dataset.tags


def _columns(dataset: Dataset, shown: Sequence[str | Tags | None]) -> dict[str, Any]:
    """The columns that hold what images show."""
    if dataset.tags is None:
        return {"labels": tuple(shown)}
    return {"labels": ("",) * len(shown), "tags": tuple(shown)}


def additions_summary(dataset: Dataset) -> tuple[str, ...]:
    """The note that :func:`extended` left; nothing where it was not used."""
    return tuple(note for note in dataset.notes if note.startswith("added: "))


def _joined(dataset: Dataset, new: Dataset) -> Dataset:
    splits = None if dataset.splits is None else (*dataset.splits, *["train"] * len(new))
    grouped = dataset.groups is not None or new.groups is not None
    groups = (*(dataset.groups or [""] * len(dataset)), *(new.groups or [""] * len(new)))
    return dataclasses.replace(
        dataset,
        paths=(*dataset.paths, *new.paths),
        splits=splits,
        groups=groups if grouped else None,
        refused=(*dataset.refused, *new.refused),
        **_columns(dataset, (*_shown(dataset), *_shown(new))),
    )


def _note(new: int, counts: Counter[str], task: Task) -> str:
    parts, tags = [count_of(new, "image")], task is Task.MULTIPLE
    if counts["changed"]:
        what = f"tags of {counts['changed']}" if tags else count_of(counts["changed"], "label")
        parts.append(f"{what} changed of images that DATA has")
    if counts["strange"]:
        what = "that have a tag which DATA does not have" if tags else "whose label is not a class of DATA"
        parts.append(f"{counts['strange']} left out {what}")
    if counts["unlabelled"]:
        parts.append(f"{counts['unlabelled']} left out that have no {'tags' if tags else 'label'}")
    if counts["measured on"]:
        parts.append(f"{counts['measured on']} left out that DATA keeps for measuring")
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
