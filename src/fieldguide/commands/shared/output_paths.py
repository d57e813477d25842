"""Kinds of argument values that say where something is written; a mistake is told before hours of work.

A name whose ending is that of another form is refused: the file would not be what it says it is. Devices and
pipes, such as ``/dev/null``, may have any name.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from fieldguide.storage.object_store import ObjectUrl, is_object_url

STANDARD_OUTPUT = Path("-")
FOREIGN_TO_FOLDERS = frozenset(
    [
        ".csv",
        ".tsv",
        ".txt",
        ".xlsx",
        ".json",
        ".jsonl",
        ".parquet",
        ".onnx",
        ".html",
        ".png",
        ".zip",
        ".tar",
        ".tgz",
        ".gz",
        ".bz2",
        ".xz",
        ".zst",
        ".7z",
        ".rar",
    ]
)
"""Endings of files, which a new folder's name hardly has on purpose."""


def new_file(text: str) -> Path:
    """A file to be written; its folder must exist, so that an hour's work does not end at a typing error."""
    path = Path(text)
    if not text or path.is_dir():
        raise argparse.ArgumentTypeError(f"must be the name of a file; got {text!r}, which is a folder")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(
            f"folder {str(path.parent)!r} does not exist; create it or choose another"
        )
    return path


def new_file_ending(*endings: str, needed: bool = False) -> Callable[[str], Path]:
    """A file to be written, whose name may have these endings.

    Parameters
    ----------
    endings
        In lower case, with the dot; the first is suggested.
    needed
        Whether a name without any ending is refused, too, since the ending chooses the form.
    """

    def kind(text: str) -> Path:
        path = new_file(text)
        if path.suffix.lower() in endings or (path.exists() and not path.is_file()):
            return path
        if not path.suffix and not needed:
            return path
        raise argparse.ArgumentTypeError(
            f"must end in {' or '.join(endings)}; got {text!r}; write {path.stem + endings[0]!r}"
        )

    return kind


def or_object(kind: Callable[[str], Path], *endings: str) -> Callable[[str], Path | ObjectUrl]:
    """A file to be written, or a URL of an object whose name has one of these endings."""

    def either(text: str) -> Path | ObjectUrl:
        if not is_object_url(text):
            return kind(text)
        if text.lower().endswith(endings):
            return ObjectUrl(text)
        raise argparse.ArgumentTypeError(f"an object must end in {' or '.join(endings)}; got {text!r}")

    return either


def new_json(text: str) -> Path:
    """A JSON file to be written, or ``-`` for standard output."""
    return STANDARD_OUTPUT if text == str(STANDARD_OUTPUT) else new_file_ending(".json")(text)


def new_folder_or(*endings: str) -> Callable[[str], Path]:
    """A folder to be made, or a file with one of these endings."""

    def kind(text: str) -> Path:
        path = Path(text)
        ending = path.suffix.lower()
        if ending in FOREIGN_TO_FOLDERS and ending not in endings and not path.is_dir():
            allowed = f"a folder, or a file that ends in {' or '.join(endings)}" if endings else "a folder"
            raise argparse.ArgumentTypeError(f"must be {allowed}; got {text!r}, which ends in {ending}")
        return path

    return kind


new_model: Callable[[str], Path] = new_file_ending(".onnx")
new_export: Callable[[str], Path] = new_file_ending(".onnx", ".tflite")
new_page: Callable[[str], Path] = new_file_ending(".html", ".htm")
new_lines: Callable[[str], Path] = new_file_ending(".jsonl")
new_table: Callable[[str], Path] = new_file_ending(".csv")
new_png: Callable[[str], Path] = new_file_ending(".png", needed=True)
