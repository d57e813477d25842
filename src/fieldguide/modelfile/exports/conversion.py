"""Other forms of a model file, for other places.

A new form is one module with ``SUMMARY``, ``SUFFIX`` and ``convert``, and one line in :data:`FORMS`. A form
whose file fieldguide itself does not read has its card ``beside`` it, as JSON. A folder is written by
:mod:`fieldguide.modelfile.exports.web`.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from fieldguide.errors import OptionError, OutputError
from fieldguide.files import atomic_write
from fieldguide.modelfile.artifact import ModelFile, load_model_file
from fieldguide.modelfile.exports import core, int8, litert, web
from fieldguide.modelfile.exports.web_runtime import web_runtime


class Form(Protocol):
    """What the module of a form provides."""

    @property
    def SUMMARY(self) -> str:
        """What it is good for, in a line."""

    @property
    def SUFFIX(self) -> str:
        """How the name of an exported file ends that a person did not choose."""

    def convert(self, model: ModelFile) -> bytes:
        """The bytes of the exported file."""


FORMS: dict[str, Form] = {"int8": int8, "core": core, **litert.FORMS}
FOLDER = "web"
"""The form that is a folder."""
BESIDE: dict[str, Callable[[ModelFile], bytes]] = {
    "core": core.beside,
    **{name: form.beside for name, form in litert.FORMS.items()},
}
"""What is written beside the file, under its name with ``.json``."""


@dataclass(frozen=True)
class WebOptions:
    """What only the form ``web`` knows."""

    precision: web.Precision = "auto"
    """Of the large weights."""
    runtime: Path | None = None
    """Where ONNX Runtime Web lies; None looks beside."""
    gpu: bool = False
    """Whether visitors' graphics processors may answer."""
    heat_maps: web.DescribesHeatMaps | None = field(default=None, compare=False)
    """Says how heat maps come about in a file; without it, a page has none."""


@dataclass(frozen=True)
class MadeBefore:
    """A form that was made elsewhere, for it needs photos."""

    content: bytes | None
    """The file; None has the form made as without photos."""
    note: str
    """What was chosen, and why."""


@dataclass(frozen=True)
class Exported:
    """What was written."""

    path: Path
    """The file, or the folder."""
    beside: Path | None
    """Its card as JSON, where fieldguide does not read the file itself."""
    bytes_before: int
    """Of the model."""
    bytes_after: int
    """Of the exported file, or of all files in the folder."""
    note: str = ""
    """What was chosen by itself, and why."""


def check_form(form: str, web_options: WebOptions | None = None) -> None:
    """Whether there is such a form, and whether it knows these options: seen before anything is computed.

    Raises
    ------
    OptionError
        If not.
    """
    if form not in (*FORMS, FOLDER):
        raise OptionError(f"to: must be one of {', '.join((*FORMS, FOLDER))}; got {form!r}")
    if form != FOLDER and web_options not in (None, WebOptions()):
        raise OptionError(f"to: precision, runtime and gpu are for {FOLDER} alone; got to {form}")


def export(
    model: str | os.PathLike[str],
    form: str,
    out: str | os.PathLike[str],
    web_options: WebOptions | None = None,
    made: MadeBefore | None = None,
) -> Exported:
    """Write a model file in another form.

    Parameters
    ----------
    model
        A model file; it stays as it is.
    form
        One of :data:`FORMS`, or :data:`FOLDER`.
    out
        The file or folder to write; an earlier one is replaced.
    web_options
        For ``web`` only.
    made
        What to write in place of what the form makes of the model alone.

    Raises
    ------
    ModelFileError
        If the model may not be used.
    OptionError
        If there is no such form, or the model gains nothing by it.
    OutputError
        If `out` is the model itself, or cannot be written.
    """
    check_form(form, web_options)
    source, target = Path(model), Path(out)
    read = load_model_file(source)
    if form == FOLDER:
        chosen = web_options or WebOptions()
        runtime = web_runtime(chosen.runtime, gpu=chosen.gpu)
        site = web.write(read, target, runtime, chosen.precision, chosen.heat_maps)
        return Exported(target, target / web.CARD, len(read.content), site.bytes, site.note)
    if target.exists() and target.samefile(source):
        raise OutputError(f"{target}: is the model itself, which stays as it is; choose another name")
    content = made.content if made is not None else None
    if content is None:
        content = FORMS[form].convert(read)
    with atomic_write(target) as file:
        file.write(content)
    beside = target.with_suffix(".json") if form in BESIDE else None
    if beside is not None:
        with atomic_write(beside) as file:
            file.write(BESIDE[form](read))
    return Exported(target, beside, len(read.content), len(content), "" if made is None else made.note)
