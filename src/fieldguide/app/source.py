"""Which photos a page is about: those chosen last, recorded, uploaded, or a folder on this machine."""

import shutil
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import streamlit as st

from fieldguide.app import room
from fieldguide.app.texts import short, short_path
from fieldguide.archives import is_archive
from fieldguide.data_intake import take_in
from fieldguide.dataset import Dataset, open_dataset
from fieldguide.errors import DataError
from fieldguide.photo_store import PhotoStore
from fieldguide.workspace import Workspace

CORRECTIONS = "Corrections recorded on the Classify page"
CAMERA, UPLOADED = "Recorded by camera", "Uploaded"
_SECONDS_KEPT = 600


def known() -> dict[str, str]:
    """Data sets at hand: path → how they are called."""
    space = room.workspace()
    found = {str(path): _called(path, space) for path in space.recent()}
    stores = [(PhotoStore(path), f"{CAMERA}: {short(path.name)}") for path in _folders(space.collected)]
    for store, words in (*stores, (PhotoStore(space.corrections), CORRECTIONS)):
        if store.table.is_file():
            found[str(store.table)] = words
    return found


def called(path: Path) -> str:
    """What a data set is called where a person reads it."""
    return known().get(str(path), _called(path, room.workspace()))


def pick(words: str = "Photos") -> Path | None:
    """Let a person choose among the data sets at hand, under these words; None where there are none."""
    names = known()
    if not names:
        st.info("No photos chosen yet. Choose a folder or upload an archive on the **Data** page.")
        return None
    chosen = room.chosen_data()
    first = list(names).index(str(chosen)) if str(chosen) in names else 0
    picked = st.selectbox(words, list(names), index=first, format_func=lambda path: names[path])
    if picked != str(chosen):
        room.use_data(picked)
    return Path(picked)


def choose(text: str) -> bool:
    """Take a path that somebody typed; archives are unpacked first.

    Returns
    -------
    bool
        Whether it is a data set; where not, the page says why.
    """
    path = Path(text.strip().strip('"')).expanduser()
    with room.told():
        if not path.is_absolute():
            path = room.workspace().folder / path
        if path.is_file() and is_archive(path):
            path = unpack(path, path.name)
        opened(path)
        room.use_data(path)
        return True
    return False


def unpack(archive: Path, name: str) -> Path:
    """Unpack an archive into DIR, with a bar.

    Raises
    ------
    DataError
        If it is damaged or hostile, or holds no photos of classes; nothing of it stays.
    """
    folder = None
    try:
        with room.bar("Unpacking") as progress:
            folder = take_in(archive, name, room.workspace().uploads, progress)
        opened(folder)
    except BaseException as error:  # also a click, by which Streamlit breaks off this run of the page
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, DataError):
            raise DataError(str(error).replace(str(folder), name)) from error
        raise
    return folder


def opened(path: Path) -> Dataset:
    """A data set of labelled photos, scanned once in ten minutes.

    Raises
    ------
    DataError
        If it cannot be used.
    """
    return _opened(str(path))


def scan_again() -> None:
    """Forget what was scanned."""
    _opened.clear()


@st.cache_resource(ttl=_SECONDS_KEPT, max_entries=8, show_spinner="Looking through the folder …")
def _opened(path: str) -> Dataset:
    if is_archive(Path(path)):
        raise DataError(f"{path}: is an archive; choose it on the Data page, which unpacks it")
    with ExitStack() as stack:
        return stack.enter_context(open_dataset(path, minimum_classes=1))


def _called(path: Path, space: Workspace) -> str:
    return f"{UPLOADED}: {short(path.name)}" if path.parent == space.uploads else short_path(str(path))


def _folders(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
