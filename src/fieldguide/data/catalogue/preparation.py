"""Datasets of the field as class folders, or one ZIP of them, ready for every command that takes DATA.

What ships as JPEG is copied byte for byte; what ships as raw pixels becomes PNG, so that pixels stay exact.
Each image is written whole or not at all, and a run that was stopped goes on with those that are missing.
"""

import contextlib
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from fieldguide.data.catalogue.entries import FieldDataset, find
from fieldguide.data.catalogue.originals import store, unpacked
from fieldguide.data.catalogue.readers import LabelledPicture, pictures
from fieldguide.errors import OutputError
from fieldguide.files import atomic_write
from fieldguide.progress import Progress, silent

MARKER = ".fieldguide-dataset.json"
"""In the folder that is written: which dataset it is, and whether it is finished."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
_TOLD_EVERY = 100


@dataclass(frozen=True)
class PreparedDataset:
    """What :func:`write` did."""

    path: Path
    images: int
    """In the whole dataset."""
    written: int
    """Of these, written now; the others were there already."""


def write(
    name: str,
    out: Path,
    *,
    root: Path | None = None,
    download: bool = False,
    progress: Progress = silent,
) -> PreparedDataset:
    """Write a dataset of the field as class folders, in split folders where the original is split.

    Parameters
    ----------
    name : str
        One of :data:`fieldguide.data.catalogue.entries.CATALOGUE`.
    out : Path
        The folder to write, new, empty or from an earlier run; or a ``.zip``, which is written at the end,
        with the folders in the cache until then.
    root : Path, optional
        A folder with the original files, packed as published or unpacked as torchvision has them; then
        nothing is downloaded. By default they are kept in the cache folder, under ``datasets``.
    download : bool, default=False
        Whether files that are not in the cache may be downloaded.
    progress : Progress, optional
        Callback for progress: downloading, unpacking, ``writing`` and ``packing``.

    Raises
    ------
    OptionError
        If there is no such dataset.
    DataError
        If the original files are missing, damaged, not the published ones, or cannot be downloaded.
    OutputError
        If `out` holds something else, or cannot be written.
    """
    entry, out = find(name), Path(out)
    if out.suffix.lower() != ".zip":
        return _write_folder(entry, out, _Source(root, download), progress)
    if out.exists():
        return _finished_zip(entry, out)
    staged = _write_folder(entry, store(entry) / "folders", _Source(root, download), progress)
    _pack(entry, staged.path, out, progress)
    shutil.rmtree(staged.path)
    return PreparedDataset(out, entry.images, entry.images)


def is_finished(name: str, folder: Path) -> bool:
    """Whether :func:`write` wrote a whole dataset into a folder."""
    with contextlib.suppress(OSError, ValueError):
        before = json.loads((folder / MARKER).read_bytes())
        return bool(before.get("dataset") == name and before.get("finished") is True)
    return False


@dataclass(frozen=True)
class _Source:
    root: Path | None
    download: bool


def _write_folder(entry: FieldDataset, out: Path, source: _Source, progress: Progress) -> PreparedDataset:
    with _writing(entry, out):
        finished = _begin(entry, out)
        present = _present(out)
    if finished and len(present) == entry.images:
        return PreparedDataset(out, entry.images, 0)
    original = unpacked(entry, source.root, download=source.download, progress=progress)
    missing = [picture for picture in pictures(entry, original) if picture.place not in present]
    with _writing(entry, out):
        _save_all(missing, out, progress)
        _mark(entry, out, finished=True)
    shutil.rmtree(store(entry) / "unpacked", ignore_errors=True)  # the packed files are kept
    return PreparedDataset(out, entry.images, len(missing))


@contextlib.contextmanager
def _writing(entry: FieldDataset, out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        reason = f"{error.strerror or error}{where}; what was written is kept"
        raise OutputError(f"{out}: {entry.name} cannot be written: {reason}") from error


def _begin(entry: FieldDataset, out: Path) -> bool:
    """Claim the folder; whether an earlier run finished it."""
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: must be a folder or end in .zip, got a file; choose another name")
    out.mkdir(parents=True, exist_ok=True)
    before: dict[str, object] = {}
    with contextlib.suppress(FileNotFoundError, ValueError):
        before = json.loads((out / MARKER).read_bytes())
    if before.get("dataset") != entry.name and any(path.name[0] != "." for path in out.iterdir()):
        raise OutputError(f"{out}: holds something other than {entry.name}; choose a new or empty folder")
    if not before:
        _mark(entry, out, finished=False)
    return before.get("finished") is True


def _mark(entry: FieldDataset, out: Path, *, finished: bool) -> None:
    about = {"dataset": entry.name, "finished": finished, "terms": entry.terms, "page": entry.page}
    with atomic_write(out / MARKER) as file:
        file.write(json.dumps({**about, "paper": entry.paper}).encode("ascii") + b"\n")


def _present(out: Path) -> set[str]:
    """What an earlier run wrote; an empty file is what a power failure may leave of an image."""
    return {path.relative_to(out).as_posix() for path in _images(out) if path.stat().st_size}


def _images(out: Path) -> Iterator[Path]:
    return (path for path in out.rglob("*.*") if path.name[0] != "." and path.is_file())


def _save_all(missing: list[LabelledPicture], out: Path, progress: Progress) -> None:
    for folder in {(out / picture.place).parent for picture in missing}:
        folder.mkdir(parents=True, exist_ok=True)
    for left_over in out.glob(".image-*"):
        left_over.unlink(missing_ok=True)
    temporary = out / f".image-{os.getpid()}"
    try:
        for number, picture in enumerate(missing):
            _save(picture, out / picture.place, temporary)
            if number % _TOLD_EVERY == 0:
                progress("writing", number, len(missing))
    finally:
        temporary.unlink(missing_ok=True)
    progress("writing", len(missing), len(missing))


def _save(picture: LabelledPicture, target: Path, temporary: Path) -> None:
    # Not atomic_write: to sync 70,000 small files takes an hour, and all of them can be had again.
    if isinstance(picture.content, Path):
        shutil.copyfile(picture.content, temporary)
    else:
        Image.fromarray(picture.content).save(temporary, "PNG")
    temporary.replace(target)


def _finished_zip(entry: FieldDataset, out: Path) -> PreparedDataset:
    """An archive that is there is left alone; it is what was asked for if it says so."""
    with contextlib.suppress(OSError, zipfile.BadZipFile), zipfile.ZipFile(out) as archive:
        if archive.comment == _comment(entry):
            return PreparedDataset(out, entry.images, 0)
    raise OutputError(f"{out}: is there already and is not a complete {entry.name}; choose another name")


def _comment(entry: FieldDataset) -> bytes:
    return f"{entry.name}; {entry.terms}; {entry.page}".encode("ascii")


def _pack(entry: FieldDataset, folder: Path, out: Path, progress: Progress) -> None:
    """One ZIP, the same bytes for the same images; nothing is compressed, since PNG and JPEG are."""
    paths = sorted(_images(folder))
    with atomic_write(out) as file, zipfile.ZipFile(file, "w") as archive:
        for number, path in enumerate(paths):
            member = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EPOCH)
            archive.writestr(member, path.read_bytes())
            if number % _TOLD_EVERY == 0:
                progress("packing", number, len(paths))
        archive.comment = _comment(entry)
    progress("packing", len(paths), len(paths))
