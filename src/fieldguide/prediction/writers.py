"""Predictions for any number of inputs into one file, row by row, so that a run that was killed goes on.

While a run lasts its rows stand in a journal beside the file, ``OUT.partial``: a line that names the model
and the number of classes listed, then one JSON line an input, each behind a checksum over it and the line
before. A row that is torn, damaged or moved is done again, and all behind it. Once all inputs are done the
journal is written as OUT, whole or not at all, and removed. Until then a finished OUT of an earlier run stays
as it was.
"""

import contextlib
import functools
import importlib.util
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol

from fieldguide.errors import OptionError, OutputError, Refusal
from fieldguide.files import atomic_write, lock
from fieldguide.installation import command_for
from fieldguide.prediction.inputs import Inputs, Item, path_of
from fieldguide.prediction.result import Prediction
from fieldguide.prediction.rows import WRITERS, Row, json_line
from fieldguide.prediction.store_output import local_file_for, send
from fieldguide.progress import Progress, silent
from fieldguide.storage.checksummed_files import checked_line
from fieldguide.storage.checksummed_files import line as checksummed_line
from fieldguide.storage.object_store import ObjectUrl

FIRST_REFUSED = 20
"""Refusals that a summary names; the file has them all."""


RowsWriter = Callable[[Iterable[Row], IO[bytes]], None]
"""What makes a file of rows."""


class PredictsInOrder(Protocol):
    """What is needed of a model: which one it is, and a stream of answers in input order."""

    @property
    def digest(self) -> str:
        """Names the model."""

    def predict_stream(self, sources: Iterable[Item], *, top: int = 5) -> Iterator[Prediction]:
        """One answer a source, in order."""


@dataclass
class WriteResult:
    """What a run left behind."""

    rows: int = 0
    """Rows in the file, one an input."""
    kept: int = 0
    """Of these, rows that an earlier run had done."""
    refused: int = 0
    """Of these, inputs that could not be used."""
    first_refused: list[Refusal] = field(default_factory=list)
    """The first of them, at most :data:`FIRST_REFUSED`."""
    notes: list[str] = field(default_factory=list)
    """Sentences for a person."""

    def count(self, row: Row) -> None:
        """Take note of a row."""
        self.rows += 1
        if row["error"] is not None:
            self.refused += 1
            if len(self.first_refused) < FIRST_REFUSED:
                self.first_refused.append(Refusal(row["path"] or "", **row["error"]))


def write_predictions(
    predictor: PredictsInOrder,
    inputs: Inputs,
    out: str | os.PathLike[str],
    *,
    top: int = 5,
    listed: int = 1,
    progress: Progress = silent,
) -> WriteResult:
    """Predict inputs into a file; a run that was killed goes on where it stopped when started again.

    An earlier journal counts if it is of the same model and `top`; its rows are kept as long as their paths
    are those of `inputs`, one by one from the first. What was refused stays refused.

    Parameters
    ----------
    predictor
        A loaded model.
    inputs
        From :func:`fieldguide.prediction.inputs.find_inputs`.
    out
        A file that ends in `.csv`, `.jsonl` or `.parquet`, also an object; it is replaced once all rows are
        there.
    top
        How many of the most probable classes `top` lists.
    listed
        How many of them have columns of their own in CSV and Parquet: `label_2`, `probability_2` and so on.
    progress
        Callback for progress: the inputs done.

    Raises
    ------
    OptionError
        If `out` has another ending.
    OutputError
        If the file cannot be written, another run is writing it, or OUT.partial is something else. Rows that
        were written stay for the next run.
    """
    target = out if isinstance(out, ObjectUrl) else Path(out)
    write_rows = functools.partial(writer_for(Path(target)), listed=listed)
    return write_rows_of(predictor, inputs, target, write_rows, top=top, progress=progress)


def write_rows_of(
    predictor: PredictsInOrder,
    inputs: Inputs,
    target: Path | ObjectUrl,
    write: RowsWriter,
    *,
    top: int = 5,
    progress: Progress = silent,
) -> WriteResult:
    """Predict inputs into a file that `write` makes of the rows; see :func:`write_predictions`.

    Raises
    ------
    OutputError
        As there.
    """
    with local_file_for(target) as place, _Journal(place, {"model": predictor.digest, "top": top}) as journal:
        written = journal.resume(inputs.items)
        written.kept = written.rows
        remaining = islice(inputs.items, written.kept, None)
        progress("predicting", written.rows, len(inputs))
        for prediction in predictor.predict_stream(remaining, top=top):
            row = prediction.as_row()
            journal.append(row)
            written.count(row)
            progress("predicting", written.rows, len(inputs))
        with atomic_write(place) as file:
            write(journal.rows(), file)
        send(target, place)  # killed before its end, a run sends again what the journal has
        journal.remove()
    return written


def writer_for(target: Path) -> Any:
    """What writes rows into a file of this name.

    Raises
    ------
    OptionError
        If it has another ending.
    OutputError
        If that needs a package that is not installed.
    """
    suffix = target.suffix.lower()
    if suffix not in WRITERS:
        allowed = ", ".join(WRITERS)
        raise OptionError(
            f"{target}: results are written as {allowed}; got {suffix or 'no ending'}; rename it"
        )
    if suffix == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        raise OutputError(
            f"{target}: writing .parquet needs pyarrow, which is not installed; write .csv or run: "
            f"{command_for('parquet')}"
        )
    return WRITERS[suffix]


class _Journal:
    """The file ``OUT.partial``, opened and locked for one run."""

    def __init__(self, target: Path, run: dict[str, Any]) -> None:
        self.path = target.with_name(target.name + ".partial")
        self.head = json_line({"fieldguide": "predictions", "version": 3, **run})
        self.file, self._checksum = self._open(), ""
        try:
            self._lock()
        except BaseException:
            self.file.close()
            raise

    def __enter__(self) -> "_Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):  # on a full disk, what could not be written is told already
            self.file.close()

    def resume(self, items: list[Item]) -> WriteResult:
        """Keep the rows that belong to the first inputs, cut off everything behind them."""
        written, end = WriteResult(), len(self.head)
        if not self._is_of_this_run(written):
            self.file.truncate(0)
            self.file.seek(0)
            self._write(self.head)
            return written
        for item, line in zip(items, self.file, strict=False):
            found = checked_line(line[:-1], self._checksum) if line.endswith(b"\n") else None
            row = None if found is None else _parsed(f"{found[1]}\n".encode())
            if found is None or row is None or row.get("path") != path_of(item):
                break
            written.count(row)
            self._checksum = found[0]
            end += len(line)
        self.file.truncate(end)
        self.file.seek(end)
        return written

    def append(self, row: Row) -> None:
        """Write a row so that it survives the end of this process."""
        whole = checksummed_line(json_line(row).decode("ascii").rstrip("\n"), self._checksum)
        self._write(f"{whole}\n".encode("ascii"))
        self._checksum = whole.partition(" ")[0]

    def rows(self) -> Iterator[Row]:
        """All rows from the first."""
        self.file.seek(len(self.head))
        for line in self.file:
            yield json.loads(line.partition(b" ")[2])

    def remove(self) -> None:
        """Delete the file; its rows are in OUT."""
        if os.name == "nt":  # which deletes no open file; elsewhere the lock is held to the end
            self.file.close()
        self.path.unlink(missing_ok=True)

    def _open(self) -> IO[bytes]:
        # Not through a link: in a folder that others may write to, it could lead to any file of this user.
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        try:
            return os.fdopen(os.open(self.path, flags, 0o666), "r+b")
        except OSError as error:
            raise OutputError(
                f"{self.path}: cannot be written ({error.strerror}); choose another place"
            ) from error

    def _lock(self) -> None:
        same = lock(self.file.fileno()) is not False
        with contextlib.suppress(OSError):
            same = same and os.path.samestat(self.path.stat(), os.fstat(self.file.fileno()))
        if not same:
            raise OutputError(
                f"{self.path}: another run is writing it; wait for its end or choose another file"
            )

    def _is_of_this_run(self, written: WriteResult) -> bool:
        self.file.seek(0)
        first = self.file.readline(len(self.head) + 1000)
        if first == self.head:
            return True
        row = _parsed(first)
        if (
            first
            and not self.head.startswith(first)
            and (row is None or row.get("fieldguide") != "predictions")
        ):
            raise OutputError(
                f"{self.path}: is not a journal that fieldguide wrote; move it away or choose another file"
            )
        if row is not None:
            written.notes.append(
                f"{self.path} held rows of another model, --top or version; all inputs are computed again"
            )
        return False

    def _write(self, line: bytes) -> None:
        try:
            self.file.write(line)
            self.file.flush()
        except OSError as error:
            raise OutputError(
                f"{self.path}: a row could not be written ({error.strerror}); make room and run the "
                "same command again, it continues where it stopped"
            ) from error


def _parsed(line: bytes) -> dict[str, Any] | None:
    """A whole line of a journal; None for one that was torn off by the end of a process or machine."""
    try:
        row = json.loads(line) if line.endswith(b"\n") else None
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None
