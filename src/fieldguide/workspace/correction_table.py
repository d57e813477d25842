"""A corrections table that grows while somebody looks through photos."""

import hashlib
import os
from collections.abc import Collection, Iterable
from pathlib import Path

from fieldguide.data.corrections import Correction, read_corrections, write_corrections
from fieldguide.workspace.extracted_archives import file_name


class CorrectionTable:
    """The corrections of one data set, kept in a folder of such tables.

    Parameters
    ----------
    folder
        Of the tables.
    data
        The data set; its path names its table.
    """

    def __init__(self, folder: Path, data: Path) -> None:
        digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:8]
        self.path: Path = folder / f"{file_name(data.name)}-{digest}.csv"

    def lines(self) -> tuple[Correction, ...]:
        """The corrections until now.

        Raises
        ------
        DataError
            If somebody changed the file so that it cannot be read.
        """
        return read_corrections(self.path) if self.path.is_file() else ()

    def put(self, lines: Iterable[Correction]) -> None:
        """Add corrections; one of the same image and label, or image and tag, takes an older one's place.

        Raises
        ------
        DataError
            If the file cannot be read.
        OutputError
            If it cannot be written.
        """
        merged = {line.about: line for line in self.lines()}
        for line in lines:
            merged.pop(line.about, None)
            merged[line.about] = line
        write_corrections(merged.values(), self.path)

    def replace(self, paths: Collection[str], lines: Iterable[Correction]) -> None:
        """Put these corrections in the place of all that there were of the given images.

        Raises
        ------
        DataError
            If the file cannot be read.
        OutputError
            If it cannot be written.
        """
        others = [line for line in self.lines() if line.path not in paths]
        write_corrections([*others, *lines], self.path)

    def clear(self) -> None:
        """Undo all; the photos were never touched."""
        self.path.unlink(missing_ok=True)
