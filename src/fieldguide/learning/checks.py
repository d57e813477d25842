"""What is checked before the work of hours, so that it is not lost after it: names of classes, the place."""

import tempfile
from pathlib import Path

from fieldguide.data.dataset import Dataset
from fieldguide.errors import DataError, OutputError
from fieldguide.modelfile.card import MAX_CLASSES, MAX_NAME, may_be_class


def check_names(dataset: Dataset) -> None:
    """Stop before the work where no model file could hold what it gives.

    Raises
    ------
    DataError
        If the name of a class is too long or holds NUL, or there are too many classes.
    """
    for name in dataset.classes:
        if not may_be_class(name):
            shown = f"{name[:40]!r} of {len(name):,}" if len(name) > MAX_NAME else repr(name)
            raise DataError(
                f"DATA: the name of a class must have 1 to {MAX_NAME:,} characters and no NUL, got {shown}; "
                "rename it"
            )
    if len(dataset.classes) > MAX_CLASSES:
        raise DataError(
            f"DATA: at most {MAX_CLASSES:,} classes fit a model file, got {len(dataset.classes):,}; put some "
            "together"
        )


def check_writable(out: Path) -> None:
    """Stop before the work, not after it.

    Raises
    ------
    OutputError
        If the model file could not be written.
    """
    folder = out.parent
    if out.is_dir():
        raise OutputError(f"{out}: is a folder; give a file name such as {out / 'model.onnx'}")
    if not folder.is_dir():
        raise OutputError(f"{folder}: no such folder for the model file; make it or choose another")
    try:  # permissions alone do not tell of read-only and full disks, nor anything to root
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        reason = error.strerror
        raise OutputError(f"{folder}: this folder cannot be written to ({reason}); choose another") from error


def training_folder(out: Path) -> Path:
    """Where a run that goes step by step keeps its checkpoint.

    Examples
    --------
    >>> training_folder(Path("model.onnx")).name
    'model.onnx.training'
    """
    return out.with_name(out.name + ".training")
