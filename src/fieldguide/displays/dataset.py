"""A data set: its classes, counts and splits, and a photo of each class."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fieldguide.data.dataset import Dataset
from fieldguide.data.scan import count_of
from fieldguide.data.split_names import SPLITS
from fieldguide.displays import html as page
from fieldguide.displays.drawing import axes_for, draw_counts, height_for

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_CLASSES = 12
MOST_PHOTOS = 8
"""Photos shown of each class, evenly from the first to the last."""
SIDE = 52
"""Longer side of these, in pixels."""


def lines(dataset: Dataset) -> Iterator[str]:
    """How many photos of what, and what to look at."""
    yield title(dataset)
    for label, *counts in _counted(dataset)[:MOST_CLASSES]:
        yield f"  {label or '(no label)'}: {', '.join(map(str, counts))}"
    more = len(_counted(dataset)) - MOST_CLASSES
    if more > 0:
        yield f"  {more} more classes"
    yield from _said(dataset)


def title(dataset: Dataset) -> str:
    """The heading."""
    classes = len(dataset.classes)
    kinds = _classes(classes) if dataset.tags is None else f"any number of {count_of(classes, 'tag')} each"
    return f"{dataset.name or dataset.root}: {count_of(len(dataset), 'image')}, {kinds}"


def html(dataset: Dataset) -> str:
    """The same with some photos of each class."""
    columns = ("class", *(_splits(dataset) or ("images",)), "")
    shown = [(row[0] or "(no label)", *row[1:], _contacts(dataset, row[0])) for row in _counted(dataset)]
    said = [page.paragraph(sentence, "warn") for sentence in _said(dataset)]
    return page.whole(title(dataset), *said, page.table(columns, shown, MOST_CLASSES))


def rows(dataset: Dataset) -> list[dict[str, Any]]:
    """A row an image."""
    columns: dict[str, Any] = {"path": dataset.paths}
    if dataset.tags is None:
        columns["label"] = dataset.labels
    else:
        columns["labels"] = [None if tags is None else list(tags.present) for tags in dataset.tags]
    columns |= {} if dataset.splits is None else {"split": dataset.splits}
    columns |= {} if dataset.groups is None else {"group": dataset.groups}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def plot_counts(dataset: Dataset, ax: "Axes | None") -> "Axes":
    """Images of each class, the most first."""
    counts = Counter(label for label, _, _ in _entries(dataset)).most_common()
    with axes_for(ax, height_for(len(counts))) as axes:
        draw_counts(axes, counts, "images")
    return axes


PLOTS = {"counts": plot_counts}


def _classes(count: int) -> str:
    return f"{count:,} class" if count == 1 else f"{count:,} classes"


def _splits(dataset: Dataset) -> tuple[str, ...]:
    return tuple(name for name in SPLITS if name in set(dataset.splits or ()))


def _counted(dataset: Dataset) -> list[tuple[str, ...]]:
    """A row a class: its name and its images, by split where there are splits."""
    splits = _splits(dataset)
    found = Counter((label, split) for label, split, _ in _entries(dataset))
    names = sorted({label for label, _ in found})
    return [(name, *(f"{found[name, split]:,}" for split in splits or ("",))) for name in names]


def _contacts(dataset: Dataset, label: str) -> page.Html:
    """Some photos of a class in a row."""
    own = [path for its, _, path in _entries(dataset) if its == label]
    step = max(1, len(own) / MOST_PHOTOS)
    chosen = [own[int(number * step)] for number in range(min(len(own), MOST_PHOTOS))]
    return page.strip(page.picture_of(path, SIDE) for path in chosen)


def _entries(dataset: Dataset) -> Iterator[tuple[str, str, str]]:
    """Label, split and path of each image, of one with tags once a tag."""
    splits = dataset.splits or ("",) * len(dataset)
    for row, (split, path) in enumerate(zip(splits, dataset.paths, strict=True)):
        tags = None if dataset.tags is None else dataset.tags[row]
        for label in (dataset.labels[row],) if tags is None else tags.present or ("(none)",):
            yield label, split, path


def _said(dataset: Dataset) -> Iterator[str]:
    if dataset.refused:
        yield f"{count_of(len(dataset.refused), 'file')} could not be used"
    for doubt in dataset.doubts:
        yield f"{'serious doubt' if doubt.grave else 'doubt'}: {doubt.message}"
