"""What was understood of DATA, in three lines for a person, before any work begins."""

from collections import Counter
from collections.abc import Sequence

from fieldguide.data.dataset import Dataset
from fieldguide.data.scan import count_of
from fieldguide.data.split_names import SPLITS
from fieldguide.tasks.tags import Tags

MOST_CLASSES = 8
"""Classes that a line names, the largest first."""


def understood(dataset: Dataset) -> tuple[str, str, str]:
    """Photos and classes; splits; how they were read and what was left out.

    Examples
    --------
    >>> from pathlib import Path
    >>> dataset = Dataset(
    ...     Path("photos"), ("a.jpg", "b.jpg", "c.jpg"), ("cat", "cat", "dog"), notes=("1 link not followed",)
    ... )
    >>> understood(dataset)[0], understood(dataset)[2]
    ('3 photos of 2 classes: cat 2, dog 1', 'notes: 1 link not followed')
    """
    return _classes(dataset), _splits(dataset), _notes(dataset)


def _classes(dataset: Dataset) -> str:
    if dataset.tags is not None:
        return _tags(dataset, [tags for tags in dataset.tags if tags is not None])
    counts = Counter(label for label in dataset.labels if label)
    named = ", ".join(f"{label} {count}" for label, count in _largest(counts)[:MOST_CLASSES])
    more = ", …" if len(counts) > MOST_CLASSES else ""
    without = dataset.labels.count("")
    unlabelled = f"; {count_of(without, 'photo')} without a label" if without else ""
    plural = "class" if len(counts) == 1 else "classes"
    return f"{count_of(len(dataset), 'photo')} of {len(counts)} {plural}: {named}{more}{unlabelled}"


def _tags(dataset: Dataset, tags: Sequence[Tags]) -> str:
    counts = Counter(name for one in tags for name in one.present)
    named = ", ".join(f"{name} {count}" for name, count in _largest(counts)[:MOST_CLASSES])
    more = ", …" if len(counts) > MOST_CLASSES else ""
    bare = sum(not one.present for one in tags)
    mean = counts.total() / max(len(tags), 1)
    none = f"; {count_of(bare, 'photo')} with none" if bare else ""
    return (
        f"{count_of(len(dataset), 'photo')} with any number of {count_of(len(counts), 'tag')}, "
        f"{mean:.1f} each: {named}{more}{none}"
    )


def _largest(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _splits(dataset: Dataset) -> str:
    if dataset.splits is None:
        return "no splits: all of them are learned from"
    counts = Counter(dataset.splits)
    named = ", ".join(f"{split} {counts[split]}" for split in SPLITS if counts[split])
    return f"splits: {named}{'; test is not opened' if counts['test'] else ''}"


def _notes(dataset: Dataset) -> str:
    refused = [f"{len(dataset.refused)} refused"] if dataset.refused else []
    said = [*refused, *dataset.notes]
    # notes tell how DATA was read as well as what of it was not
    return f"notes: {'; '.join(said)}" if said else "left out: nothing"
