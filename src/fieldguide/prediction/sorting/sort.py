"""Photos into one folder a label: plan, then place, then leave a table."""

import contextlib
import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from fieldguide.errors import DataError, OutputError
from fieldguide.prediction.inputs import Inputs, Item, path_of
from fieldguide.prediction.result import Prediction
from fieldguide.prediction.sorting.folder_names import REFUSED
from fieldguide.prediction.sorting.journal import Planned, SortingJournal, Unit
from fieldguide.prediction.sorting.placing import place
from fieldguide.prediction.sorting.planning import By, Planner, full_path
from fieldguide.prediction.sorting.table import SortedPhoto, place_of, write_table
from fieldguide.progress import Progress, silent

TABLE = "sorted.csv"
_UNFINISHED = ".partial"


class Classifies(Protocol):
    """What is needed of a model: which one it is, its classes, and a stream of answers in input order."""

    @property
    def digest(self) -> str:
        """Names the model."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Its labels."""

    def predict_stream(self, sources: Iterable[Item], *, top: int = 5) -> Iterator[Prediction]:
        """One answer a source, in order."""


@dataclass
class SortResult:
    """What a sorting did."""

    photos: list[SortedPhoto] = field(default_factory=list)
    """A row for each photo and each sidecar that goes with one."""
    tables: list[Path] = field(default_factory=list)
    """The tables it left; none where nothing was placed."""
    notes: list[str] = field(default_factory=list)
    """Sentences for a person."""
    refused: int = 0
    """Photos that could not be read."""
    dry_run: bool = False
    """Whether nothing was done."""

    def add(self, units: Iterable[Unit]) -> None:
        """Add photos with their sidecars."""
        for unit in units:
            self.photos.extend(unit)
            self.refused += unit[0].answer == REFUSED and unit[0].probability is None

    @property
    def counts(self) -> dict[str, int]:
        """How many rows were copied, moved and so on."""
        return dict(Counter(photo.how for photo in self.photos))

    @property
    def left(self) -> list[SortedPhoto]:
        """What stayed where it was, each with its reason."""
        return [photo for photo in self.photos if photo.how == "left"]

    def as_dict(self) -> dict[str, Any]:
        """The counts and the names of the tables."""
        return {
            "counts": self.counts,
            "tables": [os.fspath(path) for path in self.tables],
            "dry_run": self.dry_run,
        }


def sort_photos(
    predictor: Classifies,
    find: Callable[[], Inputs],
    folder: Path,
    *,
    by: By = "copy",
    dry_run: bool = False,
    progress: Progress = silent,
) -> SortResult:
    """Sort photos into `folder`, one folder a label; a run that was killed goes on when started again.

    Parameters
    ----------
    predictor
        A loaded model.
    find
        Finds the inputs.
    folder
        Made if it is missing; its parent must exist.
    by
        How photos come there.
    dry_run
        Only say what would be done; nothing is written.
    progress
        Callback for progress: inputs predicted, photos placed.

    Raises
    ------
    DataError
        If nothing is found.
    OptionError
        If photos of an archive are to be linked or moved.
    OutputError
        If `folder` cannot be written, or an unfinished run there is of another model or another `by`.
    """
    result = SortResult(dry_run=dry_run)
    unfinished = _unfinished(folder)
    try:
        inputs = find()
    except DataError:  # where all was moved before the kill, nothing is left to be found
        if unfinished is None or dry_run:
            raise
        inputs = Inputs()
    result.notes.extend(inputs.notes)
    run = _Run(predictor, folder, by, inputs, progress)
    if dry_run:
        _show_plan(run, result, unfinished)
        return result
    _make(folder)
    done = run.finish(unfinished, result) if unfinished is not None else set()
    items = [item for item in run.items(result) if path_of(item) not in done]
    if items:
        run.begin(items, result)
    return result


def _show_plan(run: "_Run", result: SortResult, unfinished: Path | None) -> None:
    if unfinished is not None:
        result.notes.append(f"{unfinished}: an earlier run is unfinished; the next real one goes on with it")
    for planned in run.plans(run.items(result)):
        result.add(planned.units)
    result.notes.extend(run.planner.notes())


@dataclass
class _Run:
    predictor: Classifies
    folder: Path
    by: By
    inputs: Inputs
    progress: Progress

    def __post_init__(self) -> None:
        self.planner = Planner(self.folder, self.by, self.predictor.classes)
        files = self.inputs.files()
        self.files = {full_path(name): file for name, file in files.items()}
        self.head = {
            "fieldguide": "sorting",
            "version": 1,
            "model": self.predictor.digest,
            "by": self.by,
        }

    def items(self, result: SortResult) -> list[Item]:
        items, notes = self.planner.sorted_out(self.inputs.items)
        result.notes.extend(notes)
        return items

    def plans(self, items: list[Item]) -> Iterator[Planned]:
        self.progress("predicting", 0, len(items))
        answers = self.predictor.predict_stream(items, top=1)
        for done, (item, prediction) in enumerate(zip(items, answers, strict=True), start=1):
            yield self.planner.plan(item, prediction)
            self.progress("predicting", done, len(items))

    def begin(self, items: list[Item], result: SortResult) -> None:
        """Plan and place."""
        table = _free_table(self.folder)
        with SortingJournal(table.with_name(table.name + _UNFINISHED)) as journal:
            kept = self._kept(journal, items)
            for planned in self.plans(items[kept:]):
                journal.plan(planned)
            journal.seal()
            result.notes.extend(self.planner.notes())
            self._carry_out(journal, table, result)

    def finish(self, path: Path, result: SortResult) -> set[str]:
        """Go on with a run that was killed; gives the inputs that it had."""
        with SortingJournal(path) as journal:
            if not journal.state.whole:
                return set()
            if journal.state.head != self.head:
                before = (journal.state.head or {}).get("by")
                raise OutputError(
                    f"{path}: a run by {before} with another model, --by or version is unfinished; finish it "
                    f"as it was begun, or undo it: fieldguide undo {path}"
                )
            result.notes.append(f"{path}: an unfinished run was continued")
            self._carry_out(journal, path.with_name(path.name.removesuffix(_UNFINISHED)), result)
            return {planned.path for planned in journal.state.planned}

    def _kept(self, journal: SortingJournal, items: list[Item]) -> int:
        """How many inputs an earlier run has planned: none was touched yet, so they are the same."""
        paths = [planned.path for planned in journal.state.planned]
        if journal.state.head != self.head or paths != [path_of(item) for item in items[: len(paths)]]:
            journal.begin(self.head)
            return 0
        for photo in itertools.chain(*journal.state.units()):
            self.planner.take(photo)
        return len(paths)

    def _carry_out(self, journal: SortingJournal, table: Path, result: SortResult) -> None:
        units = journal.state.units()
        for photo in itertools.chain(*units):
            self.planner.take(photo)
        for at, unit in enumerate(units):
            if at not in journal.state.done:
                units[at] = self._placed(journal, at, unit)
                journal.done(at, units[at])
            self.progress("sorting", at + 1, len(units))
        photos = list(itertools.chain(*units))
        if any(photo.how not in ("present", "left") for photo in photos):
            write_table(photos, table)
            result.tables.append(table)
        result.add(units)
        self.scratch.unlink(missing_ok=True)
        journal.remove()

    @property
    def scratch(self) -> Path:
        """Where a copy grows; the lock on the journal keeps other runs away from it."""
        return self.folder / f".{TABLE}.copy"

    def _placed(self, journal: SortingJournal, at: int, unit: Unit) -> Unit:
        """Place a photo and its sidecars; where its name was taken meanwhile, under another."""
        while True:
            try:
                first = self._place(unit[0])
            except FileExistsError:
                unit = self.planner.moved_on(unit, self.files.get(unit[0].source, unit[0].source))
                journal.intend(at, unit)
                continue
            if first.how == "left":
                return [first, *(photo.left("its photo was left") for photo in unit[1:])]
            return [first, *map(self._sidecar_placed, unit[1:])]

    def _sidecar_placed(self, photo: SortedPhoto) -> SortedPhoto:
        try:
            return self._place(photo)
        except FileExistsError:
            return photo.left("another file has its name there")

    def _place(self, photo: SortedPhoto) -> SortedPhoto:
        if photo.how in ("present", "left"):
            return photo
        file = self.files.get(photo.source) if photo.how == "unpack" else photo.source
        if file is None:
            return photo.left("its archive was not named again when the run went on")
        self.planner.make_folder(photo.target)
        return place(photo, file, place_of(self.folder, photo.target), self.scratch)


def _unfinished(folder: Path) -> Path | None:
    """The journal that a killed run has left."""
    with contextlib.suppress(OSError):
        found = sorted(folder.glob(f"sorted*.csv{_UNFINISHED}"))
        return found[0] if found else None
    return None


def _free_table(folder: Path) -> Path:
    stem, ending = TABLE.split(".")
    names = (f"{stem}{f'-{number}' if number > 1 else ''}.{ending}" for number in itertools.count(1))
    return next(place for place in map(folder.joinpath, names) if not os.path.lexists(place))


def _make(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror}); choose another place") from error
