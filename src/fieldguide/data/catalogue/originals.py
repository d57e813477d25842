"""The original files of a dataset of the field: found, downloaded, checked and unpacked.

A download that breaks off goes on where it stopped, and every file is checked against its published sum
before it is opened. torchvision's own downloads start again, print, and take a folder that was half unpacked
for a whole one; here files are unpacked beside, and the folder gets its name at the end.
"""

import contextlib
import gzip
import hashlib
import shutil
import tarfile
import urllib.error
import urllib.request
import zipfile
import zlib
from http.client import HTTPException
from pathlib import Path

from fieldguide.data.catalogue.entries import FieldDataset, Original
from fieldguide.errors import DataError
from fieldguide.files import cache_folder
from fieldguide.progress import Progress, silent

_CHUNK = 1 << 20
_SECONDS_WITHOUT_A_BYTE = 60
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError)


def store(entry: FieldDataset) -> Path:
    """The dataset's folder in the cache: downloaded files, and what is unpacked while it is written out."""
    return cache_folder() / "datasets" / entry.name


def unpacked(entry: FieldDataset, given: Path | None, *, download: bool, progress: Progress = silent) -> Path:
    """A folder with the original files unpacked, laid out as torchvision's loader has them.

    Parameters
    ----------
    entry
        Which dataset.
    given
        A folder with the original files, packed or unpacked; None takes the cache.
    download
        Whether files that are not there may be downloaded into the cache; not where a folder is given.
    progress
        Callback for progress: ``downloading …, MB``, ``checking …`` and ``unpacking …``.

    Raises
    ------
    DataError
        If a file is missing and not to be downloaded, cannot be downloaded, or is not the published one.
        The message names address and place of each missing file.
    """
    if given is not None and not given.is_dir():
        raise DataError(f"{given}: must be a folder with the original files of {entry.name}; there is none")
    if given is not None and all((given / path).exists() for path in entry.unpacked):
        return given
    root = store(entry) / "unpacked"
    if given is None and root.is_dir():
        return root
    files = {original: _found(entry, original, given) for original in entry.originals}
    if None in files.values() and (given is not None or not download):
        raise DataError(_how_to_fetch(entry, given, "are missing"))
    paths = [
        _checked(entry, original, file, progress) if file else _fetched(entry, original, progress)
        for original, file in files.items()
    ]
    _unpack_all(entry, paths, root, progress)
    return root


def _found(entry: FieldDataset, original: Original, given: Path | None) -> Path | None:
    folders = [store(entry)] if given is None else [given, given / entry.base]
    return next((folder / original.name for folder in folders if (folder / original.name).is_file()), None)


def _checked(entry: FieldDataset, original: Original, file: Path, progress: Progress) -> Path:
    """The file itself, if it is the published one or holds the same when unpacked."""
    progress(f"checking {original.name}", 0, None)
    if _md5(file) == original.md5:
        return file
    if original.content_sha256:
        with contextlib.suppress(*_BROKEN), gzip.open(file) as content:
            if hashlib.file_digest(content, "sha256").hexdigest() == original.content_sha256:
                return file
    raise DataError(
        f"{file}: must be {entry.name}'s original with MD5 {original.md5}, got another or a damaged one; "
        f"remove it and fetch it again from {original.urls[0]}"
    )


def _md5(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _fetched(entry: FieldDataset, original: Original, progress: Progress) -> Path:
    """Download one file into the cache, going on where an earlier attempt stopped."""
    folder = store(entry)
    folder.mkdir(parents=True, exist_ok=True)
    target, part = folder / original.name, folder / f"{original.name}.part"
    reasons = []
    for url in original.urls:
        try:
            _download(url, part, f"downloading {original.name}, MB", progress)
        except (OSError, HTTPException, ValueError) as error:
            reasons.append(f"{url}: {getattr(error, 'reason', None) or error or type(error).__name__}")
            continue
        progress(f"checking {original.name}", 0, None)
        if _md5(part) == original.md5:
            return part.replace(target)
        part.unlink()
        reasons.append(f"{url}: what came has not the MD5 {original.md5}")
    raise DataError(_how_to_fetch(entry, None, f"cannot be downloaded ({'; '.join(reasons)})"))


def _download(url: str, part: Path, stage: str, progress: Progress) -> None:
    there = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={there}-"} if there else {})
    try:
        answer = urllib.request.urlopen(request, timeout=_SECONDS_WITHOUT_A_BYTE)
    except urllib.error.HTTPError as error:
        error.close()
        if there and error.code == 416:  # nothing after what is there: it is whole, or the sum will tell
            return
        raise
    with answer:
        if answer.status != 206:  # the server sends all of it again
            there = 0
        length = answer.headers.get("Content-Length")
        total = there + int(length) if length else None
        with part.open("ab" if there else "wb") as file:
            while chunk := answer.read(_CHUNK):
                file.write(chunk)
                there += len(chunk)
                progress(stage, there // 10**6, total and total // 10**6)
    if total is not None and there < total:
        raise ConnectionError(f"the connection broke off after {there:,} of {total:,} bytes")


def _how_to_fetch(entry: FieldDataset, given: Path | None, what: str) -> str:
    """What to do where a file is missing: address and place of each one."""
    missing = [o for o in entry.originals if _found(entry, o, given) is None]
    place = store(entry) if given is None else given
    urls = ", ".join(original.urls[0] for original in missing)
    return (
        f"{entry.name}: original files {what}; fetch {urls}, if need be on another machine, "
        f"put {'it' if len(missing) == 1 else 'them'} into {place} and run the same command again"
    )


def _unpack_all(entry: FieldDataset, paths: list[Path], root: Path, progress: Progress) -> None:
    """Unpack into a folder beside `root`, which gets its name once it is whole."""
    beside = root.with_name("unpacking")
    shutil.rmtree(beside, ignore_errors=True)
    for path in paths:
        folder = beside / entry.base
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _unpack(path, folder, progress)
        except _BROKEN as error:
            raise DataError(f"{path}: cannot be unpacked into {folder} ({error}); is there room?") from error
    shutil.rmtree(root, ignore_errors=True)
    beside.rename(root)


def _unpack(path: Path, folder: Path, progress: Progress) -> None:
    stage = f"unpacking {path.name}"
    if path.name.endswith((".tar.gz", ".tgz")):
        with tarfile.open(path) as archive:
            for number, member in enumerate(archive):
                archive.extract(member, folder, filter="data")
                progress(stage, number + 1, None)
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path) as zipped:
            for number, name in enumerate(names := zipped.namelist()):
                zipped.extract(name, folder)
                progress(stage, number + 1, len(names))
    elif path.suffix == ".gz":
        with gzip.open(path) as source, (folder / path.stem).open("wb") as target:
            shutil.copyfileobj(source, target)
    else:
        shutil.copyfile(path, folder / path.name)
