"""The splits of a data set as a table beside its photos, which stay where they are."""

import os
from pathlib import Path

from fieldguide.data.dataset import Dataset
from fieldguide.data.writers.placing import PlacedPhoto
from fieldguide.data.writers.table import write_rows
from fieldguide.errors import OutputError


def write_split_table(dataset: Dataset, out: Path) -> None:
    """Write a row a photo; paths count from the table's folder, which must hold the photos.

    Raises
    ------
    OutputError
        If a photo lies elsewhere, or the table cannot be written.
    """
    folder = os.path.abspath(out.parent)  # noqa: PTH100
    rows = []
    for number, path in enumerate(dataset.paths):
        name = os.path.relpath(path, folder)
        if name.startswith(".."):
            raise OutputError(
                f"{out}: a table must lie above the photos it lists, and {path} is elsewhere; write it to "
                f"{dataset.root}, or name a folder to copy them to"
            )
        splits, groups = dataset.splits or (), dataset.groups or ()
        group = groups[number] if groups else ""
        label, shown = dataset.labels[number], name.replace(os.sep, "/")
        rows.append(PlacedPhoto(shown, label, splits[number], group, dataset.tags_at(number)))
    write_rows(rows, out)
