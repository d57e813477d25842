"""What every page stands in: DIR, the chosen model, the chosen data, and what was loaded once."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from fieldguide.app.texts import sentence
from fieldguide.commands.terminal import escaped
from fieldguide.errors import FieldguideError
from fieldguide.files import cache_folder
from fieldguide.prediction.predictor import Predictor, load
from fieldguide.progress import Progress
from fieldguide.workspace import offered_models
from fieldguide.workspace.folder import Workspace
from fieldguide.workspace.models import StoredModel, describe, imagenet_model, model_files
from fieldguide.workspace.offered_models import CIFAR, OfferedModel, at_hand, offered

IMAGENET = offered_models.IMAGENET.label
"""How the model that needs no training is called."""
_MOST_LOADED = 4
_WANTED = "model-wanted"


def workspace() -> Workspace:
    """DIR, as ``fieldguide app`` passes it on."""
    return Workspace(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve())


def choose_model() -> None:
    """Offer the models in the sidebar; :func:`chosen_model` has the choice."""
    if (wanted := st.session_state.pop(_WANTED, None)) is not None:
        st.session_state["model"] = wanted
    files = [path.name for path in model_files(workspace().folder)]
    names = [*files, *(model.label for model in offered(files))]
    if st.session_state.get("model") not in names:
        st.session_state.pop("model", None)
    st.sidebar.selectbox("Model", names, key="model", format_func=distinct(names).__getitem__)


def distinct(names: Sequence[str]) -> dict[str, str]:
    r"""How names are shown so that each can be told from the others: a browser sends back what it shows.

    Examples
    --------
    >>> distinct(["a.onnx", "\x1b.onnx", "\\x1b.onnx"])
    {'a.onnx': 'a.onnx', '\x1b.onnx': '\\x1b.onnx', '\\x1b.onnx': '\\x1b.onnx (2)'}
    """
    shown: dict[str, str] = {}
    for name in names:
        text, number = escaped(name), 1
        while text in shown.values():
            number += 1
            text = f"{escaped(name)} ({number})"
        shown[name] = text
    return shown


def use_model(name: str) -> None:
    """Choose a model of DIR by its file name; for callbacks. The sidebar shows it when it is drawn next.

    Setting the sidebar's own value would not do: where only a part of the page is drawn anew, the browser,
    which still shows the model of before, sends that back.
    """
    st.session_state[_WANTED] = name


def draw_all_if_wanted() -> None:
    """Draw the whole page if a model was chosen in a part of it that is drawn by itself."""
    if _WANTED in st.session_state:
        st.rerun()


def chosen_model() -> Predictor | None:
    """The model chosen in the sidebar, loaded; None where it cannot be used, which the page then says."""
    name = st.session_state["model"]
    with errors_shown():
        model = offered_model()
        if model is None:
            return loaded(workspace().folder / name)
        if can_answer(model):
            return loaded(_imagenet(model.name))
        st.info("This model is not here yet. The sidebar says what it needs; or choose another model there.")
    return None


def offered_model() -> OfferedModel | None:
    """The model chosen in the sidebar, where it is no file of DIR."""
    return {model.label: model for model in offered(())}.get(st.session_state["model"])


def can_answer(model: OfferedModel) -> bool:
    """Whether a model that is no file of DIR can be used now, without a network."""
    return model is not CIFAR and at_hand(model, cache_folder())


def loaded(path: Path) -> Predictor:
    """A model file, loaded once for all tabs and until the file changes.

    Raises
    ------
    ModelFileError
        If it may not be used.
    """
    status = path.stat()
    return _loaded(os.fsencode(path), status.st_mtime_ns, status.st_size)


def shelved(path: Path) -> StoredModel:
    """A model file as the list of models shows it, read once until the file changes."""
    status = path.stat()
    return _shelved(os.fsencode(path), status.st_mtime_ns, status.st_size)


def use_data(path: Path | str) -> None:
    """Choose a data set for all pages."""
    workspace().remember(Path(path))
    st.session_state["data"] = str(path)


def chosen_data() -> Path | None:
    """The data set that was chosen last, here or before the page was loaded anew."""
    chosen = st.session_state.get("data")
    if chosen is None:
        recent = workspace().recent()
        return recent[0] if recent else None
    return Path(chosen)


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show what cannot be done as a sentence in a red box, and go on with the page."""
    try:
        yield
    except FieldguideError as error:
        st.error(sentence(str(error)))


@contextmanager
def bar(words: str) -> Iterator[Progress]:
    """A progress bar that is there as long as the work, and only if the work reports."""
    place = st.empty()

    def show(stage: str, done: int, total: int | None) -> None:
        share = done / total if total else 0.0
        count = f"{done:,} of {total:,}" if total else f"{done:,}"
        place.progress(min(1.0, share), text=f"{words}: {stage}, {count}")

    try:
        yield show
    finally:
        place.empty()


def _imagenet(backbone: str) -> Path:
    """Its file, looked into once a tab: that reads it whole."""
    key = f"imagenet-{backbone}"
    known: Path | None = st.session_state.get(key)
    if known is None or not known.is_file():
        with bar("Preparing the ImageNet model, once") as progress:
            place = st.empty()
            place.info("The ImageNet model is being prepared. This takes some seconds, only the first time.")
            known = st.session_state[key] = imagenet_model(cache_folder(), progress, backbone)
            place.empty()
    return known


@st.cache_resource(max_entries=_MOST_LOADED, show_spinner="Loading the model …")
def _loaded(path: bytes, changed: int, size: int) -> Predictor:
    return load(os.fsdecode(path))


@st.cache_data(max_entries=100, show_spinner=False)
def _shelved(path: bytes, changed: int, size: int) -> StoredModel:
    return describe(Path(os.fsdecode(path)))
