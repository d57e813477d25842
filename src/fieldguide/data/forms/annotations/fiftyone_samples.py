"""FiftyOne's own data set on disk: ``samples.json``, ``metadata.json`` and ``data/``.

https://docs.voxel51.com/user_guide/export_datasets.html#fiftyonedataset: samples with ``filepath``, ``tags``
and fields of labels, each of a class (``_cls``) such as Classification or Detections.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fieldguide.data.forms.entries import (
    ImageFolders,
    add_one,
    chosen_field,
    mapping,
    objects,
    refuse,
    sequence,
    text_of,
)
from fieldguide.data.forms.records import Record, Records, joined
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import count_of
from fieldguide.data.split_names import split_of

TITLE = "FiftyOneDataset: samples.json with a field of classifications, beside data/"

_KINDS = {"Classification": None, "Classifications": "classifications", "Detections": "detections"}
"""Kinds of labels, the preferred first, and where those of several labels keep them."""
_LOOKED_AT = 20


def recognise(source: DataSource) -> Sequence[Path]:
    """The JSON files that hold samples with the path of a file."""
    return [file for file, value in source.json_files() if _is_export(value)]


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The one label of each sample."""
    return joined([_read_one(source, file) for file in files])


def _is_export(value: Any) -> bool:
    samples = sequence(value.get("samples"))[:_LOOKED_AT] if isinstance(value, dict) else []
    return any(isinstance(sample, dict) and "filepath" in sample for sample in samples)


def _read_one(source: DataSource, file: Path) -> Records:
    records = Records("", source.base)
    samples = list(objects(source.json(file)["samples"], records, file, "sample"))
    field = _field(source, file, [sample for _, sample in samples])
    splits = {number: _split(sample) for number, sample in samples}
    records.has_splits = all(splits.values()) and len(set(splits.values())) > 1
    folders = ImageFolders(source, file, (".", "data"))
    for number, sample in samples:
        path = sample.get("filepath")
        if not isinstance(path, str) or not path:
            refuse(records, file, f"sample {number}", "the sample must have a filepath")
            continue
        record = Record(number, folders.name(path), split=splits[number] if records.has_splits else "")
        add_one(records, record, _labels(sample.get(field)), f"no label in {field!r}")
    records.said = (
        f"FiftyOneDataset {file.name!r}: {count_of(len(samples), 'sample')}, {len(records.records)} with one "
        f"label in {field!r}"
    )
    return records


def _field(source: DataSource, file: Path, samples: Sequence[dict[str, Any]]) -> str:
    """The field of labels; classifications go before what holds several."""
    for kind in _KINDS:
        fields = dict.fromkeys(
            name for sample in samples for name, value in sample.items() if mapping(value).get("_cls") == kind
        )
        if fields:
            return chosen_field(fields, source, file, "field")
    return chosen_field((), source, file, "field")


def _labels(value: Any) -> list[str]:
    inner = _KINDS.get(text_of(mapping(value).get("_cls")))
    labels = sequence(value.get(inner)) if inner else [value]
    return [text_of(mapping(label).get("label")) for label in labels]


def _split(sample: dict[str, Any]) -> str:
    """The split that a tag is called as."""
    tags = {text_of(tag).lower() for tag in sequence(sample.get("tags"))}
    named = {split for tag in tags if (split := split_of(tag))}
    return named.pop() if len(named) == 1 else ""
