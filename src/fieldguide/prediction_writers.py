"""Predictions for any number of inputs into one file, row by row, so that a run that was killed goes on.

While a run lasts its rows stand in a journal beside the file, ``OUT.partial``: a line that names the model
and the number of classes listed, then one JSON line an input. Once all inputs are done the journal is written
as OUT, whole or not at all, and removed. Until then a finished OUT of an earlier run stays as it was.
"""

import contextlib
import importlib.util
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol

from fieldguide.errors import OptionError, OutputError, Refusal
from fieldguide.files import atomic_write
from fieldguide.predict_inputs import Inputs, Item, path_of
from fieldguide.prediction import Prediction
from fieldguide.prediction_rows import WRITERS, Row, json_line
from fieldguide.progress import Progress, silent

FIRST_REFUSED = 20
"""Refusals that a summary names; the file has them all."""


class AnyPredictor(Protocol):
    """What is needed of a model: which one it is, and a stream of answers in input order."""

    @property
    def digest(self) -> str:
        """Names the model."""

    def predict_stream(self, sources: Iterable[Item], *, top: int = 5) -> Iterator[Prediction]:
        """One answer a source, in order."""


@dataclass
class Written:
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
    predictor: AnyPredictor,
    inputs: Inputs,
    out: str | os.PathLike[str],
    *,
    top: int = 5,
    progress: Progress = silent,
) -> Written:
    """Predict inputs into a file; a run that was killed goes on where it stopped when started again.

    An earlier journal counts if it is of the same model and `top`; its rows are kept as long as their paths
    are those of `inputs`, one by one from the first. What was refused stays refused.

    Parameters
    ----------
    predictor
        A loaded model.
    inputs
        From :func:`fieldguide.predict_inputs.find_inputs`.
    out
        A file that ends in `.csv`, `.jsonl` or `.parquet`; it is replaced once all rows are there.
    top
        How many of the most probable classes to list.
    progress
        Told of the inputs done.

    Raises
    ------
    OptionError
        If `out` has another ending.
    OutputError
        If the file cannot be written, another run is writing it, or OUT.partial is something else. Rows that
        were written stay for the next run.
    """
    target = Path(out)
    write_rows = _writer_for(target)
    with _Journal(target, {"model": predictor.digest, "top": top}) as journal:
        written = journal.resume(inputs.items)
        written.kept = written.rows
        remaining = islice(inputs.items, written.kept, None)
        progress("predicting", written.rows, len(inputs))
        for prediction in predictor.predict_stream(remaining, top=top):
            row = prediction.as_dict()
            journal.append(row)
            written.count(row)
            progress("predicting", written.rows, len(inputs))
        with atomic_write(target) as file:
            write_rows(journal.rows(), file)
        journal.remove()
    return written


def _writer_for(target: Path) -> Any:
    suffix = target.suffix.lower()
    if suffix not in WRITERS:
        allowed = ", ".join(WRITERS)
        raise OptionError(
            f"{target}: results are written as {allowed}; got {suffix or 'no ending'}; rename it"
        )
    if suffix == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        raise OutputError(
            f"{target}: writing .parquet needs pyarrow, which is not installed; "
            'pip install "fieldguide[parquet]" or write .csv'
        )
    return WRITERS[suffix]


class _Journal:
    """The file ``OUT.partial``, opened and locked for one run."""

    def __init__(self, target: Path, run: dict[str, Any]) -> None:
        self.path = target.with_name(target.name + ".partial")
        self.head = json_line({"fieldguide": "predictions", "version": 1, **run})
        self.file = self._open()
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

    def resume(self, items: list[Item]) -> Written:
        """Keep the rows that belong to the first inputs, cut off everything behind them."""
        written, end = Written(), len(self.head)
        if not self._is_of_this_run(written):
            self.file.truncate(0)
            self.file.seek(0)
            self._write(self.head)
            return written
        for item, line in zip(items, self.file, strict=False):
            row = _parsed(line)
            if row is None or row.get("path") != path_of(item):
                break
            written.count(row)
            end += len(line)
        self.file.truncate(end)
        self.file.seek(end)
        return written

    def append(self, row: Row) -> None:
        """Write a row so that it survives the end of this process."""
        self._write(json_line(row))

    def rows(self) -> Iterator[Row]:
        """All rows from the first."""
        self.file.seek(len(self.head))
        for line in self.file:
            yield json.loads(line)

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
        try:
            import fcntl
        except ImportError:  # Windows lets nobody delete or replace a file that is open
            return
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            same = os.path.samestat(self.path.stat(), os.fstat(self.file.fileno()))
        except OSError:
            same = False
        if not same:
            raise OutputError(
                f"{self.path}: another run is writing it; wait for its end or choose another file"
            )

    def _is_of_this_run(self, written: Written) -> bool:
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
                f"{self.path}: is not a journal of fieldguide's; move it away or choose another file"
            )
        if row is not None:
            written.notes.append(f"{self.path} held rows of another model or --top; all inputs are done anew")
        return False

    def _write(self, line: bytes) -> None:
        try:
            self.file.write(line)
            self.file.flush()
        except OSError as error:
            raise OutputError(
                f"{self.path}: a row could not be written ({error.strerror}); make room and run the "
                "same again, it goes on where it stopped"
            ) from error


def _parsed(line: bytes) -> dict[str, Any] | None:
    """A whole line of a journal; None for one that was torn off by the end of a process or machine."""
    try:
        row = json.loads(line) if line.endswith(b"\n") else None
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None
