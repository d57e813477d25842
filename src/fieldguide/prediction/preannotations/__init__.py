"""Predictions in the form of an annotation tool, to be looked through and corrected there.

A form is a file here and a line below. Each has the same four names: ``TITLE``, one line for a person;
``SUFFIX``, how its file ends; ``check(names)``, which refuses before any work what the form cannot hold; and
``write(answers, file, model)``. What a person corrects in the tool is read back by the form of the same name
in :mod:`fieldguide.data.forms`.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import IO, Protocol, cast

from fieldguide.errors import OptionError, OutputError
from fieldguide.prediction.inputs import EmbeddedImage, Inputs, path_of
from fieldguide.prediction.preannotations.answers import AnnotatingModel, ModelAnswer
from fieldguide.prediction.rows import Row
from fieldguide.prediction.writers import PredictsInOrder, WriteResult, write_rows_of
from fieldguide.progress import Progress, silent
from fieldguide.storage.object_store import ObjectUrl
from fieldguide.tasks.task import Task

FORMS = {"label-studio": "label_studio", "cvat": "cvat", "fiftyone": "fiftyone"}
"""Name of each form to its module in this package."""
MOST_TAGS = 100
"""Tags of a photo whose probabilities are kept, the most probable."""
_VERSION_DIGITS = 12


class KnowsClasses(PredictsInOrder, Protocol):
    """A model that also names its classes."""

    @property
    def task(self) -> Task:
        """Whether it gives one label or tags."""

    @property
    def classes(self) -> Sequence[str]:
        """In the order of its outputs."""


class PreannotationForm(Protocol):
    """What a module of this package has."""

    TITLE: str
    SUFFIX: str

    def check(self, names: Iterable[str]) -> None:
        """Refuse names that the form cannot hold."""
        ...

    def write(self, answers: Iterable[ModelAnswer], file: IO[bytes], model: AnnotatingModel) -> None:
        """Write one file of pre-annotations."""
        ...


def preannotation_form(name: str) -> PreannotationForm:
    """The module of a form.

    Raises
    ------
    OptionError
        If there is no such form.
    """
    if name not in FORMS:
        raise OptionError(f"--form must be one of {', '.join(FORMS)}; got {name!r}")
    return cast(PreannotationForm, import_module(f"{__name__}.{FORMS[name]}"))


def write_preannotations(
    predictor: KnowsClasses,
    inputs: Inputs,
    out: str | os.PathLike[str],
    form: str,
    *,
    progress: Progress = silent,
) -> WriteResult:
    """Predict inputs into a file that an annotation tool reads; a run that was killed goes on.

    Photos are named by their paths from the folder of `out`, which is the one that the tool has to serve. A
    photo that is unknown to the model gets no label, so that nobody accepts one by mistake.

    Parameters
    ----------
    predictor
        A loaded model.
    inputs
        From :func:`fieldguide.prediction.inputs.find_inputs`.
    out
        The file; it is replaced once all answers are there.
    form
        A key of :data:`FORMS`.
    progress
        Callback for progress: the inputs done.

    Raises
    ------
    OptionError
        If there is no such form, or `out` has not its ending.
    OutputError
        If a photo lies outside of the folder of `out` or stands in a table, or the file cannot be written.
    """
    target, chosen = Path(out), preannotation_form(form)
    if target.suffix.lower() != chosen.SUFFIX:
        got = target.suffix or "no ending"
        raise OptionError(f"{target}: --form {form} is written as {chosen.SUFFIX}; got {got}; rename it")
    chosen.check(_names(inputs, target))
    model = AnnotatingModel(f"fieldguide-{predictor.digest[:_VERSION_DIGITS]}", tuple(predictor.classes))

    def write(rows: Iterable[Row], file: IO[bytes]) -> None:
        chosen.write((ModelAnswer.of(row, _name(row["path"], target)) for row in rows), file, model)

    # Of tags, any may be given, however probable others are.
    top = 1 if predictor.task is Task.SINGLE else min(len(predictor.classes), MOST_TAGS)
    return write_rows_of(predictor, inputs, target, write, top=top, progress=progress)


def _names(inputs: Inputs, target: Path) -> Iterator[str]:
    """The names of all inputs from the folder of the file."""
    for item in inputs.items:
        if isinstance(item, EmbeddedImage):
            raise OutputError(
                f"{item.name}: an annotation tool must be given files, got an image inside a table or an "
                "archive; save the images first, such as with `fieldguide convert`"
            )
        if isinstance(item, ObjectUrl):
            raise OutputError(
                f"{item}: an annotation tool must be given files, got an object of a store; copy it here"
            )
        name = _name(path_of(item), target)
        if name.split("/")[0] == "..":
            raise OutputError(
                f"{target}: must lie above the photos, which the tool finds from its folder, got "
                f"{path_of(item)!r} elsewhere; write it to a folder above them"
            )
        yield name


def _name(path: str, target: Path) -> str:
    return os.path.relpath(path, target.parent).replace(os.sep, "/")
