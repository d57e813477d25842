"""Live: the camera, and what the chosen model says of it, several times a second."""

import time
from typing import Any

import streamlit as st

from fieldguide.app import camera
from fieldguide.app.texts import percent, short
from fieldguide.prediction.predictor import Predictor
from fieldguide.prediction.result import Prediction

MOST_TAGS = 4
"""Named of those that a frame has."""


def show(model: Predictor, *, key: str) -> None:
    """The camera, and the model's answer to what it sees, drawn by itself.

    Parameters
    ----------
    model
        Answers.
    key
        Names the component on its page.
    """
    st.fragment(_live)(model, key)


def _live(model: Predictor, key: str) -> None:
    st.session_state["live-model"] = model
    camera.live(st.session_state.get("live-answer"), lambda: _answer_frame(key), key=key)


def _answer_frame(key: str) -> None:
    frame: Any = st.session_state[key].frame
    if not isinstance(frame, dict):
        return
    image = camera.jpeg_of(frame.get("image"))
    model: Predictor = st.session_state["live-model"]
    began = time.perf_counter()
    answer = model.predict([image], top=MOST_TAGS)[0] if image else None
    if answer is None or answer.error is not None:
        said = {"label": "…", "words": "this frame cannot be read", "share": 0.0}
    elif answer.unknown:
        said = {"label": "unknown", "words": "none of its classes", "share": 0.0}
    else:
        said = _said(answer, 1000 * (time.perf_counter() - began))
    st.session_state["live-answer"] = {"number": frame.get("number"), **said}


def _said(answer: Prediction, milliseconds: float) -> dict[str, Any]:
    """A label and how sure, or the tags given with the probability of each."""
    if answer.labels is None:
        sure = answer.probability or 0.0
        words = f"{percent(sure)} sure, {milliseconds:.0f} ms"
        return {"label": short(answer.label or ""), "words": words, "share": sure}
    given = [(name, share) for name, share in answer.top if name in answer.labels]
    sure_of_each = [percent(share) for _, share in given]
    return {
        "label": ", ".join(short(name, 30) for name, _ in given) or "no tags",
        "words": f"{', '.join([*sure_of_each, ''])}{milliseconds:.0f} ms",
        "share": given[0][1] if given else 0.0,
    }
