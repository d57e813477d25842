"""Hugging Face's Parquet and Arrow files with images inside, as on the Hub and of ``save_to_disk``.

https://huggingface.co/docs/datasets/image_dataset: an image is an object of ``bytes`` and ``path``; the
schema's metadata names the classes of a ``ClassLabel``; splits stand in the names of files or folders.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fieldguide.data.embedded_images import ImageFolder, parts_of
from fieldguide.data.forms.columns import NAMES, sample_text
from fieldguide.data.forms.embedded import EmbeddedTable, describe, is_arrow, rows
from fieldguide.data.forms.entries import SEVERAL, chosen_field, mapping, split_in
from fieldguide.data.forms.label_names import named
from fieldguide.data.forms.records import Record, Records, joined
from fieldguide.data.forms.source import DataSource
from fieldguide.data.forms.tagging import TagCells
from fieldguide.data.scan import count_of
from fieldguide.errors import DataError, Refusal, RefusedInput
from fieldguide.images.formats import identify
from fieldguide.tasks.task import Task

TITLE = "Hugging Face: Parquet or Arrow files with images inside, one or several a split"

_UNLABELLED = -1
"""What Hugging Face writes where a label is kept back."""


@dataclass(frozen=True)
class _Roles:
    """Which column holds what; empty where none does."""

    image: str
    label: str
    split: str
    group: str


def recognise(source: DataSource) -> Sequence[Path]:
    """The Parquet and Arrow files that hold images."""
    files = source.files(".parquet", ".arrow")
    return [file for file in files if describe(file) is not None or _needs_pyarrow(file)]


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The images, written under their own names into a temporary folder, with their labels."""
    splits = {file: _split(source, file) for file in files}
    apart = all(splits.values()) and len(set(splits.values())) > 1
    whole = joined([_read_one(source, file, splits[file] if apart else "") for file in files])
    names, listed = named(
        (record.label for record in whole.records), (*(file.parent for file in files), source.base)
    )
    if names:
        whole.records = [replace(one, label=names.get(one.label, one.label)) for one in whole.records]
        whole.notes.append(f"numbers got their names from {Path(listed).name!r}")
    return whole


def _needs_pyarrow(file: Path) -> bool:
    """Whether only the missing package hides what an Arrow file holds; reading it then says so."""
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        return is_arrow(file)
    return False


def _split(source: DataSource, file: Path) -> str:
    """``train-00000-of-00002.parquet``, ``train/0000.parquet`` or ``train/data-00000-of-00001.arrow``."""
    folders = file.relative_to(source.base).parts[:-1] if source.file is None else ()
    return next((split for name in (file.stem, *reversed(folders)) if (split := split_in(name))), "")


def _roles(source: DataSource, file: Path, table: EmbeddedTable) -> _Roles:
    """The columns that a person named, else those that are called as the field calls them."""
    wanted = source.options.columns
    for what, name in wanted.items():
        if name is not None and name not in table.columns:
            got = ", ".join(map(repr, table.columns[:12]))
            raise DataError(
                f"{file}: --{what}-column must be one of its columns, which are {got}; got {name!r}"
            )
    usual = {
        what: next((name for name in names if name in table.columns and name not in table.image_columns), "")
        for what, names in NAMES.items()
    }
    preferred = [name for name in ("image", "img") if name in table.image_columns]
    image = wanted["path"] or (preferred or table.image_columns)[0]
    if table.class_names and wanted["label"] is None:
        label = chosen_field(table.class_names, source, file, "column")
    else:
        label = wanted["label"] or usual["label"]
    split = wanted["split"] or ("split" if "split" in table.columns else "")
    return _Roles(image, label, split, wanted["group"] or usual["group"])


def _read_one(source: DataSource, file: Path, split: str) -> Records:
    table = describe(file)
    if table is None:
        next(rows(file, ()), None)  # says that pyarrow is missing
        raise DataError(f"{file}: it must hold a column of images, got none; write it again")
    roles = _roles(source, file, table)
    classes = table.class_names.get(roles.label, ())
    records = Records("", source.scratch, has_labels=bool(roles.label), classes=classes)
    records.has_splits, records.has_groups = bool(split or roles.split), bool(roles.group)
    images, tagged = source.images_of(file), _is_tagged(source, file, roles)
    records.task = Task.MULTIPLE if tagged else Task.SINGLE
    wanted = tuple(
        dict.fromkeys(name for name in (roles.image, roles.label, roles.split, roles.group) if name)
    )
    count = 0
    for count, row in enumerate(rows(file, wanted), start=1):
        part, group = split or sample_text(row.get(roles.split)), sample_text(row.get(roles.group))
        record, cell = Record(count, str(file), "", part, group), row.get(roles.label)
        if tagged:
            tags = TagCells(None, True, classes).read(cell if isinstance(cell, list) else [cell], str(file))
            _keep(source, records, images, row.get(roles.image), replace(record, tags=tags))
            continue
        label = _label(cell, classes)
        if isinstance(label, Refusal):
            records.refused.append(replace(label, path=f"{file}, row {count}"))
        elif label is None:
            records.left_out[SEVERAL] += 1
        else:
            _keep(source, records, images, row.get(roles.image), replace(record, label=label))
    records.said = (
        f"{'Parquet' if file.suffix == '.parquet' else 'Arrow'} file {source.name_in(file, file.name)!r}: "
        f"{count_of(count, 'row')}, images in {roles.image!r}, labels in {roles.label or None!r}"
    )
    return records


def _is_tagged(source: DataSource, file: Path, roles: _Roles) -> bool:
    """Whether labels are lists of which some hold none or several, or the person wants tags."""
    if source.options.task is not None or not roles.label:
        return source.options.task is Task.MULTIPLE
    cells = (row.get(roles.label) for row in rows(file, (roles.label,)))
    return any(isinstance(cell, list) and len(cell) > 1 for cell in cells)


def _label(value: Any, classes: Sequence[str]) -> str | Refusal | None:
    """A cell as its class; None where a list holds several, a refusal where a number names none."""
    if isinstance(value, list):
        if len(value) > 1:
            return None
        value = value[0] if value else None
    if value is None or (classes and value == _UNLABELLED):
        return ""
    if classes and isinstance(value, int):
        if not 0 <= value < len(classes):
            return Refusal(
                "", "damaged_row", f"the label must be the number of one of {len(classes)}, got {value}"
            )
        return classes[value]
    return sample_text(value)


def _keep(source: DataSource, records: Records, images: ImageFolder, cell: Any, record: Record) -> None:
    """Write a row's image; `record` has the table's file as its name."""
    name, content = parts_of(cell) or (cell if isinstance(cell, str) else mapping(cell).get("path"), b"")
    row = f"{record.name}, row {record.number}"
    if not content:
        found = source.index.find(name) if isinstance(name, str) and "\0" not in name else None
        if not found:
            records.refused.append(
                Refusal(row, "missing", "the row holds no image, and no file has its name")
            )
            return
        content = Path(found).read_bytes()
    try:
        identify(content)
    except RefusedInput as refused:
        records.refused.append(Refusal(row, refused.code, refused.message))
        return
    written = images.add(record.number, name, content)
    records.records.append(replace(record, name=os.path.join(images.folder.name, written)))  # noqa: PTH118
