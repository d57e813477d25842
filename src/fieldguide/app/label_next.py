"""Label next: the photos that the model is least sure of, by click or key; then retrain."""

import hashlib
import weakref
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

import streamlit as st

from fieldguide.app import job_progress, session_state, tag_answers
from fieldguide.app.data_source import opened, reading_arguments
from fieldguide.app.texts import counted, plain, sentence, short
from fieldguide.errors import DataError, FieldguideError, RefusedInput
from fieldguide.images.decoding import read_bytes
from fieldguide.images.thumbnails import data_url, thumbnail
from fieldguide.prediction.active_learning import next_to_label
from fieldguide.prediction.inputs import find_inputs
from fieldguide.prediction.predictor import Predictor
from fieldguide.prediction.suggestion import Suggestion, TagSuggestion
from fieldguide.tasks.task import Task
from fieldguide.workspace.extracted_archives import file_name
from fieldguide.workspace.jobs import start
from fieldguide.workspace.photo_store import PhotoStore
from fieldguide.workspace.tag_store import TagStore

TITLE, ICON, PLACE = "Label next", ":material/label:", "label"

COUNT = 30
"""Photos chosen at once; after a training others say more."""
BUTTONS = 9
"""Classes with a button and a key each; of more, the two likeliest have, and a list has all."""
SIDE, QUALITY = 560, 82
FEWEST = 2
"""Labelled photos of a class before training on them alone is offered."""

_Photo: TypeAlias = Suggestion | TagSuggestion


def show() -> None:
    """The page."""
    st.title("Label next")
    st.markdown(
        "The photos that this model is least sure of, and no two alike, are worth most. Say what each one "
        "is, with a click or a key, and train again: that takes seconds."
    )
    model = session_state.chosen_model()
    if model is None:
        return
    place = st.text_input(
        "Photos without labels: a folder, an archive or a table",
        placeholder="/home/me/new photos",
        key="unlabelled",
    )
    if place:
        with session_state.errors_shown():
            _label(model, _suggested(model, Path(place).expanduser()))
    _train()


class _Unpacked:
    """Images of an archive or a table, which go when others are chosen, or with the session."""

    def __init__(self) -> None:
        self.stack = ExitStack()
        self.files: dict[str, str] = {}
        weakref.finalize(self, self.stack.close)


def _suggested(model: Predictor, place: Path) -> Sequence[_Photo]:
    """What to label, chosen once a model and place, or when asked for."""
    key = (model.digest, str(place))
    if st.session_state.get("suggested-for") != key:
        unpacked = _Unpacked()
        with session_state.bar("Choosing photos") as progress:
            inputs = find_inputs([str(place)], stack=unpacked.stack, progress=progress)
            found = next_to_label(model, inputs.items, count=COUNT, progress=progress)
        unpacked.files = inputs.files()
        if "suggested-files" in st.session_state:
            st.session_state["suggested-files"].stack.close()
        st.session_state["suggested-for"], st.session_state["suggested"] = key, found.photos
        st.session_state["suggested-files"] = unpacked
        st.session_state["passed"] = set()
        for refusal in found.refused[:3]:
            st.warning(f"{plain(Path(refusal.path).name)} cannot be read: {plain(refusal.message)}")
    photos: Sequence[_Photo] = st.session_state["suggested"]
    return photos


def _label(model: Predictor, photos: Sequence[_Photo]) -> None:
    passed: set[str] = st.session_state["passed"]
    left = [photo for photo in photos if photo.path not in passed]
    if not left:
        st.success(
            f"{counted(len(photos), 'photo')} looked at. Train again; then other photos will teach more."
        )
        return
    photo = left[0]
    st.progress(1 - len(left) / len(photos), text=f"{len(photos) - len(left)} of {len(photos)}")
    left_side, right_side = st.columns([3, 2], gap="large")
    with left_side:
        try:
            picture = data_url(thumbnail(read_bytes(_file(photo)), SIDE, quality=QUALITY))
            st.image(picture, caption=plain(Path(photo.path).name), alt=short(Path(photo.path).name))
        except RefusedInput as error:  # it was readable a moment ago
            st.error(f"{plain(Path(photo.path).name)}: {plain(error.message)}")
    with right_side:
        st.markdown(f"The model would say **{plain(photo.guess)}** ({plain(photo.reason, 200)}).")
        if isinstance(photo, TagSuggestion):
            _tag_choices(model, photo)
        else:
            _choices(model, photo)


def _file(photo: _Photo) -> str:
    """Where a photo lies, which for one of an archive is not its name."""
    unpacked: _Unpacked = st.session_state["suggested-files"]
    return unpacked.files.get(photo.path, photo.path)


def _choices(model: Predictor, photo: Suggestion) -> None:
    likely = dict.fromkeys(name for name in (photo.suggested, photo.second) if name)
    offered = model.classes if len(model.classes) <= BUTTONS else tuple(likely)
    name = _key_of(photo)
    for number, label in enumerate(offered, start=1):
        st.button(
            plain(label), key=f"label-{name}-{number}", shortcut=str(number), width="stretch",
            on_click=_record, args=(model, photo, label),
        )  # fmt: skip
    key = f"label-other-{name}"
    st.selectbox(
        "Another class", list(model.classes), index=None, key=key, format_func=short, accept_new_options=True,
        placeholder="Another class, or a new name", label_visibility="collapsed",
        on_change=_record_other, args=(model, photo, key),
    )  # fmt: skip
    _other_ways(photo)


def _key_of(photo: _Photo) -> str:
    return hashlib.sha256(photo.path.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _other_ways(photo: _Photo) -> None:
    """Buttons to pass a photo over, and to take the last answer back."""
    name = _key_of(photo)
    with st.container(horizontal=True):
        st.button("Skip", key=f"skip-{name}", shortcut="s", on_click=_pass, args=(photo,))
        if st.session_state.get("labelled-last"):
            st.button("Undo", key=f"undo-{name}", shortcut="u", on_click=_undo)


def _tag_choices(model: Predictor, photo: TagSuggestion) -> None:
    """Tags to tick; those that the model gives are ticked already."""
    name = _key_of(photo)
    likely = dict.fromkeys((*photo.suggested, *(tag for tag, _ in photo.unsure), *model.classes))
    tag_answers.ticked(
        model.classes, photo.suggested, list(likely), name,
        lambda tags: _record_tags(model, photo, tags), "These tags are right",
    )  # fmt: skip
    _other_ways(photo)


def _record_tags(model: Predictor, photo: TagSuggestion, tags: Sequence[str]) -> None:
    try:
        kept = TagStore(session_state.workspace().tag_corrections).record_tags(
            read_bytes(_file(photo)),
            tags,
            name=Path(photo.path).name,
            said="|".join(photo.suggested),
            model=model.digest,
        )
    except FieldguideError as error:  # a new name that is none, or it was readable a moment ago
        st.toast(sentence(str(error)))
        return
    st.session_state["labelled-last"] = (photo.path, kept.digest)
    _pass(photo)


def _record_other(model: Predictor, photo: Suggestion, key: str) -> None:
    if st.session_state.get(key):
        _record(model, photo, st.session_state[key])


def _record(model: Predictor, photo: Suggestion, label: str) -> None:
    try:
        kept = _store().record(
            read_bytes(_file(photo)),
            label,
            name=Path(photo.path).name,
            said=photo.suggested,
            model=model.digest,
        )
    except RefusedInput as error:
        st.toast(error.message)
    else:
        st.session_state["labelled-last"] = (photo.path, kept.digest)
    _pass(photo)


def _pass(photo: _Photo) -> None:
    st.session_state["passed"] = st.session_state["passed"] | {photo.path}


def _undo() -> None:
    path, digest = st.session_state.pop("labelled-last")
    _store().forget(digest)
    st.session_state["passed"] = st.session_state["passed"] - {path}


def _store() -> PhotoStore:
    """Where labels or tags go, by what the chosen model gives."""
    space = session_state.workspace()
    model = session_state.chosen_model()
    if model is not None and model.task is Task.MULTIPLE:
        return TagStore(space.tag_corrections)
    return PhotoStore(space.corrections)


def _train() -> None:
    """Train in seconds: the chosen photos and those labelled here, or these alone."""
    store, data = _store(), session_state.chosen_data()
    numbers, photos = store.counts(), len(store.photos())
    if not photos:
        return
    own = data is None or data == store.table or not _fits(data, store)
    least = min(numbers.values(), default=0)
    enough = not own or (len(numbers) >= (1 if isinstance(store, TagStore) else 2) and least >= FEWEST)
    chosen = st.session_state["model"]
    name = "labelled" if session_state.offered_model() else Path(chosen).stem
    out = session_state.workspace().folder / f"{file_name(name, 'labelled')}-next.onnx"
    jobs = [job for job in job_progress.trainings() if job.option("--out") == str(out)]
    busy = any(job in job_progress.busy() for job in jobs)
    with_what = "" if own else f", with those of {plain(Path(str(data)).name)}"
    st.markdown(f"**{counted(photos, 'photo')} labelled**{with_what}.")
    if st.button("Train again", type="primary", disabled=busy or not enough, key="label-train"):
        order = ["train", str(store.table if own else data), "--out", str(out), "--preset", "fast"]
        order += [] if own else [*reading_arguments(Path(str(data))), "--add", str(store.table)]
        with session_state.errors_shown():
            start(session_state.workspace().jobs, order)
            st.rerun()
    if not enough:
        kinds = "a tag" if isinstance(store, TagStore) else "two classes"
        st.caption(f"Training begins with {kinds}, {FEWEST} photos of each, or with a data set chosen.")
    if jobs:
        job_progress.watch(jobs[0])


def _fits(data: Path, store: PhotoStore) -> bool:
    """Whether photos are labelled as those of the store are: with one label each, or with tags."""
    try:
        return opened(data).task is (Task.MULTIPLE if isinstance(store, TagStore) else Task.SINGLE)
    except DataError:  # which the training then says
        return True
