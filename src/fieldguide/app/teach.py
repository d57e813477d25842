"""Teach: hold things up to the camera, record a few frames of each, train in seconds, try it live."""

import secrets
import time
from pathlib import Path
from typing import Any

import streamlit as st

from fieldguide.app import camera, parts, room, watching
from fieldguide.app.texts import counted, percent, plain, sentence, short
from fieldguide.data_intake import file_name
from fieldguide.errors import FieldguideError, RefusedInput
from fieldguide.jobs import start
from fieldguide.photo_store import PhotoStore
from fieldguide.predictor import Predictor

TITLE, ICON, PLACE = "Teach by camera", ":material/photo_camera:", "teach"

FEWEST = 8
"""Frames a class before training is offered."""
_RECORDER, _LIVE = "recorder", "live"


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
    folder = room.workspace().collected
    there = sorted((path.name for path in folder.iterdir() if path.is_dir()), key=str.casefold)
    name = st.selectbox(
        "Collection", there or ["my things"], accept_new_options=True, key="collection", format_func=short,
        help="Frames are kept under this name, and the model is called after it. Type a new one to start.",
    )  # fmt: skip
    return PhotoStore(folder / file_name(name or "my things"))


def _record(store: PhotoStore) -> None:
    label = st.text_input("What do you hold up?", key="thing", placeholder="for example: mug", max_chars=60)
    st.session_state["store"] = str(store.folder)
    camera.recorder(label.strip(), _keep_burst, key=_RECORDER)
    if not label.strip():
        st.caption("Name it, then start the camera and record.")


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
    parts.counts(list(numbers.items()))
    with st.expander("Take something out"):
        gone = st.selectbox("Class", list(numbers), format_func=short, key="gone")
        if st.button("Remove all its frames", key="remove-class"):
            for photo in store.photos():
                if photo.label == gone:
                    store.forget(photo.digest)
            st.rerun()


def _train(store: PhotoStore) -> None:
    numbers = store.counts()
    enough = len(numbers) >= 2 and min(numbers.values()) >= FEWEST
    name = f"{store.folder.name}.onnx"
    jobs = [job for job in watching.busy() if Path(job.option("--out") or "").name == name]
    if st.button("Train", type="primary", disabled=not enough or bool(jobs), key="teach-train"):
        out = room.workspace().folder / name
        order = ["train", str(store.table), "--out", str(out), "--preset", "fast"]
        with room.told():
            job = start(room.workspace().jobs, order)
            st.session_state["taught"] = str(job.folder)
            st.rerun()
    if not enough:
        st.caption(f"Training begins with two things, {FEWEST} frames of each.")
    _watch()


def _watch() -> None:
    taught = st.session_state.get("taught")
    job = next((job for job in watching.latest() if str(job.folder) == taught), None)
    if job is not None:
        watching.watch(job)


def _try() -> None:
    st.divider()
    st.subheader("Try it live", anchor=False)
    model = room.chosen_model()
    if model is None:
        return
    st.caption(f"The model in the sidebar answers: {plain(st.session_state['model'])}.")
    st.fragment(_live)(model)


def _live(model: Predictor) -> None:
    st.session_state["live-model"] = model
    camera.live(st.session_state.get("live-answer"), _answer_frame, key=_LIVE)


def _answer_frame() -> None:
    frame: Any = st.session_state[_LIVE].frame
    if not isinstance(frame, dict):
        return
    image = camera.jpeg_of(frame.get("image"))
    model: Predictor = st.session_state["live-model"]
    began = time.perf_counter()
    answer = model.predict([image], top=1)[0] if image else None
    if answer is None or answer.error is not None:
        said = {"label": "…", "words": "this frame cannot be read", "share": 0.0}
    elif answer.unknown:
        said = {"label": "unknown", "words": "none of its classes", "share": 0.0}
    else:
        milliseconds = 1000 * (time.perf_counter() - began)
        sure = answer.probability or 0.0
        said = {
            "label": short(answer.label or ""),
            "words": f"{percent(sure)} sure, {milliseconds:.0f} ms",
            "share": sure,
        }
    st.session_state["live-answer"] = {"number": frame.get("number"), **said}
