"""Teach: hold things up to the camera, record a few frames of each, train in seconds, try it live."""

import json
import secrets
from pathlib import Path

import streamlit as st

from fieldguide.app import camera, job_progress, live, session_state, tag_answers, widgets
from fieldguide.app.texts import counted, plain, sentence, short
from fieldguide.errors import FieldguideError, RefusedInput
from fieldguide.workspace.extracted_archives import file_name
from fieldguide.workspace.jobs import start
from fieldguide.workspace.photo_store import PhotoStore
from fieldguide.workspace.tag_store import TagStore, holds_tags, store_in, tags_of

TITLE, ICON, PLACE = "Teach by camera", ":material/photo_camera:", "teach"

FEWEST = 8
"""Frames a class before training is offered."""
_RECORDER = "recorder"


def show() -> None:
    """The page."""
    st.title("Teach by camera")
    st.markdown(
        "Hold something up, name it, and record a few seconds while you turn it and move it about. Do the "
        "same with the next thing. Two takes of each, in other places, teach more than one long take."
    )
    store = _collection()
    left, right = st.columns([3, 2], gap="large")
    with left:
        _record(store)
    with right:
        _recorded(store)
        _train(store)
    _try()


def _collection() -> PhotoStore:
    folder = session_state.workspace().collected
    there = sorted((path.name for path in folder.iterdir() if path.is_dir()), key=str.casefold)
    name = st.selectbox(
        "Collection", there or ["my things"], accept_new_options=True, key="collection", format_func=short,
        help="Frames are kept under this name, and the model is called after it. Type a new one to start.",
    )  # fmt: skip
    place = folder / file_name(name or "my things")
    held = holds_tags(place)
    several = st.toggle(
        "Several things at once", value=bool(held), disabled=held is not None, key=f"several-{place.name}",
        help="A frame may show any number of things, each of them a tag. Decided by the first take.",
    )  # fmt: skip
    return store_in(place, tags=several)


def _record(store: PhotoStore) -> None:
    if isinstance(store, TagStore):
        _record_tags(store)
        return
    label = st.text_input("What do you hold up?", key="thing", placeholder="for example: mug", max_chars=60)
    st.session_state["store"] = str(store.folder)
    camera.recorder(label.strip(), _keep_burst, key=_RECORDER)
    if not label.strip():
        st.caption("Name it, then start the camera and record.")


def _record_tags(store: TagStore) -> None:
    tags = st.multiselect(
        "What is in the picture?", list(store.counts()), key="things", accept_new_options=True,
        format_func=short, placeholder="for example: mug, spoon; nothing is an answer, too",
    )  # fmt: skip
    st.session_state["store"] = str(store.folder)
    camera.recorder(json.dumps(tags), _keep_burst_of_tags, key=_RECORDER)


def _keep_burst_of_tags() -> None:
    named, frames = camera.frames_of(st.session_state[_RECORDER].burst)
    store, batch, kept = TagStore(Path(st.session_state["store"])), secrets.token_hex(4), 0
    tags = _tags_in(named)
    for number, frame in enumerate(frames, start=1):
        try:
            store.record_tags(frame, tags, name=f"frame {number}", batch=batch)
            kept += 1
        except RefusedInput:
            continue
        except FieldguideError as error:
            st.toast(sentence(str(error)))
            return
    st.toast(f"{counted(kept, 'frame')} recorded with {tag_answers.shown(tags)}")


def _tags_in(named: str) -> list[str]:
    """The tags that were chosen when a burst began; the browser that sends them back may send anything."""
    try:
        tags = json.loads(named)
    except ValueError:
        return []
    return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []


def _keep_burst() -> None:
    label, frames = camera.frames_of(st.session_state[_RECORDER].burst)
    store = PhotoStore(Path(st.session_state["store"]))
    batch = secrets.token_hex(4)
    kept = 0
    for number, frame in enumerate(frames):
        try:
            store.record(frame, label, name=f"frame {number + 1}", batch=batch)
            kept += 1
        except RefusedInput:
            continue
        except FieldguideError as error:
            st.toast(sentence(str(error)))
            return
    st.toast(f"{counted(kept, 'frame')} of {plain(label)} recorded")


def _recorded(store: PhotoStore) -> None:
    numbers = store.counts()
    if not numbers:
        st.info("Nothing recorded yet. Two things, or more, are needed.")
        return
    widgets.counts(list(numbers.items()))
    with st.expander("Take something out"):
        of_tags = isinstance(store, TagStore)
        gone = st.selectbox("Tag" if of_tags else "Class", list(numbers), format_func=short, key="gone")
        if st.button("Remove all its frames", key="remove-class"):
            for photo in store.photos():
                if gone in (tags_of(photo) if of_tags else [photo.label]):
                    store.forget(photo.digest)
            st.rerun()


def _train(store: PhotoStore) -> None:
    numbers = store.counts()
    least, of_tags = min(numbers.values(), default=0), isinstance(store, TagStore)
    # Of one tag, frames without it are the other side.
    kinds = len(numbers) + (of_tags and len(store.photos()) - least >= FEWEST)
    enough = kinds >= 2 and least >= FEWEST
    name = f"{store.folder.name}.onnx"
    jobs = [job for job in job_progress.busy() if Path(job.option("--out") or "").name == name]
    if st.button("Train", type="primary", disabled=not enough or bool(jobs), key="teach-train"):
        out = session_state.workspace().folder / name
        order = ["train", str(store.table), "--out", str(out), "--preset", "fast"]
        with session_state.errors_shown():
            start(session_state.workspace().jobs, order)
            st.rerun()
    if not enough:
        st.caption(f"Training begins with two things, {FEWEST} frames of each.")
    _watch(name)


def _watch(name: str) -> None:
    """The latest training of this collection, whichever tab began it, and before a reload too."""
    jobs = (job for job in job_progress.trainings() if Path(job.option("--out") or "").name == name)
    job = next(jobs, None)
    if job is not None:
        job_progress.watch(job)


def _try() -> None:
    st.divider()
    st.subheader("Try it live", anchor=False)
    model = session_state.chosen_model()
    if model is None:
        return
    st.caption(f"The model in the sidebar answers: {plain(st.session_state['model'])}.")
    live.show(model, key="live")
