"""A sorting undone by the table it left: moved photos go back, copies go where the original is there.

Nothing is lost by it: a copy goes only while the original holds the same bytes, a moved photo comes back only
where nothing has taken its place. What does not go is left and said. Killed and started again, it goes on.
"""

import contextlib
import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fieldguide.errors import DataError
from fieldguide.prediction.sorting.journal import SortingJournal
from fieldguide.prediction.sorting.placing import digest_of, place, same_content, same_entry
from fieldguide.prediction.sorting.table import SortedPhoto, place_of, read_table, write_table
from fieldguide.progress import Progress, silent

_JOURNAL = ".partial"
_SCRATCH = ".fieldguide-undo.copy"


@dataclass
class UndoResult:
    """What came of undoing a sorting."""

    moved_back: int = 0
    """Files that lie where they lay before."""
    removed: int = 0
    """Copies and links that are gone."""
    kept: list[SortedPhoto] = field(default_factory=list)
    """What could not be undone, with the reason in ``note``."""
    dry_run: bool = False
    """Whether nothing was done."""

    def as_dict(self) -> dict[str, Any]:
        """The counts, and how many were kept for which reason."""
        reasons = Counter(photo.note for photo in self.kept)
        return {
            "moved_back": self.moved_back,
            "removed": self.removed,
            "kept": dict(reasons),
            "dry_run": self.dry_run,
        }


def undo_sort(table: Path, *, dry_run: bool = False, progress: Progress = silent) -> UndoResult:
    """Undo what a table says, from its last row to its first.

    Parameters
    ----------
    table
        A table that a sorting left; or ``sorted.csv.partial``, of one that was killed.
    dry_run
        Only count what would be done.
    progress
        Callback for progress: the rows done.

    Raises
    ------
    DataError
        If it is no such table, or names a place outside its folder.
    OutputError
        If a disk is full.
    """
    folder = table.parent
    with _rows(table, dry_run) as rows:
        for photo in rows:
            if photo.how not in ("present", "left"):
                place_of(folder, photo.target)  # all are looked at before anything is done
        result = UndoResult(dry_run=dry_run)
        for done, photo in enumerate(reversed(rows), start=1):
            _undo(photo, folder, result)
            progress("undoing", done, len(rows))
        if result.kept and table.name.endswith(_JOURNAL) and not dry_run:  # the journal is about to go
            write_table(rows, table.with_name(table.name.removesuffix(_JOURNAL)))
    if not dry_run:
        _remove_emptied(folder, rows)
    return result


@contextlib.contextmanager
def _rows(table: Path, dry_run: bool) -> Iterator[list[SortedPhoto]]:
    if not table.name.endswith(_JOURNAL):
        yield read_table(table)
        return
    if not table.is_file():
        raise DataError(f"{table}: there is no such file; name the table a sorting left")
    with SortingJournal(table, new=False) as journal:
        state = journal.state
        yield [photo for unit in state.units() for photo in unit] if state.whole else []
        if not dry_run:  # else the next sorting would go on with it
            journal.remove()


def _undo(photo: SortedPhoto, folder: Path, result: UndoResult) -> None:
    if photo.how in ("present", "left"):
        return
    target = place_of(folder, photo.target)
    if target.parent.is_symlink() or (os.path.lexists(target) and not _is_file(target)):
        result.kept.append(photo.left("it is a link or a folder now"))
        return
    if photo.how == "move":
        _move_back(photo, target, result)
    elif os.path.lexists(target):
        _remove(photo, target, result)


def _move_back(photo: SortedPhoto, target: Path, result: UndoResult) -> None:
    source = Path(photo.source)
    if not target.exists():
        if not os.path.lexists(source):
            result.kept.append(photo.left("it lies neither here nor where it came from"))
        return
    if os.path.lexists(source) and not _is_second_name(target, source):
        result.kept.append(photo.left("another file is where it came from"))
        return
    if result.dry_run:
        result.moved_back += 1
        return
    try:
        source.parent.mkdir(parents=True, exist_ok=True)
        done = place(photo, os.fspath(target), source, source.with_name(_SCRATCH))
    except FileExistsError:
        done = photo.left("another file is where it came from")
    except OSError as error:
        done = photo.left(f"its folder cannot be made ({error.strerror})")
    if done.how == "left":
        result.kept.append(done)
    else:
        result.moved_back += 1


def _is_second_name(target: Path, source: Path) -> bool:
    """Whether a run that was killed had it half moved back, or half moved."""
    with contextlib.suppress(OSError):
        return os.path.samestat(target.lstat(), source.lstat()) or same_content(target, source)
    return False


def _remove(photo: SortedPhoto, target: Path, result: UndoResult) -> None:
    why = _why_kept(photo, target)
    if not why and not result.dry_run:
        try:
            target.unlink()
        except OSError as error:
            why = f"it cannot be removed ({error.strerror})"
    if why:
        result.kept.append(photo.left(why))
    else:
        result.removed += 1


def _why_kept(photo: SortedPhoto, target: Path) -> str:
    """Why a copy must stay; empty where its original is there and the same."""
    if photo.how == "unpack":
        if not any(parent.is_file() for parent in Path(photo.source).parents):
            return "its archive is not there any more"
        return "" if photo.sha256 and digest_of(target) == photo.sha256 else "it was changed since"
    original = os.path.realpath(photo.source)
    if not _is_file(Path(original)):
        return "its original is not there any more"
    if same_entry(original, target):
        return "it is the original"
    return "" if same_content(original, target) else "it and its original differ"


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except (OSError, ValueError):
        return False


def _remove_emptied(folder: Path, rows: list[SortedPhoto]) -> None:
    for name in {photo.target.partition("/")[0] for photo in rows if photo.how not in ("present", "left")}:
        with contextlib.suppress(OSError):  # holds something else, or is gone
            (folder / name).rmdir()
