"""The trials of a search in a file that only grows, each line with a checksum that holds the one before too.

Optuna writes an operation a line and reads them all to know its state. What a kill tears off, or a damaged
disk changes, ends the file there: the operations before are kept, the trials behind are tried again.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from optuna.storages.journal import BaseJournalBackend

from fieldguide.errors import OutputError
from fieldguide.files import lock
from fieldguide.storage import checksummed_files

SUFFIX = ".search"


class SearchLog(BaseJournalBackend):
    """Operations of one search, kept for the next run; one process at a time.

    Parameters
    ----------
    path
        A file that may exist already.

    Raises
    ------
    OutputError
        If it cannot be written, or another search is using it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = self._open()
        content = self._file.read()
        kept = list(checksummed_files.lines(content))
        self._operations: list[dict[str, Any]] = [json.loads(text) for _, text in kept]
        self._before = kept[-1][0] if kept else ""
        self._end = sum(len(f"{checksum} {text}\n".encode()) for checksum, text in kept)
        if b"\n" in content[self._end :]:  # a line that is only torn off is what a kill leaves
            checksummed_files.say_damaged(path, "trials from there on")

    def read_logs(self, log_number_from: int) -> Iterable[dict[str, Any]]:
        """The operations from one on, as Optuna asks for them."""
        return self._operations[log_number_from:]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Write operations so that they survive the end of this process.

        Raises
        ------
        OutputError
            If the disk has no room for them.
        """
        for operation in logs:
            text = json.dumps(operation)
            line = checksummed_files.line(text, self._before)
            try:
                self._file.seek(self._end)  # behind it may lie what an interrupt or a kill left half written
                self._file.truncate()
                self._file.write(line.encode() + b"\n")
                self._file.flush()
            except OSError as error:
                raise OutputError(
                    f"{self._path}: a trial could not be kept ({error.strerror}); make room"
                ) from error
            self._before, self._end = line.partition(" ")[0], self._file.tell()
            self._operations.append(json.loads(text))

    def close(self) -> None:
        """Let another process use the file."""
        self._file.close()

    def _open(self) -> IO[bytes]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.touch()
            file = self._path.open("r+b")
        except OSError as error:
            raise OutputError(
                f"{self._path}: the search cannot be kept ({error.strerror}); make room, or set another "
                "FIELDGUIDE_CACHE"
            ) from error
        if lock(file.fileno()) is False:
            file.close()
            raise OutputError(
                f"{self._path}: another search of the same images and options is running; wait for its end"
            )
        return file
