"""Which photos a page is about: those chosen last, recorded, uploaded, or a folder on this machine."""

import weakref
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import streamlit as st

from fieldguide.app import session_state
from fieldguide.app.texts import short, short_path
from fieldguide.data.archives import is_archive
from fieldguide.data.dataset import Dataset, open_dataset
from fieldguide.data.forms import titles
from fieldguide.data.options import DataOptions
from fieldguide.errors import DataError
from fieldguide.files import remove_folder
from fieldguide.tasks.task import EITHER, as_task
from fieldguide.workspace.extracted_archives import extracted
from fieldguide.workspace.folder import Workspace
from fieldguide.workspace.photo_store import PhotoStore
from fieldguide.workspace.readings import as_arguments, keep_reading, reading_of
from fieldguide.workspace.tag_store import TagStore

CORRECTIONS = "Corrections recorded on the Classify page"
TAG_CORRECTIONS = "Corrections of tags recorded on the Classify page"
TASKS = {"single": "one label a photo", "multiple": "any number of tags a photo"}
CAMERA, UPLOADED = "Recorded by camera", "Uploaded"
_SECONDS_KEPT = 600


def known() -> dict[str, str]:
    """Data sets at hand: path → how they are called."""
    space = session_state.workspace()
    found = {str(path): _called(path, space) for path in space.recent()}
    stores = [(PhotoStore(path), f"{CAMERA}: {short(path.name)}") for path in _folders(space.collected)]
    own = ((PhotoStore(space.corrections), CORRECTIONS), (TagStore(space.tag_corrections), TAG_CORRECTIONS))
    for store, words in (*stores, *own):
        if store.table.is_file():
            found[str(store.table)] = words
    return found


def called(path: Path) -> str:
    """What a data set is called where a person reads it."""
    return known().get(str(path), _called(path, session_state.workspace()))


def pick(words: str = "Photos") -> Path | None:
    """Let a person choose among the data sets at hand, under these words; None where there are none."""
    names = known()
    if not names:
        st.info("No photos chosen yet. Choose a folder or upload an archive on the **Data** page.")
        return None
    chosen = session_state.chosen_data()
    first = list(names).index(str(chosen)) if str(chosen) in names else 0
    picked = st.selectbox(words, list(names), index=first, format_func=lambda path: names[path])
    if picked != str(chosen):
        session_state.use_data(picked)
    return Path(picked)


def asked_reading() -> DataOptions:
    """Let a person say how photos are to be read that are not recognised."""
    with st.popover("How they are read", icon=":material/tune:"):
        form = st.selectbox(
            "Form", list(titles()), index=None, key="form", placeholder="recognised",
            format_func=lambda name: f"{name}: {titles()[name]}",
        )  # fmt: skip
        label = st.text_input(
            "Column or attribute of the labels", key="label-column", placeholder="found out"
        )
        task = st.selectbox(
            "Labels of a photo", list(TASKS), index=None, key="task", placeholder="the photos decide",
            format_func=TASKS.__getitem__,
        )  # fmt: skip
        crops = st.checkbox("Learn annotated boxes, each cut out of its photo", key="crops")
    return DataOptions(form=form, label_column=label.strip() or None, crops=crops, task=as_task(task))


def choose(text: str, reading: DataOptions) -> bool:
    """Take a path that somebody typed; archives are unpacked first.

    Returns
    -------
    bool
        Whether it is a data set; where not, the page says why.
    """
    path = Path(text.strip().strip('"')).expanduser()
    with session_state.errors_shown():
        if not path.is_absolute():
            path = session_state.workspace().folder / path
        if path.is_file() and is_archive(path):
            path = unpack(path, path.name, reading)
        _opened_as(path, reading)
        session_state.use_data(path)
        return True
    return False


def unpack(archive: Path, name: str, reading: DataOptions) -> Path:
    """Unpack an archive into DIR, with a bar.

    Raises
    ------
    DataError
        If it is damaged or hostile, or holds no photos of classes; nothing of it stays.
    """
    folder = None
    try:
        with session_state.bar("Unpacking") as progress:
            folder = extracted(archive, name, session_state.workspace().uploads, progress)
        _opened_as(folder, reading)
    except BaseException as error:  # also a click, by which Streamlit breaks off this run of the page
        if folder is not None:
            remove_folder(folder)
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
    return _opened(str(path), reading_of(session_state.workspace(), path))


def reading_arguments(path: Path) -> list[str]:
    """What a command is told of how a data set is read."""
    return as_arguments(reading_of(session_state.workspace(), path))


def _opened_as(path: Path, reading: DataOptions) -> None:
    """Open a data set as a person said, and keep that for all pages if it can be."""
    _opened(str(path), reading)
    keep_reading(session_state.workspace(), path, reading)


def scan_again() -> None:
    """Forget what was scanned."""
    _opened.clear()


@st.cache_resource(
    ttl=_SECONDS_KEPT,
    max_entries=8,
    show_spinner="Looking through the folder …",
    hash_funcs={DataOptions: repr},
)
def _opened(path: str, reading: DataOptions) -> Dataset:
    if is_archive(Path(path)):
        raise DataError(f"{path}: is an archive; choose it on the Data page, which unpacks it")
    with ExitStack() as stack:
        dataset = stack.enter_context(open_dataset(path, minimum_classes=1, options=reading, tasks=EITHER))
        # images that lay inside other files are there as long as the data set is remembered
        weakref.finalize(dataset, stack.pop_all().close)
    return dataset


def _called(path: Path, space: Workspace) -> str:
    return f"{UPLOADED}: {short(path.name)}" if path.parent == space.uploads else short_path(str(path))


def _folders(folder: Path) -> Iterable[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
