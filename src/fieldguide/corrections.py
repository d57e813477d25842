"""The corrections table: what `check --fix` suggests and `train --corrections` does, a line an image.

Nothing on the disk is touched by it. A line says `keep`, `relabel` or `drop`; a person may change it, and
what says `keep`, or is taken out, is undone. The form stands in docs/check.md.
"""

import csv
import dataclasses
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fieldguide.dataset import Dataset
from fieldguide.errors import DataError, Refusal
from fieldguide.files import atomic_write
from fieldguide.prediction_rows import cell_of, csv_line, text_of_cell
from fieldguide.scan import count_of

ACTIONS = ("keep", "relabel", "drop")
"""`keep`: a person has looked, it is right as it is; `relabel`: take `corrected`; `drop`: leave it out."""
COLUMNS = ("path", "label", "corrected", "action", "reason", "code")
"""Of the table; `path`, `label` and `action` must be there to read it."""

_DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True)
class Correction:
    """One line of the table."""

    path: str
    """The image, as results show it."""
    label: str
    """The label that it has in DATA, so that a table made for other labels is noticed."""
    corrected: str
    """With `relabel`, the label to take; else empty."""
    action: str
    """One of :data:`ACTIONS`."""
    reason: str
    """Why, for a person."""
    code: str = ""
    """Of the finding that suggested it."""


def write_corrections(corrections: Iterable[Correction], out: Path) -> None:
    """Write the table as UTF-8 CSV, every line one line, with no cell that a spreadsheet would compute.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    with atomic_write(out) as file:
        file.write(csv_line(COLUMNS))
        for correction in corrections:
            file.write(csv_line([cell_of(text) for text in dataclasses.astuple(correction)]))


def read_corrections(path: Path) -> tuple[Correction, ...]:
    """Read a table, also one that a spreadsheet has saved (semicolons, tabs, byte-order mark).

    Raises
    ------
    DataError
        If it cannot be read or lacks a column.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig", errors="surrogateescape")
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)))
    except OSError as error:
        raise DataError(
            f"{path}: the corrections cannot be read ({error.strerror}); check the path"
        ) from error
    except csv.Error as error:
        raise DataError(f"{path}: this is no CSV ({error}); write it anew with check --fix") from error
    header = [name.strip().lower() for name in rows[0]] if rows else []
    missing = [name for name in ("path", "label", "action") if name not in header]
    if missing:
        got = ", ".join(map(repr, header)) or "nothing"
        raise DataError(
            f"{path}: the first line must name the columns path, label and action, got {got}; "
            "write it anew with check --fix"
        )
    return tuple(_correction(header, row) for row in rows[1:] if any(row))


def corrected(dataset: Dataset, corrections: Sequence[Correction]) -> Dataset:
    """Apply corrections: labels changed, images left out; a note counts both.

    Parameters
    ----------
    dataset
        As it was opened.
    corrections
        Of the same DATA. A line that does not fit is not applied and stands among the refusals, with one of
        the codes `unknown_path`, `other_label`, `unknown_label`, `unknown_action` and `contradiction`.
    """
    places: dict[tuple[str, str], list[int]] = {}
    for row, (path, label) in enumerate(zip(dataset.paths, dataset.labels, strict=True)):
        places.setdefault((dataset.display(path), label), []).append(row)
    worker = _Worker(dataset, places)
    for correction in corrections:
        worker.take(correction)
    return worker.done()


class _Worker:
    """The state of going through the lines."""

    def __init__(self, dataset: Dataset, places: dict[tuple[str, str], list[int]]) -> None:
        self._dataset, self._places = dataset, places
        self._labels_of: dict[str, list[str]] = {}
        for path, label in places:
            self._labels_of.setdefault(path, []).append(label)
        self._classes = frozenset(dataset.classes)
        self._labels: dict[int, str] = {}
        self._dropped: set[int] = set()
        self._counts: Counter[str] = Counter()
        self._refused: list[Refusal] = []

    def take(self, line: Correction) -> None:
        """Apply one line, or refuse it."""
        wrong = self._wrong(line)
        if wrong is not None:
            self._refused.append(Refusal(line.path, *wrong))
            return
        for row in self._places[line.path, line.label]:
            self._counts[line.action] += 1
            if line.action == "drop":
                self._dropped.add(row)
            elif line.action == "relabel":
                self._labels[row] = line.corrected

    def _wrong(self, line: Correction) -> tuple[str, str] | None:
        """Code and sentence of what does not fit."""
        here = self._labels_of.get(line.path)
        if here is None:
            return "unknown_path", "the corrections name it, but it is no image of DATA; take the line out"
        if line.label not in here:
            got = " and ".join(map(repr, here))
            return "other_label", f"its label in DATA is {got}, the corrections say {line.label!r}"
        if line.action not in ACTIONS:
            return "unknown_action", f"action must be one of {', '.join(ACTIONS)}; got {line.action!r}"
        if line.action != "relabel":
            return None
        if line.corrected not in self._classes:
            return (
                "unknown_label",
                f"it cannot be relabelled to {line.corrected!r}, which is no class of DATA; mend the table",
            )
        rows = self._places[line.path, line.label]
        if any(self._labels.get(row, line.corrected) != line.corrected for row in rows):
            return "contradiction", f"two lines relabel it; the first is taken, not {line.corrected!r}"
        return None

    def done(self) -> Dataset:
        """The corrected data set."""
        dataset = self._dataset
        labels = tuple(self._labels.get(row, label) for row, label in enumerate(dataset.labels))
        changed = count_of(len(self._labels.keys() - self._dropped), "label")
        left_out, kept = count_of(len(self._dropped), "image"), self._counts["keep"]
        told = f"corrections: {changed} changed, {left_out} left out, {kept} kept as they are"
        whole = dataclasses.replace(
            dataset,
            labels=labels,
            refused=(*dataset.refused, *self._refused),
            notes=(*dataset.notes, told),
        )
        return whole.take([row for row in range(len(dataset)) if row not in self._dropped])


def told(dataset: Dataset) -> tuple[str, ...]:
    """The note that :func:`corrected` left, for a model's card; nothing where it was not used."""
    return tuple(note for note in dataset.notes if note.startswith("corrections: "))


def _delimiter(text: str) -> str:
    first = text.split("\n", 1)[0]
    return max(_DELIMITERS, key=first.count)


def _correction(header: Sequence[str], row: Sequence[str]) -> Correction:
    cells = dict(zip(header, row, strict=False))
    texts = {name: _text(cells.get(name, "")) for name in COLUMNS}
    return Correction(**texts | {"action": texts["action"].strip().lower()})


def _text(cell: str) -> str:
    try:
        return text_of_cell(cell)
    except ValueError:  # edited by hand: then it means what it says
        return cell
