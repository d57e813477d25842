"""Tables whose images lie inside: Hugging Face's Parquet and Arrow files, read in batches with pyarrow."""

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldguide.data.embedded_images import is_image, parts_of
from fieldguide.data.forms.columns import NAMES
from fieldguide.data.forms.entries import mapping, sequence
from fieldguide.errors import DataError
from fieldguide.installation import command_for

BATCH = 16
"""Rows in memory at once; they hold photos."""
_LOOKED_AT = 20
"""Rows that tell whether images lie inside."""


@dataclass(frozen=True)
class EmbeddedTable:
    """What the schema of a table says."""

    columns: tuple[str, ...]
    """All columns."""
    image_columns: tuple[str, ...]
    """Those that hold images: an object of ``bytes`` and ``path``, or bytes alone."""
    class_names: dict[str, tuple[str, ...]]
    """Names of the classes of each column that is a ``ClassLabel``."""


def describe(file: Path) -> EmbeddedTable | None:
    """What a table of images holds, by its schema and its first rows.

    Returns
    -------
    EmbeddedTable or None
        None if it holds no images, but perhaps their paths, is no such table, or pyarrow is missing.
    """
    try:
        import pyarrow
    except ImportError:
        return None
    try:
        schema = _schema(file)
    except (pyarrow.ArrowException, OSError, ValueError):
        return None
    features = _features(schema, file)
    certain = tuple(field.name for field in schema if _holds_images(field, mapping(features.get(field.name))))
    binary = tuple(field.name for field in schema if field.name not in certain and _is_binary(field.type))
    images = _with_bytes(file, certain, binary)
    classes = {name: names for name in schema.names if (names := _class_names(features.get(name)))}
    return EmbeddedTable(tuple(schema.names), images, classes) if images else None


def _with_bytes(file: Path, certain: Sequence[str], binary: Sequence[str]) -> tuple[str, ...]:
    """Columns whose first rows hold images: bytes where the column is made for them, else what begins so."""
    if not certain and not binary:
        return ()
    try:
        first = list(itertools.islice(rows(file, (*certain, *binary)), _LOOKED_AT))
    except DataError:  # reading it says what is wrong
        return tuple(certain)
    found = {
        name: [parts[1] for row in first if (parts := parts_of(row[name]))] for name in (*certain, *binary)
    }
    made_for = [name for name in certain if not first or found[name]]
    return (*made_for, *(name for name in binary if any(map(is_image, found[name]))))


def rows(file: Path, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The rows of some columns, in order.

    Raises
    ------
    DataError
        If pyarrow is missing or the file cannot be read to its end.
    """
    try:
        import pyarrow
    except ImportError as error:
        raise DataError(
            f"{file}: images inside {file.suffix} need the package pyarrow, which is not installed; run: "
            f"{command_for('parquet')}"
        ) from error
    try:
        for batch in _batches(file, list(columns)):
            yield from batch.to_pylist()
    except (pyarrow.ArrowException, OSError, ValueError, MemoryError) as error:
        raise DataError(f"{file}: it cannot be read to its end; write it again") from error


def is_arrow(file: Path) -> bool:
    """Whether a file begins as Arrow's stream or file format does."""
    try:
        with file.open("rb") as opened:
            start = opened.read(6)
    except OSError:
        return False
    return start == b"ARROW1" or start[:4] == b"\xff\xff\xff\xff"


def _schema(file: Path) -> Any:
    import pyarrow.parquet

    if file.suffix.lower() == ".parquet":
        with pyarrow.parquet.ParquetFile(file) as opened:
            return opened.schema_arrow
    with pyarrow.memory_map(str(file)) as mapped, _arrow_reader(file, mapped) as reader:
        return reader.schema


def _arrow_reader(file: Path, mapped: Any) -> Any:
    import pyarrow.ipc

    with file.open("rb") as opened:
        is_file = opened.read(6) == b"ARROW1"
    return pyarrow.ipc.open_file(mapped) if is_file else pyarrow.ipc.open_stream(mapped)


def _batches(file: Path, columns: list[str]) -> Iterator[Any]:
    import pyarrow.parquet

    if file.suffix.lower() == ".parquet":
        with pyarrow.parquet.ParquetFile(file) as opened:
            yield from opened.iter_batches(batch_size=BATCH, columns=columns)
        return
    with pyarrow.memory_map(str(file)) as mapped, _arrow_reader(file, mapped) as reader:
        numbered = hasattr(reader, "num_record_batches")
        batches = map(reader.get_batch, range(reader.num_record_batches)) if numbered else reader
        for batch in batches:
            batch.validate(full=True)  # Arrow trusts the offsets of what is mapped
            chosen = batch.select(columns)
            for start in range(0, len(chosen), BATCH):
                yield chosen.slice(start, BATCH)


def _features(schema: Any, file: Path) -> dict[str, Any]:
    """Hugging Face's description of the columns: in the schema, else in ``dataset_info.json`` beside."""
    try:
        own = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        found = mapping(mapping(mapping(own).get("info")).get("features"))
        if not found:
            beside = json.loads((file.parent / "dataset_info.json").read_text(encoding="utf-8"))
            found = mapping(mapping(beside).get("features"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found


def _holds_images(field: Any, feature: dict[str, Any]) -> bool:
    import pyarrow

    kind = field.type
    if pyarrow.types.is_struct(kind):
        inner = {kind.field(place).name: kind.field(place).type for place in range(kind.num_fields)}
        return "bytes" in inner and _is_binary(inner["bytes"])
    called_so = feature.get("_type") == "Image" or field.name.lower() in NAMES["path"]
    return called_so and _is_binary(kind)


def _is_binary(kind: Any) -> bool:
    import pyarrow

    return bool(pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind))


def _class_names(feature: Any) -> tuple[str, ...]:
    """The names of a ``ClassLabel``, or of a list of such."""
    if isinstance(feature, list) and feature:
        return _class_names(feature[0])
    feature = mapping(feature)
    if feature.get("_type") == "ClassLabel":
        names = sequence(feature.get("names"))
        return tuple(names) if all(isinstance(name, str) for name in names) else ()
    return _class_names(feature["feature"]) if isinstance(feature.get("feature"), (dict, list)) else ()
