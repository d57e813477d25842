"""Hugging Face's ``imagefolder`` with a file of metadata beside the images.

https://huggingface.co/docs/datasets/image_dataset#imagefolder
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fieldguide.data.forms import table
from fieldguide.data.forms.records import Records, joined
from fieldguide.data.forms.source import DataSource
from fieldguide.data.split_names import split_of

TITLE = "Hugging Face imagefolder: metadata.csv, .jsonl or .parquet with file_name beside the images"

NAMES = frozenset({"metadata.csv", "metadata.jsonl", "metadata.parquet"})
_COLUMN = "file_name"


def recognise(source: DataSource) -> Sequence[Path]:
    """The files of metadata that have a column ``file_name``."""
    files = [file for file in source.tables() if file.name.lower() in NAMES]
    return [file for file in files if _COLUMN in map(str.strip, source.cells(file).header)]


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The rows; a folder called as a split is one."""
    parts = []
    splits = {file: _split(source, file) for file in files}
    apart = all(splits.values()) and len(set(splits.values())) > 1
    for file in files:
        part = table.read(source, [file])
        if apart:
            part.has_splits = True
            part.records = [replace(entry, split=splits[file]) for entry in part.records]
        parts.append(part)
    whole = joined(parts)
    whole.said = f"Hugging Face imagefolder: {whole.said}"
    return whole


def _split(source: DataSource, file: Path) -> str:
    first = file.relative_to(source.base).parts[0]
    return split_of(first) or ""
