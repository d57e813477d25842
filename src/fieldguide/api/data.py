"""DATA from a script: whatever it is given as, a `Dataset` comes of it that lasts as long as it is used."""

import contextlib
import weakref
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from fieldguide.api.progress_choice import ProgressChoice, shown
from fieldguide.data import dataset as datasets
from fieldguide.data.dataset import Data, Dataset
from fieldguide.data.options import DataOptions
from fieldguide.data.split_names import SplitChoice
from fieldguide.progress import Progress
from fieldguide.tasks.task import EITHER, ONE_LABEL, Task, TaskName, as_task

Splits: TypeAlias = SplitChoice | Mapping[str, str | Iterable[str]] | Literal[False] | None
"""Which folders, or cells of a column, are which split; False: none is; None: their names decide."""


class _Holder:
    """Keeps the temporary folder of a data set: it goes with the last data set that refers to this."""

    def __init__(self) -> None:
        self.stack = contextlib.ExitStack()
        weakref.finalize(self, self.stack.close)


def opened(
    data: Data,
    reading: DataOptions,
    splits: Splits,
    progress: Progress,
    minimum_classes: int = 2,
    *,
    tasks: Collection[Task] = ONE_LABEL,
) -> Dataset:
    """Read DATA; images of an archive are there for as long as a data set made from it is.

    Whoever does not say that it handles tags is given none.

    Raises
    ------
    DataError
        If it cannot be read, or has fewer classes.
    """
    holder = _Holder()
    dataset = holder.stack.enter_context(
        datasets.open_dataset(
            data,
            minimum_classes=minimum_classes,
            splits=splits,
            options=reading,
            progress=progress,
            tasks=tasks,
        )
    )
    if isinstance(data, Dataset):
        return dataset
    return datasets.with_holder(dataset, holder)


def reading_of(given: Mapping[str, Any]) -> DataOptions:
    """What a function of this package was told of how DATA is to be read, by the names of its arguments."""
    columns = ("path_column", "label_column", "split_column", "group_column")
    names = ("form", *columns, "label_from", "crops")
    return DataOptions(**{name: given[name] for name in names}, task=as_task(given["task"]))


def open_dataset(
    data: Data,
    labels: Sequence[Any] | None = None,
    *,
    groups: Sequence[Any] | None = None,
    minimum_classes: int = 1,
    splits: Splits = None,
    form: str | None = None,
    path_column: str | None = None,
    label_column: str | None = None,
    split_column: str | None = None,
    group_column: str | None = None,
    label_from: str | None = None,
    crops: bool = False,
    task: TaskName | None = None,
    progress: ProgressChoice = None,
) -> Dataset:
    """Read labelled photos, in any of the forms that DATA may have; docs/data.md lists them.

    Parameters
    ----------
    data : path, frame, or list of paths
        A folder, a table, an export of annotations or an archive; a frame of pandas or polars or a data set
        of Hugging Face with `path` or `image` and `label`; or a list of paths, with `labels`.
    labels, groups : sequence, optional
        One an image, where `data` is a list of paths; images of one group stay on one side of every split.
    minimum_classes : int, default=1
        How many classes there must be; with 0, photos without a label are kept, too.
    splits : mapping or False, optional
        Which folders, or cells of the column `split`, are which split: ``{"train": "old", "test": "new"}``.
        False: none is, folders are classes. None: their names decide.
    form : str, optional
        Which form it is, a name that ``fieldguide check --form list`` shows; None recognises it.
    path_column, label_column, split_column, group_column : str, optional
        Columns of a table.
    label_from : str, optional
        A regular expression over the paths with a group ``(?P<label>…)``.
    crops : bool, default=False
        Learn annotated boxes, each cut out of its photo.
    task : {"single", "multiple"}, optional
        One label a photo, or any number of tags; None lets the data decide.
    progress : bool or callable, optional
        True shows bars, False nothing; None shows them on a terminal and in Jupyter. A callable is called
        with stage, done and total.

    Raises
    ------
    DataError
        If there are no images, or too few classes.

    Examples
    --------
    >>> import fieldguide
    >>> photos = fieldguide.open_dataset(["a.jpg", "b.jpg"], ["cat", "dog"])   # doctest: +SKIP
    """
    reading = DataOptions(
        form, path_column, label_column, split_column, group_column, label_from, crops, as_task(task)
    )
    with shown(progress) as callback:
        return opened(_given(data, labels, groups), reading, splits, callback, minimum_classes, tasks=EITHER)


def _given(data: Data, labels: Sequence[Any] | None, groups: Sequence[Any] | None) -> Data:
    if labels is None:
        return data
    images: Any = data
    return (images, labels) if groups is None else (images, labels, groups)
