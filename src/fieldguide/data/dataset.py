"""A data set as columns: where the images lie, what they show, which split and group they belong to.

:func:`open_dataset` reads every form that DATA may have: class folders, split folders, a table, or an archive
of any of these. It opens no image. The forms and their rules stand in docs/data.md.
"""

import contextlib
import dataclasses
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from fieldguide.data.archives import is_archive, unpacked
from fieldguide.data.forms import FALLBACKS, FOLDERS, read_form, read_general_form
from fieldguide.data.forms.crops import cropped
from fieldguide.data.forms.listing import Listing, listed
from fieldguide.data.forms.records import Records
from fieldguide.data.forms.source import DataSource
from fieldguide.data.forms.unlabelled import tables_beside_folders, without_labels
from fieldguide.data.frames import Frame, frame_listing, is_frame, read_frame, title_of
from fieldguide.data.layouts import Layout, read_layout
from fieldguide.data.options import DataOptions
from fieldguide.data.patients import patient_groups
from fieldguide.data.plausibility.class_notes import class_notes
from fieldguide.data.plausibility.dataset_doubts import doubts_about
from fieldguide.data.plausibility.doubts import Doubt
from fieldguide.data.plausibility.requirements import check_enough, check_task, learned_classes, unknown_form
from fieldguide.data.scan import count_of, skipped_notes
from fieldguide.data.split_names import SPLITS, SplitChoice
from fieldguide.data.stores.stored_data import opened_from_store
from fieldguide.data.tagged.same_photos import joined_photos
from fieldguide.errors import DataError, OptionError, Refusal
from fieldguide.files import scratch_folder
from fieldguide.mixins.display import DisplayMixin, PlotMixin, TableMixin
from fieldguide.progress import Progress, silent
from fieldguide.storage.object_store import is_object_url
from fieldguide.tasks.tags import Tags, names_of
from fieldguide.tasks.task import ONE_LABEL, Task


@dataclass(frozen=True, repr=False)
class Dataset(DisplayMixin, PlotMixin, TableMixin):
    """Images with their labels, as columns of equal length.

    Examples
    --------
    >>> dataset = Dataset(Path("photos"), ("a.jpg", "b.jpg"), ("cat", ""), ("train", "test"))
    >>> dataset.classes, dataset.labelled().paths
    (('cat',), ('a.jpg',))
    >>> dataset.select("test").paths
    ('b.jpg',)
    """

    root: Path
    """Paths are shown relative to this folder."""
    paths: tuple[str, ...]
    """Path of each image file; bytes that are no UTF-8 as :func:`os.fsdecode` keeps them."""
    labels: tuple[str, ...]
    """Class of each image, exactly as given; empty where it has none."""
    tags: tuple[Tags | None, ...] | None = field(default=None, kw_only=True)
    """Any number of labels of each image, None where nobody has looked; `labels` are then empty. None if
    images have one label each."""
    splits: tuple[str, ...] | None = None
    """`train`, `validation` or `test` for each image; None if the data has no splits."""
    groups: tuple[str, ...] | None = None
    """Group of each image, empty where it has none; None if no column and no DICOM header names groups."""
    refused: tuple[Refusal, ...] = ()
    """What could not be used: unreadable folders, links that lead out, rows without a file."""
    notes: tuple[str, ...] = ()
    """Sentences for a person: what was skipped, left out, or looks odd."""
    doubts: tuple[Doubt, ...] = ()
    """What may have been understood in another way than it was meant."""
    name: str = field(default="", compare=False)
    """What a person calls it: the last part of its path, or the kind of its frame."""
    holder: object = field(default=None, repr=False, compare=False)
    """What must last as long as the images do: a temporary folder that goes with its last reference."""

    def __len__(self) -> int:
        return len(self.paths)

    @cached_property
    def task(self) -> Task:
        """Whether images have one label each or any number of tags."""
        return Task.SINGLE if self.tags is None else Task.MULTIPLE

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The labels or tags that occur, sorted; the empty one is no class."""
        if self.tags is not None:
            return names_of(tags for tags in self.tags if tags is not None)
        return tuple(sorted(set(self.labels) - {""}))

    def tags_at(self, row: int) -> Tags | None:
        """The tags of an image; None where it has none of its own."""
        return None if self.tags is None else self.tags[row]

    def select(self, split: str) -> "Dataset":
        """The images of one split.

        Raises
        ------
        DataError
            If there is no such split.
        """
        present = [name for name in SPLITS if name in set(self.splits or ())]
        if self.splits is None or split not in present:
            got = ", ".join(present) or "no splits"
            raise DataError(
                f"{self.called}: split must be one that DATA has, which are: {got}; got {split!r}"
            )
        return self.take([place for place, name in enumerate(self.splits) if name == split])

    def labelled(self) -> "Dataset":
        """The images that have a label.

        Raises
        ------
        DataError
            If there are none.
        """
        labels: Sequence[object] = self.labels if self.tags is None else self.tags
        places = [place for place, label in enumerate(labels) if label]
        if not places:
            raise DataError(
                f"{self.called}: need labelled images, got none; sort photos into a folder for each class"
            )
        return self.take(places) if len(places) < len(self) else self

    def take(self, indices: Iterable[int] | NDArray[np.integer]) -> "Dataset":
        """The images at these positions, in this order; refusals and notes are kept."""
        places = [int(place) for place in indices]
        return dataclasses.replace(
            self,
            paths=tuple(self.paths[place] for place in places),
            labels=tuple(self.labels[place] for place in places),
            tags=None if self.tags is None else tuple(self.tags[place] for place in places),
            splits=None if self.splits is None else tuple(self.splits[place] for place in places),
            groups=None if self.groups is None else tuple(self.groups[place] for place in places),
        )

    def refusals_named(self, refused: Sequence[Refusal], most: int = 5) -> str:
        """Refusals for the end of an error: paths and reasons of the first, and how many more there are."""
        named = "; ".join(f"{self.display(refusal.path)!r}: {refusal.message}" for refusal in refused[:most])
        return named + (f"; and {len(refused) - most} more" if len(refused) > most else "")

    @property
    def called(self) -> str:
        """What errors call it: its folder, or the table or archive in it that it was read from."""
        return self.name if self.name not in ("", Path(self.root).name) else str(self.root)

    def display(self, path: str) -> str:
        """A path as results show it: relative to `root`, which for an archive is its name inside."""
        start = os.path.join(self.root, "")  # noqa: PTH118
        return path[len(start) :] if path.startswith(start) else os.path.normpath(path)


@contextlib.contextmanager
def open_dataset(
    path: "Data",
    *,
    minimum_classes: int = 2,
    splits: SplitChoice | Mapping[str, str | Iterable[str]] | bool | None = None,
    options: DataOptions | None = None,
    progress: Progress = silent,
    tasks: Collection[Task] = ONE_LABEL,
) -> Iterator[Dataset]:
    """Read a data set; of an archive, the images are there until the end of the ``with`` block.

    Parameters
    ----------
    path : path or frame
        A folder, a table or export of annotations, or an archive (.zip, .tar and compressed ones) of these;
        docs/data.md has all forms. Or a frame of pandas or polars, or a data set of Hugging Face, with the
        columns `path` or `image`, `label`, and if wanted `split` and `group`. Or a pair of lists,
        ``(paths, labels)``. Or a `Dataset`, which is open already and is passed on.
    minimum_classes : int, default=2
        How many classes there must be, in train where there are splits. With 0, images without a label are
        kept too, under an empty one; otherwise they are left out.
    splits : mapping or False, optional
        Which folders (or cells of the column `split`) are which split: ``{"train": "old", "test": ["new",
        "newest"]}``. False: none is, folders are classes. None: their names decide, and where folders look
        like splits and it is not sure, this stops.
    options : DataOptions, optional
        Which form it is, and what is where; what is not said is found out.
    progress : Progress, optional
        Callback for progress: the stages ``unpack``, ``scan`` and ``table``.
    tasks : collection of Task, optional
        What the caller handles. Whoever does not say that it handles tags is given none.

    Raises
    ------
    DataError
        If there are no images, too few classes, or `path` is none of these forms; if images have tags, and
        the caller handles none.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("cat", "dog"):
    ...         Path(folder, name).mkdir()
    ...         Path(folder, name, "a.jpg").touch()  # opening looks at names, not into files
    ...     with open_dataset(folder) as dataset:
    ...         dataset.classes, dataset.labels
    (('cat', 'dog'), ('cat', 'dog'))
    """
    if isinstance(path, Dataset):
        said = SplitChoice.of(splits) != SplitChoice() or options not in (None, DataOptions())
        check_task(path.root, path, tasks)
        yield _passed_on(path, minimum_classes, said=said)
        return
    if isinstance(path, str) and is_object_url(path):
        given: dict[str, Any] = {"minimum_classes": minimum_classes, "splits": splits, "options": options}
        with opened_from_store(path, partial(open_dataset, **given, tasks=tasks), progress) as dataset:
            yield dataset
        return
    if not is_frame(path) and not isinstance(path, str | os.PathLike):
        forms = "a path, a frame, a pair of lists (paths, labels) or a Dataset"
        raise DataError(f"data: must be {forms}; got {type(path).__name__}")
    place = Path(title_of(path) if is_frame(path) else cast("str", path))
    with contextlib.ExitStack() as stack:
        wanted = _Wanted(minimum_classes < 1, SplitChoice.of(splits), options, progress, stack)
        try:
            if is_frame(path):
                dataset = _from_frame(path, wanted)
            elif not place.exists():
                raise DataError(f"{place}: there is no such file or folder; check the path")
            elif place.is_file() and is_archive(place):
                dataset = _from_archive(place, wanted)
            else:
                dataset = _from_source(place, wanted)
        except PermissionError as error:
            raise DataError(f"{place}: it cannot be read; change its permissions") from error
        check_task(place, dataset, tasks)
        dataset = _with_patients(dataset, progress)
        check_enough(place, dataset, learned_classes(dataset), minimum_classes)
        yield dataclasses.replace(
            dataset,
            notes=(*dataset.notes, *class_notes(dataset.classes, learned_classes(dataset))),
            doubts=(*dataset.doubts, *doubts_about(dataset)),
            name=place.name or str(place),
        )


Data: TypeAlias = str | os.PathLike[str] | Frame | Dataset | tuple[Sequence[Any], ...]
"""Whatever :func:`open_dataset` takes."""


def with_holder(dataset: Dataset, holder: object) -> Dataset:
    """The same images, which keep what they must not outlast."""
    return dataclasses.replace(dataset, holder=holder)


def _passed_on(dataset: Dataset, minimum_classes: int, *, said: bool) -> Dataset:
    """A data set that is open already; unlabelled images are left out where labels are needed."""
    if said:
        raise OptionError(
            f"{dataset.name or dataset.root}: how it is read must be said when it is opened, and it is open "
            "already; give splits, form and columns to open_dataset"
        )
    chosen = dataset.labelled() if minimum_classes and "" in dataset.labels else dataset
    check_enough(dataset.root, chosen, learned_classes(chosen), minimum_classes)
    return chosen


@dataclass(frozen=True)
class _Wanted:
    """What opening needs to know, whatever the form of DATA."""

    unlabelled: bool
    """Whether images without a label are kept."""
    splits: SplitChoice
    options: DataOptions | None
    progress: Progress
    stack: contextlib.ExitStack
    """What lasts until the data set is closed: temporary folders."""


def _from_source(place: Path, wanted: _Wanted) -> Dataset:
    """A form that is recognised, else class and split folders, else a table or what file names say."""
    source = DataSource(place, wanted.options, wanted.progress, wanted.stack)
    records = read_form(source)
    if records is not None:
        return _from_records(source, records, wanted)
    if source.file is None:
        return _from_folder(source, wanted)
    if (reason := without_labels(source)) is not None:
        raise DataError(reason)
    records = read_general_form(source)
    if records is None:
        raise DataError(unknown_form(source.path))
    return _from_records(source, records, wanted)


def _with_patients(dataset: Dataset, progress: Progress) -> Dataset:
    """DICOM images by their patients, where no column says what belongs together."""
    if dataset.groups is not None:
        return dataset
    groups, notes = patient_groups(dataset.paths, progress=progress)
    return dataclasses.replace(dataset, groups=groups, notes=(*dataset.notes, *notes))


def _from_folder(source: DataSource, wanted: _Wanted) -> Dataset:
    """Class or split folders; where they make no two classes, a table or what file names say."""
    found = source.scan
    try:
        layout, failed = read_layout(found, unlabelled=wanted.unlabelled, splits=wanted.splits), None
    except DataError as error:
        layout, failed = Layout(found.root), error
    undivided = len(set(layout.labels) - {""}) < 2
    if undivided and source.options.form != FOLDERS:
        # where no labels are needed, a table may still say which photos are meant
        general = read_general_form(source, ("table",) if wanted.unlabelled else FALLBACKS)
        if general is not None:
            dataset = _from_records(source, general, wanted)
            note = "the folders name no two classes, so labels were read from elsewhere"
            return dataclasses.replace(dataset, notes=(*dataset.notes, note))
    if undivided and not wanted.unlabelled and (reason := without_labels(source)) is not None:
        raise DataError(reason)
    if failed is not None:
        raise failed
    dataset = Dataset(
        root=Path(layout.root),
        paths=tuple(layout.paths),
        labels=tuple(layout.labels),
        splits=None if layout.splits is None else tuple(layout.splits),
        refused=tuple(found.refused),
        notes=(*layout.notes, *found.notes()),
        doubts=(*layout.doubts, *tables_beside_folders(source)),
    )
    return _with_folders_as_tags(dataset) if source.options.task is Task.MULTIPLE else dataset


def _with_folders_as_tags(dataset: Dataset) -> Dataset:
    """Each photo once, with the names of all folders that hold it."""
    found = joined_photos(dataset.paths, dataset.labels, dataset.splits)
    kept = dataset.take(found.rows)
    note = f"{count_of(found.several, 'photo')} in several folders: each is one photo with a tag a folder"
    return dataclasses.replace(kept, labels=("",) * len(kept), tags=found.tags, notes=(*kept.notes, note))


def _from_records(source: DataSource, records: Records, wanted: _Wanted) -> Dataset:
    if not records.has_labels and not wanted.unlabelled:
        raise DataError(
            f"{source.path}: need a column of labels, such as label or class, got none that is surely one "
            f"({records.said}); say which with --label-column"
        )
    if source.options.crops:
        records = cropped(source, records)
    listing = listed(
        records,
        lambda: source.index,
        unlabelled=wanted.unlabelled,
        splits=wanted.splits,
        progress=wanted.progress,
    )
    return _from_listing(listing)


def _from_frame(frame: "Frame", wanted: _Wanted) -> Dataset:
    def scratch() -> Path:
        return wanted.stack.enter_context(scratch_folder())

    columns = read_frame(frame, scratch, wanted.options)
    return _from_listing(frame_listing(columns, wanted.splits, unlabelled=wanted.unlabelled))


def _from_listing(listing: Listing) -> Dataset:
    return Dataset(
        root=Path(listing.root),
        paths=tuple(listing.paths),
        labels=tuple(listing.labels),
        tags=None if listing.tags is None else tuple(listing.tags),
        splits=None if listing.splits is None else tuple(listing.splits),
        groups=None if listing.groups is None else tuple(listing.groups),
        refused=tuple(listing.refused),
        notes=tuple(listing.notes),
        doubts=tuple(listing.doubts),
    )


def _from_archive(place: Path, wanted: _Wanted) -> Dataset:
    result = wanted.stack.enter_context(unpacked(place, progress=wanted.progress))
    # The temporary folder's name means nothing to a person: show the archive's instead.
    hidden, named = str(result.folder), str(place)
    try:
        dataset = _from_source(result.folder, wanted)
    except DataError as error:
        raise DataError(str(error).replace(hidden, named)) from error
    shown = [
        dataclasses.replace(refusal, path=refusal.path.replace(hidden, named)) for refusal in dataset.refused
    ]
    notes = (*dataset.notes, *skipped_notes(result.others, result.hidden))
    return dataclasses.replace(dataset, refused=tuple(shown), notes=notes)
