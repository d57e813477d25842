"""The corrections table: what `check --fix` suggests and `train --corrections` does, a line an image.

Nothing on the disk is touched by it. A line says `keep`, `relabel` or `drop`; a person may change it, and
what says `keep`, or is taken out, is undone. Of photos with tags a line is about one tag, and says `add` or
`remove` instead of `relabel`. The form stands in docs/check.md.
"""

import csv
import dataclasses
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fieldguide.data.dataset import Dataset
from fieldguide.data.scan import count_of
from fieldguide.errors import DataError, Refusal
from fieldguide.files import atomic_write
from fieldguide.plain_text import cell_of, csv_line, text_of_cell
from fieldguide.tasks.tags import Tags

ACTIONS = ("keep", "relabel", "drop")
"""`keep`: a person has looked, it is right as it is; `relabel`: take `corrected`; `drop`: leave it out."""
TAG_ACTIONS = ("keep", "add", "remove", "drop")
"""Of photos with tags; `add`: give the tag in `corrected`; `remove`: take the tag in `label` away."""
COLUMNS = ("path", "label", "corrected", "action", "reason", "code")
"""Of the table; `path`, `label` and `action` must be there to read it."""

_DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True)
class Correction:
    """One line of the table."""

    path: str
    """The image, as results show it."""
    label: str
    """The label that it has in DATA, so that a table made for other labels is noticed; of tags the one that
    is to go, else empty."""
    corrected: str
    """With `relabel`, the label to take, with `add` the tag; else empty."""
    action: str
    """One of :data:`ACTIONS`, of tags one of :data:`TAG_ACTIONS`."""
    reason: str
    """Why, for a person."""
    code: str = ""
    """Of the finding that suggested it."""

    @property
    def about(self) -> tuple[str, str]:
        """What a table has one line for: an image with a label, or an image with a tag, had or lacking."""
        return self.path, self.label or self.corrected


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


def add_corrections(corrections: Iterable[Correction], out: Path) -> tuple[int, int]:
    r"""Add corrections to a table that a person may have edited: what stands there stays as it is.

    Rows are appended in the table's own columns and with its own delimiter, so that a person's notes in other
    columns stay, too. What has a line already, by image and label, is not added.

    Returns
    -------
    tuple of int
        Lines that were there, and lines added.

    Raises
    ------
    DataError
        If the file is no table of corrections.
    OutputError
        If it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     out = Path(folder, "fix.csv")
    ...     _ = out.write_text("path;label;action;my notes\na.jpg;cat;keep;looked at it\n")
    ...     more = [Correction(name, "cat", "", "drop", "twice") for name in ("a.jpg", "b.jpg")]
    ...     add_corrections(more, out)
    ...     out.read_text().splitlines()[1:]
    (1, 1)
    ['a.jpg;cat;keep;looked at it', 'b.jpg;cat;drop;']
    """
    there = read_corrections(out)
    known = {line.about for line in there}
    new = [line for line in corrections if line.about not in known]
    content = out.read_bytes()
    text = content.decode("utf-8-sig", errors="surrogateescape")
    delimiter = _delimiter(text)
    header = [
        name.strip().lower() for name in next(csv.reader([text.split("\n", 1)[0]], delimiter=delimiter))
    ]
    if any(line.corrected for line in new) and "corrected" not in header:
        raise DataError(
            f"{out}: lacks the column corrected, which new lines need; add it, or give --force to "
            "write a new one"
        )
    with atomic_write(out) as file:
        file.write(content)
        if content and not content.endswith(b"\n"):
            file.write(b"\n")
        for line in new:
            file.write(_row_of(line, header, delimiter))
    return len(there), len(new)


def _row_of(line: Correction, header: Sequence[str], delimiter: str) -> bytes:
    cells = {name: cell_of(text) for name, text in dataclasses.asdict(line).items()}
    memory = io.StringIO(newline="")
    csv.writer(memory, delimiter=delimiter, lineterminator="\n").writerow(
        [cells.get(name, "") for name in header]
    )
    return memory.getvalue().encode("utf-8", "surrogateescape")


def read_corrections(path: Path) -> tuple[Correction, ...]:
    """Read a table, also one that a spreadsheet has saved (semicolons, tabs, byte-order mark).

    Raises
    ------
    DataError
        If it cannot be read or lacks a column.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     out = Path(folder, "corrections.csv")
    ...     write_corrections([Correction("a.jpg", "cat", "dog", "relabel", "=a dog")], out)
    ...     read_corrections(out)
    (Correction(path='a.jpg', label='cat', corrected='dog', action='relabel', reason='=a dog', code=''),)
    """
    try:
        text = path.read_bytes().decode("utf-8-sig", errors="surrogateescape")
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)))
    except OSError as error:
        raise DataError(
            f"{path}: the corrections cannot be read ({error.strerror}); check the path"
        ) from error
    except csv.Error as error:
        raise DataError(
            f"{path}: this is not valid CSV ({error}); write it again with check --fix"
        ) from error
    header = [name.strip().lower() for name in rows[0]] if rows else []
    missing = [name for name in ("path", "label", "action") if name not in header]
    if missing:
        got = ", ".join(map(repr, header)) or "nothing"
        raise DataError(
            f"{path}: the first line must name the columns path, label and action, got {got}; "
            "write it again with check --fix"
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
        the codes `unknown_path`, `other_label`, `unknown_label`, `unknown_action` and `contradiction`. No tag
        is added that no photo of DATA has.

    Examples
    --------
    >>> dataset = Dataset(Path("photos"), ("a.jpg", "b.jpg"), ("cat", "dog"))
    >>> wanted = Correction("a.jpg", "cat", "dog", "relabel", "it barks")
    >>> corrected(dataset, [wanted]).labels
    ('dog', 'dog')
    """
    if dataset.tags is not None:
        tagging = _TagWorker(dataset, dataset.tags)
        for correction in corrections:
            tagging.take(correction)
        return tagging.done()
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
            return "unknown_path", "the corrections name it, but it is not an image of DATA; delete the line"
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
                f"cannot be relabelled to {line.corrected!r}, which is not a class of DATA; correct it",
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
        corrections_summary = f"corrections: {changed} changed, {left_out} left out, {kept} kept as they are"
        whole = dataclasses.replace(
            dataset,
            labels=labels,
            refused=(*dataset.refused, *self._refused),
            notes=(*dataset.notes, corrections_summary),
        )
        return whole.take([row for row in range(len(dataset)) if row not in self._dropped])


class _TagWorker:
    """The same for photos with tags."""

    def __init__(self, dataset: Dataset, tags: Sequence[Tags | None]) -> None:
        self._dataset, self._classes = dataset, frozenset(dataset.classes)
        self._present = [set(one.present) if one else set() for one in tags]
        self._not_known = [set(one.not_known) if one else set() for one in tags]
        self._places: dict[str, list[int]] = {}
        for row, path in enumerate(dataset.paths):
            self._places.setdefault(dataset.display(path), []).append(row)
        self._changed: set[tuple[int, str]] = set()
        self._dropped: set[int] = set()
        self._kept = 0
        self._refused: list[Refusal] = []

    def take(self, line: Correction) -> None:
        """Apply one line, or refuse it."""
        wrong = self._wrong(line)
        if wrong is not None:
            self._refused.append(Refusal(line.path, *wrong))
            return
        rows = self._places[line.path]
        self._kept += len(rows) if line.action == "keep" else 0
        self._dropped.update(rows if line.action == "drop" else ())
        if line.action in ("add", "remove"):
            tag = line.corrected if line.action == "add" else line.label
            for row in rows:
                self._changed.add((row, tag))
                self._not_known[row].discard(tag)
                (self._present[row].add if line.action == "add" else self._present[row].discard)(tag)

    def _wrong(self, line: Correction) -> tuple[str, str] | None:
        """Code and sentence of what does not fit."""
        rows = self._places.get(line.path)
        if rows is None:
            return "unknown_path", "the corrections name it, but it is not an image of DATA; delete the line"
        if line.action not in TAG_ACTIONS:
            return "unknown_action", f"action must be one of {', '.join(TAG_ACTIONS)}; got {line.action!r}"
        if line.action == "add" and line.corrected not in self._classes:
            return "unknown_label", f"cannot get {line.corrected!r}, which is not a tag of DATA; correct it"
        if line.action == "add" and all(line.corrected in self._present[row] for row in rows):
            return "other_label", f"it has the tag {line.corrected!r} already"
        if line.action == "remove" and not any(self._has(row, line.label) for row in rows):
            return "other_label", f"it does not have the tag {line.label!r}, which the corrections remove"
        return None

    def _has(self, row: int, tag: str) -> bool:
        return tag in self._present[row] or tag in self._not_known[row]

    def done(self) -> Dataset:
        """The corrected data set."""
        dataset = self._dataset
        tags = tuple(map(Tags.of, self._present, self._not_known))
        looked = (one is not None for one in dataset.tags or ())
        changed = len([row for row, _ in self._changed if row not in self._dropped])
        note = (
            f"corrections: {count_of(changed, 'tag')} changed, {count_of(len(self._dropped), 'image')} left "
            f"out, {self._kept} kept as they are"
        )
        rows = {row for row, _ in self._changed}
        whole = dataclasses.replace(
            dataset,
            tags=tuple(
                one if known or row in rows else None
                for row, (one, known) in enumerate(zip(tags, looked, strict=True))
            ),
            refused=(*dataset.refused, *self._refused),
            notes=(*dataset.notes, note),
        )
        return whole.take([row for row in range(len(dataset)) if row not in self._dropped])


@dataclass(frozen=True)
class Judged:
    """Images whose labels were changed or that were left out, by corrections."""

    relabelled: frozenset[str]
    """Paths of images whose label was changed."""
    dropped: int
    """Images that were left out."""


def judged(before: Dataset, after: Dataset) -> Judged:
    """What corrections changed, for telling how a measurement would be without.

    Examples
    --------
    >>> before = Dataset(Path("photos"), ("a.jpg", "b.jpg"), ("cat", "dog"))
    >>> judged(before, corrected(before, [Correction("a.jpg", "cat", "dog", "relabel", "it barks")]))
    Judged(relabelled=frozenset({'a.jpg'}), dropped=0)
    """
    old = set(zip(before.paths, before.tags or before.labels, strict=True))
    shown: Sequence[str | Tags | None] = after.tags or after.labels
    changed = {path for path, label in zip(after.paths, shown, strict=True) if (path, label) not in old}
    return Judged(frozenset(changed), len(before) - len(after))


def corrections_summary(dataset: Dataset) -> tuple[str, ...]:
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
