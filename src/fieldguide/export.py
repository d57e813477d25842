"""Other forms of a model file, for other places.

A new form is one module with ``SUMMARY``, ``SUFFIX`` and ``convert``, and one line in :data:`FORMS`.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fieldguide import export_int8
from fieldguide.artifact import ModelFile, load_model_file
from fieldguide.errors import OptionError, OutputError
from fieldguide.files import atomic_write


class Form(Protocol):
    """What the module of a form provides."""

    SUMMARY: str
    """What it is good for, in a line."""
    SUFFIX: str
    """How the name of an exported file ends that a person did not choose."""

    def convert(self, model: ModelFile) -> bytes:
        """The bytes of the exported file."""


FORMS: dict[str, Form] = {"int8": export_int8}


@dataclass(frozen=True)
class Exported:
    """What was written."""

    path: Path
    """The file."""
    bytes_before: int
    """Of the model."""
    bytes_after: int
    """Of the exported file."""


def export(model: str | os.PathLike[str], form: str, out: str | os.PathLike[str]) -> Exported:
    """Write a model file in another form.

    Parameters
    ----------
    model
        A model file; it stays as it is.
    form
        One of :data:`FORMS`.
    out
        The file to write; an earlier one is replaced.

    Raises
    ------
    ModelFileError
        If the model may not be used.
    OptionError
        If there is no such form, or the model gains nothing by it.
    OutputError
        If `out` is the model itself, or cannot be written.
    """
    if form not in FORMS:
        raise OptionError(f"to: must be one of {', '.join(FORMS)}; got {form!r}")
    source, target = Path(model), Path(out)
    read = load_model_file(source)
    if target.exists() and target.samefile(source):
        raise OutputError(f"{target}: is the model itself, which stays as it is; choose another name")
    content = FORMS[form].convert(read)
    with atomic_write(target) as file:
        file.write(content)
    return Exported(target, len(read.content), len(content))
