"""What a sorting means to do and has done, in a file that only grows: so a run that was killed goes on.

First stands what the run is, then what is to become of each photo, then a line that says the plan is whole;
until that is on disk no photo is touched. After it comes a line for each photo that was placed. Every line
has a checksum over itself and the one before; what is torn is cut off.
"""

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from fieldguide.errors import OutputError
from fieldguide.files import lock
from fieldguide.prediction.sorting.table import SortedPhoto, as_json
from fieldguide.storage.checksummed_files import checked_line
from fieldguide.storage.checksummed_files import line as checksummed_line

_HEAD_FROM = 17
"""Where the text of a line begins, behind its checksum."""
Unit = list[SortedPhoto]
"""A photo, and behind it the sidecars that go with it."""


@dataclass
class Planned:
    """What is to become of one input."""

    path: str
    """As it was named."""
    units: list[Unit]
    """One for each folder it goes to."""


@dataclass
class State:
    """What an earlier run has noted."""

    head: dict[str, Any] | None = None
    planned: list[Planned] = field(default_factory=list)
    whole: bool = False
    """Whether the plan is; only then photos may have been touched."""
    intended: dict[int, Unit] = field(default_factory=dict)
    """Units, counted through, that were to go elsewhere than planned."""
    done: dict[int, Unit] = field(default_factory=dict)
    """Units that were placed."""

    def units(self) -> list[Unit]:
        """All, as they are or are meant to be by now."""
        planned = [unit for one in self.planned for unit in one.units]
        return [self.done.get(at, self.intended.get(at, unit)) for at, unit in enumerate(planned)]

    def take(self, entry: dict[str, Any]) -> None:
        """Take note of a line."""
        if "input" in entry:
            self.planned.append(Planned(entry["input"], [_unit(rows) for rows in entry["units"]]))
        elif "whole" in entry:
            self.whole = True
        elif "intended" in entry:
            self.intended[entry["intended"]] = _unit(entry["rows"])
        else:
            self.done[entry["done"]] = _unit(entry["rows"])


class SortingJournal:
    """The file, opened and locked for one run."""

    def __init__(self, path: Path, *, new: bool = True) -> None:
        self.path = path
        self._checksum = ""
        # Not through a link: in a folder that others may write to, it could lead to any file of this user.
        flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        try:
            self.file: BinaryIO = os.fdopen(os.open(path, flags | (os.O_CREAT if new else 0), 0o666), "r+b")
        except OSError as error:
            raise OutputError(f"{path}: cannot be opened ({error.strerror}); choose another place") from error
        try:
            self._lock()
            self.state: State = self._read()
        except BaseException:
            self.file.close()
            raise

    def __enter__(self) -> "SortingJournal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):  # on a full disk, what could not be written is told already
            self.file.close()

    def begin(self, head: dict[str, Any]) -> None:
        """Start anew; nothing of an earlier plan is kept."""
        self.file.seek(0)
        self.file.truncate(0)
        self._checksum, self.state = "", State(head=head)
        self._write(head)

    def plan(self, planned: Planned) -> None:
        """Note what is to become of an input."""
        self.state.planned.append(planned)
        units = [[as_json(photo) for photo in unit] for unit in planned.units]
        self._write({"input": planned.path, "units": units})

    def seal(self) -> None:
        """Say that the plan is whole, and have it on disk: from now on photos may be touched."""
        self._write({"whole": len(self.state.planned)})
        self.state.whole = True
        self._on_disk()

    def intend(self, at: int, unit: Unit) -> None:
        """Note on disk that a unit goes elsewhere than planned."""
        self.state.intended[at] = unit
        self._write({"intended": at, "rows": [as_json(photo) for photo in unit]})
        self._on_disk()

    def done(self, at: int, unit: Unit) -> None:
        """Note what became of a unit."""
        self.state.done[at] = unit
        self._write({"done": at, "rows": [as_json(photo) for photo in unit]})

    def remove(self) -> None:
        """Delete the file; its rows are in the table."""
        if os.name == "nt":  # which deletes no open file; elsewhere the lock is held to the end
            self.file.close()
        self.path.unlink(missing_ok=True)

    def _read(self) -> State:
        state, end = State(), 0
        for entry, length in self._entries():
            if state.head is None:
                if entry.get("fieldguide") != "sorting":
                    break
                state.head = entry
            else:
                state.take(entry)
            end += length
        self.file.seek(0, os.SEEK_END)
        if end == 0 and self.file.tell() and not self._is_torn_head():
            raise OutputError(f"{self.path}: is no journal that fieldguide wrote; move it away")
        self.file.truncate(end)
        self.file.seek(end)
        return state

    def _entries(self) -> Iterator[tuple[dict[str, Any], int]]:
        self.file.seek(0)
        for line in self.file:
            found = checked_line(line[:-1], self._checksum) if line.endswith(b"\n") else None
            if found is None:
                return
            yield json.loads(found[1]), len(line)
            self._checksum = found[0]

    def _is_torn_head(self) -> bool:
        """Whether the file ends within its first line, which a kill may leave."""
        self.file.seek(0)
        text = self.file.read(4096)
        mark = b'{"fieldguide": "sorting"'
        return b"\n" not in text and (
            len(text) < _HEAD_FROM or mark.startswith(text[_HEAD_FROM:][: len(mark)])
        )

    def _lock(self) -> None:
        same = lock(self.file.fileno()) is not False
        with contextlib.suppress(OSError):
            same = same and os.path.samestat(self.path.stat(), os.fstat(self.file.fileno()))
        if not same:
            raise OutputError(f"{self.path}: another run is at work there; wait for its end")

    def _write(self, entry: dict[str, Any]) -> None:
        whole = checksummed_line(json.dumps(entry), self._checksum)
        try:
            self.file.write(f"{whole}\n".encode("ascii"))
            self.file.flush()
        except OSError as error:
            raise OutputError(
                f"{self.path}: cannot be written ({error.strerror}); make room and run the same command "
                "again, it goes on where it stopped"
            ) from error
        self._checksum = whole.partition(" ")[0]

    def _on_disk(self) -> None:
        try:
            os.fsync(self.file.fileno())
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be written ({error.strerror}); make room") from error


def _unit(rows: list[dict[str, Any]]) -> Unit:
    return [SortedPhoto(**row) for row in rows]
