"""Photos put where their labels say: what `predict` does with `sort_into`, and `undo`."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fieldguide.api.progress_choice import ProgressChoice, shown
from fieldguide.api.values import FilePath
from fieldguide.errors import OptionError
from fieldguide.prediction.inputs import Inputs, find_inputs
from fieldguide.prediction.predictor import Predictor
from fieldguide.prediction.sorting.planning import BYS, By
from fieldguide.prediction.sorting.sort import SortResult, sort_photos
from fieldguide.prediction.sorting.undo import UndoResult, undo_sort
from fieldguide.prediction.tagging.sidecar_files import TagResult
from fieldguide.prediction.tagging.sidecar_files import write_tags as write_tags_of
from fieldguide.progress import Progress


def check_options(
    *,
    out: Any,
    form: Any,
    top: Any,
    sort_into: Any,
    by: str | None,
    dry_run: bool,
    write_tags: bool,
    tag_unknown: bool,
) -> None:
    """Refuse options of `predict` that do not go together.

    Raises
    ------
    OptionError
        Which says what to do.
    """
    if form is not None and out is None:
        raise OptionError("--form says how --out FILE is written; say --out too, or leave --form out")
    if by is not None and by not in BYS:
        raise OptionError(f"by: must be one of {', '.join(BYS)}; got {by!r}")
    if sort_into is None and by is not None:
        raise OptionError("--by says how photos come into a folder; say --sort-into FOLDER too")
    if sort_into is None and dry_run:
        raise OptionError("--dry-run is for --sort-into FOLDER; say that too, or leave it out")
    if tag_unknown and not write_tags:
        raise OptionError("--tag-unknown says what --write-tags does; say that too, or leave it out")
    if write_tags and any(option is not None for option in (out, top, sort_into)):
        raise OptionError(
            "--write-tags is a run of its own, without --out, --top and --sort-into; sidecars go along with "
            "photos that are sorted later"
        )
    if sort_into is not None and (out is not None or top is not None):
        raise OptionError(
            "--sort-into leaves a table of its own in FOLDER; leave --out and --top out, or predict in a run "
            "of its own"
        )


def sort_into_folder(
    predictor: Predictor,
    paths: Sequence[FilePath],
    folder: Path,
    by: By | None,
    *,
    dry_run: bool,
    progress: Progress,
) -> SortResult:
    """What :func:`fieldguide.predict` does with `sort_into`."""
    with contextlib.ExitStack() as stack:

        def find() -> Inputs:
            return find_inputs(paths, stack=stack, progress=progress)

        return sort_photos(predictor, find, folder, by=by or "copy", dry_run=dry_run, progress=progress)


def write_sidecars(
    predictor: Predictor, paths: Sequence[FilePath], *, unknown: bool, progress: Progress
) -> TagResult:
    """What :func:`fieldguide.predict` does with `write_tags`."""
    with contextlib.ExitStack() as stack:
        inputs = find_inputs(paths, stack=stack, progress=progress)
        return write_tags_of(predictor, inputs, unknown=unknown, progress=progress)


def undo(table: FilePath, *, dry_run: bool = False, progress: ProgressChoice = None) -> UndoResult:
    """Put photos back that :func:`fieldguide.predict` has sorted with `sort_into`.

    Parameters
    ----------
    table : path
        The table that the sorting left, ``sorted.csv``; or ``sorted.csv.partial`` of one that was stopped.
    dry_run : bool, default=False
        Only count what would be done.
    progress : bool or callable, optional
        As in :func:`fieldguide.open_dataset`.

    Returns
    -------
    UndoResult
        ``moved_back``, ``removed``, and what was ``kept``, with reasons: a copy goes only while its original
        is there and the same, a moved photo comes
        back only where nothing has taken its place.

    Raises
    ------
    FieldguideError
        If it is no such table, or a disk is full.

    Examples
    --------
    >>> import fieldguide
    >>> fieldguide.undo("sorted/sorted.csv").kept   # doctest: +SKIP
    """
    with shown(progress) as callback:
        return undo_sort(Path(table), dry_run=dry_run, progress=callback)
