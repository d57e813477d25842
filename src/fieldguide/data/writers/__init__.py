"""A data set written in a form that other tools read: a form is a file here and a line below.

Each writer has the same three names: ``TITLE``, one line for a person; ``PLACING``, where photos lie; and
``write(photos, folder)``, which writes the labels beside photos that lie in `folder` already.
"""

from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from fieldguide.data.dataset import Dataset
from fieldguide.data.writers.placing import PlacedPhoto, Placing, place
from fieldguide.errors import OptionError
from fieldguide.files import new_folder
from fieldguide.progress import Progress, silent
from fieldguide.tasks.task import ONE_LABEL, refuse_unsupported

WRITERS = {
    "table": "table",
    "folders": "folders",
    "imagefolder": "imagefolder",
    "label-studio": "label_studio",
    "cvat": "cvat",
    "fiftyone": "fiftyone",
    "coco": "coco",
    "one-hot": "one_hot",
}
"""Name of each form to its module in this package."""


class Writer(Protocol):
    """What a module of this package has."""

    TITLE: str
    PLACING: Placing

    def write(self, photos: list[PlacedPhoto], folder: Path) -> None:
        """Write the labels of photos that lie in `folder`."""
        ...


def writer(form: str) -> Writer:
    """The writer of a form.

    Raises
    ------
    OptionError
        If there is no such form.
    """
    if form not in WRITERS:
        raise OptionError(f"--to must be one of {', '.join(WRITERS)}; got {form!r}")
    return cast(Writer, import_module(f"{__name__}.{WRITERS[form]}"))


def write_dataset(
    dataset: Dataset, form: str, out: Path, *, link: bool = False, progress: Progress = silent
) -> int:
    """Write a data set's photos and labels into a new folder.

    The folder appears only once it is whole. Photos are copied byte by byte, or linked.

    Parameters
    ----------
    dataset : Dataset
        Labelled images.
    form : str
        A key of :data:`WRITERS`.
    out : Path
        The folder to make.
    link : bool, default=False
        Hard links instead of copies, where the file system has them.
    progress : Progress, optional
        Callback for progress: the stage ``copy``.

    Returns
    -------
    int
        Photos written.

    Raises
    ------
    OptionError
        If there is no such form, photos have tags and it holds none, or it is not known of some tags whether
        photos have them and it cannot say so.
    OutputError
        If `out` exists or cannot be written, or a label cannot be the name of a folder.
    """
    chosen = writer(form)
    refuse_unsupported(dataset.task, getattr(chosen, "TASKS", ONE_LABEL), f"--to {form}", OptionError)
    if not getattr(chosen, "NOT_KNOWN", False) and any(one and one.not_known for one in dataset.tags or ()):
        raise OptionError(
            f"--to {form}: cannot say that it is not known whether a photo has a tag, and here it is not of "
            "some; write --to table or one-hot"
        )
    with new_folder(out) as folder:
        photos = place(dataset, folder, chosen.PLACING, link=link, progress=progress)
        chosen.write(photos, folder)
    return len(photos)
