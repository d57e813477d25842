"""A data set of files that were named one by one, as on standard input, wherever each of them lies."""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fieldguide.data.dataset import Dataset
from fieldguide.data.options import DataOptions
from fieldguide.data.patients import patient_groups
from fieldguide.data.plausibility.dataset_doubts import doubts_about
from fieldguide.data.scan import count_of
from fieldguide.data.split_names import SplitChoice
from fieldguide.errors import DataError, OptionError, Refusal
from fieldguide.progress import Progress, silent

NAME = "-"
"""What such a data set is called."""


@dataclass(frozen=True)
class _Named:
    """One file, and what its path says of it."""

    path: str
    label: str
    split: str = ""
    group: str = ""


def named_files(
    names: Sequence[str],
    options: DataOptions | None = None,
    splits: SplitChoice | None = None,
    *,
    progress: Progress = silent,
) -> Dataset:
    """Make a data set of files.

    A label is the name of the folder that a file lies in, and the folder above is its split where that is so
    for all files (``train/cat/a.jpg``); or both are what ``label_from`` finds in the path.

    Parameters
    ----------
    names
        Paths, from the current folder if they are not absolute; one that comes again counts once.
    options
        Of these only `label_from` means anything here.
    splits
        What the person says about names of splits; None: they say it themselves.
    progress
        Callback for progress: the names that were looked at, as stage ``table``.

    Raises
    ------
    OptionError
        If the options say what only a folder or a table has.
    DataError
        If no name is that of a file that can be read.
    """
    options = options or DataOptions()
    of_tables = options.form or any(options.columns.values()) or options.crops
    if of_tables or options.keywords is not None:
        raise OptionError(
            f"{NAME}: files that are named one by one have neither a form, columns, boxes nor keywords; "
            "give --label-from REGEX, or nothing"
        )
    wanted = list(dict.fromkeys(names))
    refused: list[Refusal] = []
    choice = splits or SplitChoice()
    found = list(_described(wanted, _Reader(options, choice), refused, progress))
    if not found:
        first = f"; {refused[0].path!r}: {refused[0].message}" if refused else ""
        raise DataError(f"{NAME}: none of {count_of(len(names), 'name')} is an image that can be used{first}")
    has_splits = not choice.ignored and all(one.split for one in found)
    has_groups = any(one.group for one in found)
    repeated = len(names) - len(wanted)
    dataset = Dataset(
        root=Path(NAME),
        paths=tuple(one.path for one in found),
        labels=tuple(one.label for one in found),
        splits=tuple(one.split for one in found) if has_splits else None,
        groups=tuple(one.group for one in found) if has_groups else None,
        refused=tuple(refused),
        notes=(f"{count_of(repeated, 'name')} were repeated and counted once",) if repeated else (),
    )
    return _completed(dataset, progress)


def _completed(dataset: Dataset, progress: Progress) -> Dataset:
    """Patients as groups, and doubts, as of every data set."""
    if dataset.groups is None:
        groups, notes = patient_groups(dataset.paths, progress=progress)
        dataset = replace(dataset, groups=groups, notes=(*dataset.notes, *notes))
    return replace(dataset, doubts=tuple(doubts_about(dataset)))


def _described(
    names: Sequence[str], reader: "_Reader", refused: list[Refusal], progress: Progress
) -> Iterator[_Named]:
    for done, name in enumerate(names, start=1):
        reason = _unusable(name)
        one = None if reason else reader.read(name)
        if one is not None:
            yield one
        else:
            refused.append(Refusal(name, *(reason or ("unlabelled", "its path does not say what it shows"))))
        if done % 1000 == 0 or done == len(names):
            progress("table", done, len(names))


def _unusable(name: str) -> tuple[str, str] | None:
    try:
        mode = os.stat(name).st_mode  # noqa: PTH116
    except (OSError, ValueError):
        return "missing", "there is no such file"
    if not stat.S_ISREG(mode):
        return "not_a_file", "it is a folder, a pipe or a device; name the files in it"
    return None if os.access(name, os.R_OK) else ("unreadable", "the file cannot be read")


@dataclass(frozen=True)
class _Reader:
    """What a path says of its image."""

    options: DataOptions
    splits: SplitChoice

    def read(self, name: str) -> _Named | None:
        """Label, split and group; None where there is no label."""
        if self.options.label_from is not None:
            match = self.options.pattern.search(name)
            parts = match.groupdict("") if match else {}
            if not parts.get("label"):
                return None
            return _Named(name, parts["label"], self._split(parts.get("split", "")), parts.get("group", ""))
        above = Path(os.path.abspath(name)).parent  # noqa: PTH100
        return _Named(name, above.name, self._split(above.parent.name)) if above.name else None

    def _split(self, name: str) -> str:
        return (self.splits.split_of(name) or "") if name else ""
