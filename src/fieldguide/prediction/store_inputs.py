"""Inputs that lie in an object store: a prefix is walked, a table is fetched, an object is tried as it is.

Only the names are asked for here, as a stream; the images are fetched one by one when their turn comes.
"""

import contextlib
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from fieldguide.data.scan import is_hidden, skipped_notes, suffix_of
from fieldguide.data.tables import TABLE_SUFFIXES, TableRow, read_table
from fieldguide.errors import DataError, Refusal, RefusedInput
from fieldguide.files import scratch_folder
from fieldguide.images.decoding import IMAGE_SUFFIXES
from fieldguide.prediction.items import EmbeddedImage, Item
from fieldguide.progress import Progress, silent
from fieldguide.storage.object_store import ObjectUrl, check_url, is_object_url, list_objects, read_object

MOST_TABLE_BYTES = 4 * 2**30
_REPORT_EVERY = 1000


def inputs_in_store(
    text: str, notes: list[str], *, stack: contextlib.ExitStack | None = None, progress: Progress = silent
) -> Iterator[Item]:
    """The inputs that a URL names.

    Parameters
    ----------
    text
        A table (by its ending), an image (by its ending), or a prefix, of which objects with the usual
        endings of images are taken; one with a slash at its end always is one. There are no globs.
    notes
        Takes what there is to say of it.
    stack
        Keeps images that stand in a table until it closes; None refuses such a table.
    progress
        Callback for progress: the objects seen.

    Yields
    ------
    Item
        In the order of the table, or of the store's listing.

    Raises
    ------
    DataError
        If the store does not answer, or a table cannot be read.
    """
    url = check_url(text)
    suffix = "" if url.key.endswith("/") else suffix_of(url.name)
    if suffix in TABLE_SUFFIXES:
        yield from _in_table(url, notes, stack)
    elif suffix in IMAGE_SUFFIXES:
        yield url
    else:
        found = False
        for item in _below(url, notes, progress):
            found = True
            yield item
        if not found and suffix:
            yield url


def _below(prefix: ObjectUrl, notes: list[str], progress: Progress) -> Iterator[Item]:
    others: Counter[str] = Counter()
    hidden = seen = 0
    start = len(prefix.key.strip("/"))
    for seen, listed in enumerate(list_objects(prefix), start=1):
        if seen % _REPORT_EVERY == 0:
            progress("scan", seen, None)
        parts = listed.url.key[start:].strip("/").split("/")
        if any(map(is_hidden, parts)):
            hidden += 1
        elif suffix_of(parts[-1]) in IMAGE_SUFFIXES:
            yield listed.url
        else:
            others[suffix_of(parts[-1])] += 1
    progress("scan", seen, seen)
    notes.extend(f"{prefix}: {note}" for note in skipped_notes(others, hidden))


def _in_table(url: ObjectUrl, notes: list[str], stack: contextlib.ExitStack | None) -> Iterator[Item]:
    with scratch_folder() as folder:
        place = folder / Path(url.name).name
        try:
            place.write_bytes(read_object(url, MOST_TABLE_BYTES))
        except RefusedInput as refused:
            raise DataError(f"{url}: the table cannot be read: {refused.message}") from refused
        try:
            table = read_table(place, stack)
        except DataError as error:
            raise DataError(str(error).replace(str(place), url)) from error
    notes.extend(f"{url}: {note}" for note in table.notes)
    if table.damaged:
        notes.append(f"{url}: {len(table.damaged)} rows are not JSON objects and were skipped")
    for row in table.rows:
        if table.embedded and row.path:
            yield EmbeddedImage(f"{url}/{row.path}", os.path.join(table.root, row.path))  # noqa: PTH118
        else:
            yield _listed(url, row)


def _listed(table: ObjectUrl, row: TableRow) -> Item:
    """A row of a table; its image must lie in the bucket of the table, which is the one a person named."""
    if not row.path:
        return Refusal(f"{table}, row {row.number}", "missing", "the row names no image")
    if "://" in row.path:
        named = ObjectUrl(row.path)
        if is_object_url(row.path) and named.root == table.root:
            return named
        return Refusal(row.path, "outside", f"it lies outside of {table.root}, where the table lies; copy it")
    name = row.path.replace("\\", "/")
    if ".." in re.split("/", name) or name.startswith("/"):
        return Refusal(
            row.path, "outside", "a path counts from the table's place, without '..'; write a URL in full"
        )
    return table.beside(name.removeprefix("./"))
