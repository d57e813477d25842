"""Plain values that several functions take, checked as the command line checks them."""

import os
from collections.abc import Container
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from fieldguide.errors import ModelFileError, OptionError
from fieldguide.prediction.predictor import Predictor, load
from fieldguide.storage.object_store import ObjectUrl, is_object_url
from fieldguide.tasks.task import EITHER, ONE_LABEL, Task, refuse_unsupported

FilePath: TypeAlias = str | os.PathLike[str]


class HoldsModel(Protocol):
    """What training gives: a model that may be held in memory."""

    @property
    def model(self) -> Predictor:
        """The model, loaded."""


Model: TypeAlias = FilePath | Predictor | HoldsModel
"""A model file, one that is loaded, or what :func:`fieldguide.train` gave."""


def as_model(model: Model, tasks: Container[Task] = ONE_LABEL) -> Predictor:
    """A loaded model.

    Parameters
    ----------
    model
        In any form.
    tasks
        What the caller handles. Whoever does not say that it handles tags is given no model of tags.

    Raises
    ------
    ModelFileError
        If a file is damaged, hostile or not one of fieldguide's, or the caller does not handle its task.
    """
    if isinstance(model, str | os.PathLike):
        found = load(model)
    else:
        found = model if isinstance(model, Predictor) else model.model
    refuse_unsupported(found.task, tasks, found.path, ModelFileError)
    return found


def model_path(model: Model) -> Path:
    """What a model is called: its file."""
    return Path(model if isinstance(model, str | os.PathLike) else as_model(model, EITHER).path)


def as_path(path: FilePath | None) -> Path | None:
    """A path that may be left out."""
    return None if path is None else Path(path)


def as_output(path: FilePath) -> Path | ObjectUrl:
    """Where something is to be written: a file, or an object of a store."""
    name = os.fspath(path)
    return ObjectUrl(name) if is_object_url(name) else Path(name)


def whole_number(name: str, value: Any, least: int = 0) -> int:
    """A whole number.

    Raises
    ------
    OptionError
        If it is none, or too small.

    Examples
    --------
    >>> whole_number("seed", 3)
    3
    """
    number = value.item() if hasattr(value, "item") else value
    if type(number) is not int or number < least:
        raise OptionError(f"{name}: must be a whole number, {least} or more; got {value!r}")
    return number
