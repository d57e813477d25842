"""Results as a folder of Parquet parts, each whole or not there, so that many processes can write them.

``manifest.json`` says what the run is: model, inputs, parts. A part holds the rows of a run of inputs: the
columns of a Parquet file of results, ``index`` for the place of the input, and ``row``, the JSON row itself,
of which :func:`merge_parts` makes the file that a run without parts writes. The folder may be a prefix of an
object store.
"""

import functools
import hashlib
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from fieldguide.errors import DataError, OutputError, RefusedInput
from fieldguide.files import atomic_write
from fieldguide.prediction.items import Item, path_of
from fieldguide.prediction.rows import Row, column_type, columns_for, flat
from fieldguide.prediction.store_output import local_file_for, send
from fieldguide.prediction.writers import writer_for
from fieldguide.progress import Progress, silent
from fieldguide.storage.object_store import ObjectUrl, list_objects, read_object, write_object

PART_ROWS = 1000
"""Inputs of a part: some minutes of work for one core, of which a killed process loses no more."""
MANIFEST = "manifest.json"
_MOST_BYTES = 2**31
_KEY = b"fieldguide"


@dataclass(frozen=True)
class Manifest:
    """What a folder of parts is of."""

    model: str
    """The digest that names the model file."""
    top: int
    listed: int
    """Classes with columns of their own in CSV and Parquet."""
    inputs: int
    names: str
    """SHA-256 over the names of all inputs, in order."""
    part_rows: int

    @property
    def parts(self) -> int:
        """How many parts there are once all is done."""
        return -(-self.inputs // self.part_rows)

    def bounds(self, number: int) -> tuple[int, int]:
        """Places of the first input of a part and of the one after its last."""
        return number * self.part_rows, min(self.inputs, (number + 1) * self.part_rows)


@dataclass(frozen=True)
class PartState:
    """What a part that is there says of itself."""

    rows: int
    refused: int


@dataclass(frozen=True)
class PartFolder:
    """A folder of this machine, or a prefix of an object store."""

    place: Path | ObjectUrl

    def begin(self, wanted: Manifest) -> None:
        """Begin a run, or go on with the same one.

        Raises
        ------
        OutputError
            If the folder holds another run's parts, or cannot be written.
        """
        if isinstance(self.place, Path):
            try:
                self.place.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise OutputError(
                    f"{self.place}: cannot be made ({error.strerror}); choose another place"
                ) from error
        found = self.manifest()
        if found is None and self.numbers():
            raise OutputError(f"{self.place}: holds parts without a {MANIFEST}; choose another folder")
        if found not in (None, wanted):
            raise OutputError(
                f"{self.place}: holds the parts of another model, other inputs or another --top; choose "
                "another folder"
            )
        if found is None:
            self.say(wanted, 0)

    def say(self, manifest: Manifest, done: int) -> None:
        """Write the manifest, with the number of parts that are done."""
        told = {
            "fieldguide": "parts",
            "version": 1,
            **asdict(manifest),
            "parts": manifest.parts,
            "done": done,
        }
        self._write(MANIFEST, json.dumps(told, indent=1).encode() + b"\n")

    def manifest(self) -> Manifest | None:
        """What the parts are of; None where there is none.

        Raises
        ------
        DataError
            If it is not one that fieldguide wrote, or cannot be read.
        """
        content = self._read(MANIFEST)
        if content is None:
            return None
        try:
            told = json.loads(content)
            if (told["fieldguide"], told["version"]) == ("parts", 1):
                return Manifest(**{name: told[name] for name in Manifest.__dataclass_fields__})
            raise ValueError("another version")
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(f"{self.place}: its {MANIFEST} is not one of fieldguide's parts") from error

    def numbers(self) -> set[int]:
        """Numbers of the parts that are there."""
        if isinstance(self.place, ObjectUrl):
            names = [listed.url.name for listed in list_objects(self.place)]
        else:
            names = os.listdir(self.place) if self.place.is_dir() else []  # noqa: PTH208
        return {number for name in names if (number := _number(name)) is not None}

    def write_part(self, number: int, first: int, rows: Sequence[Row], manifest: Manifest) -> None:
        """Write a part, whole or not at all.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        self._write(_name(number), _encoded(first, rows, manifest))

    def state(self, number: int, manifest: Manifest) -> PartState | None:
        """What a part says of itself; None where it is missing, damaged, or another run's."""
        import pyarrow.parquet

        content = self._read(_name(number))
        try:
            metadata = pyarrow.parquet.read_metadata(io.BytesIO(content or b""))
            told = json.loads(metadata.metadata[_KEY])
        except (ValueError, KeyError, TypeError, OSError):  # pyarrow's kinds are kinds of these
            return None
        first, end = manifest.bounds(number)
        if told["run"] != asdict(manifest) or metadata.num_rows != end - first:
            return None
        return PartState(metadata.num_rows, told["refused"])

    def rows(self, number: int) -> list[Row]:
        """The rows of a part.

        Raises
        ------
        DataError
            If it is missing or damaged.
        """
        import pyarrow.parquet

        content = self._read(_name(number))
        if content is None:
            raise DataError(f"{self.place}: {_name(number)} is missing; run the same command again")
        try:
            # all columns, so that the checksums of all pages are compared
            table = pyarrow.parquet.read_table(io.BytesIO(content), page_checksum_verification=True)
            return [json.loads(row) for row in table["row"].to_pylist()]
        except (ValueError, OSError) as error:
            raise DataError(
                f"{self.place}: {_name(number)} is damaged; remove it and run the same command again"
            ) from error

    def _write(self, name: str, content: bytes) -> None:
        if isinstance(self.place, ObjectUrl):
            write_object(self.place.below(name), content)
        else:
            with atomic_write(self.place / name) as file:
                file.write(content)

    def _read(self, name: str) -> bytes | None:
        try:
            if isinstance(self.place, ObjectUrl):
                return read_object(self.place.below(name), _MOST_BYTES)
            return (self.place / name).read_bytes()
        except FileNotFoundError:
            return None
        except RefusedInput as refused:
            if refused.code == "missing":
                return None
            raise DataError(f"{self.place}/{name}: cannot be read: {refused.message}") from refused
        except OSError as error:
            raise DataError(f"{self.place}/{name}: cannot be read ({error.strerror})") from error


def manifest_of(model: str, items: Sequence[Item], top: int, listed: int, part_rows: int) -> Manifest:
    """The manifest of a run."""
    names = hashlib.sha256()
    for item in items:
        names.update(path_of(item).encode("utf-8", "surrogateescape") + b"\0")
    return Manifest(model, top, listed, len(items), names.hexdigest(), part_rows)


def merge_parts(place: Path | ObjectUrl, out: Path | ObjectUrl, progress: Progress = silent) -> int:
    """Make one file of all parts, equal row by row to that of a run without parts.

    Parameters
    ----------
    place
        The folder.
    out
        A file, or an object, that ends in `.csv`, `.jsonl` or `.parquet`.
    progress
        Callback for progress: the rows written.

    Returns
    -------
    int
        How many rows it has.

    Raises
    ------
    DataError
        If `place` holds no parts, or some are missing or damaged.
    OutputError
        If the file cannot be written.
    """
    folder = PartFolder(place)
    manifest = folder.manifest()
    if manifest is None:
        raise DataError(f"{place}: must be a folder that `predict --cluster` wrote; got no {MANIFEST} in it")
    missing = sorted(set(range(manifest.parts)) - folder.numbers())
    if missing:
        raise DataError(
            f"{place}: {len(missing)} of {manifest.parts} parts are not there yet, the first is "
            f"{_name(missing[0])}; run the same predict again, it does only these"
        )
    write = functools.partial(writer_for(Path(out)), listed=manifest.listed)
    with local_file_for(out) as file_place:
        with atomic_write(file_place) as file:
            write(_all_rows(folder, manifest, progress), file)
        send(out, file_place)
    return manifest.inputs


def _all_rows(folder: PartFolder, manifest: Manifest, progress: Progress) -> Iterator[Row]:
    for number in range(manifest.parts):
        rows = folder.rows(number)
        first, end = manifest.bounds(number)
        if len(rows) != end - first:
            raise DataError(
                f"{folder.place}: {_name(number)} must hold {end - first} rows, got {len(rows)}; remove it "
                "and run the same command again"
            )
        yield from rows
        progress("merging", end, manifest.inputs)


def _encoded(first: int, rows: Iterable[Row], manifest: Manifest) -> bytes:
    """A part as the bytes of a Parquet file, with a checksum over each page."""
    import pyarrow
    import pyarrow.parquet

    rows = list(rows)
    names = columns_for(manifest.listed, tags="labels" in rows[0])
    columns = zip(*(flat(row, formulas=False, listed=manifest.listed) for row in rows), strict=True)
    arrays = [pyarrow.array(values, column_type(name)) for name, values in zip(names, columns, strict=True)]
    index = pyarrow.array(range(first, first + len(rows)), pyarrow.int64())
    exact = pyarrow.array([json.dumps(row, allow_nan=False) for row in rows], pyarrow.string())
    told = {"run": asdict(manifest), "refused": sum(row["error"] is not None for row in rows)}
    table = pyarrow.table([index, *arrays, exact], ["index", *names, "row"])
    file = io.BytesIO()
    pyarrow.parquet.write_table(
        table.replace_schema_metadata({_KEY: json.dumps(told)}), file, write_page_checksum=True
    )
    return file.getvalue()


def _name(number: int) -> str:
    return f"part-{number:06}.parquet"


def _number(name: str) -> int | None:
    digits = name.removeprefix("part-").removesuffix(".parquet")
    return int(digits) if digits.isdigit() and name == _name(int(digits)) else None
