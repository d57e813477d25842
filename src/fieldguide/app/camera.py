"""What Streamlit's own widgets cannot: paste a picture, record a burst of frames, show answers live.

Small components of our own (Streamlit's second component interface), in JavaScript files beside this one.
They talk to the browser's camera and to this app, to nothing else.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

FRAMES = 12
"""Of a burst."""
RECORD_EVERY, LIVE_EVERY = 250, 60
"""Milliseconds between two frames; live, after the answer to the one before."""
SIDE = 480
"""Longest side of a frame in pixels."""
MOST_BYTES = 2_000_000
"""Of a frame; a larger one did not come from the component."""

WORDS = {
    "start": "Start the camera",
    "stop": "Stop the camera",
    "record": f"Record {FRAMES} frames",
    "denied": "The browser was not allowed to use the camera. Allow it beside the address, and start again.",
    "none": "No camera was found. Plug one in, close other programs that use it, and start again.",
}
_HEAD = "data:image/jpeg;base64,"
_HERE = Path(__file__).parent


def _text(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


_paste = st.components.v2.component("fieldguide_paste", js=_text("paste.js"), html="<span></span>")
_camera = st.components.v2.component(
    "fieldguide_camera", js=_text("camera.js"), html=_text("camera.html"), css=_text("camera.css")
)


def paste_listener() -> None:
    """Let pictures be pasted anywhere on a page that has a file uploader."""
    _paste(key="paste", height=1)


def recorder(label: str, on_burst: Callable[[], None], *, key: str) -> None:
    """A camera that records bursts of frames.

    Parameters
    ----------
    label
        What is held up; nothing can be recorded while it is empty.
    on_burst
        Called when a burst has come; ``st.session_state[key]`` then has it as ``burst``, for
        :func:`frames_of`.
    key
        Names the component.
    """
    data = {"mode": "record", "label": label, "frames": FRAMES, "every": RECORD_EVERY}
    _camera(key=key, data=data | {"side": SIDE, "words": WORDS}, on_burst_change=on_burst)


def live(answer: Mapping[str, Any] | None, on_frame: Callable[[], None], *, key: str) -> None:
    """A camera that shows the answer to what it sees.

    Parameters
    ----------
    answer
        ``number`` of the frame that it belongs to, ``label``, ``words`` and ``share`` from 0 to 1.
    on_frame
        Called when a frame has come; ``st.session_state[key]`` then has it as ``frame``: ``number`` and
        ``image``, for :func:`jpeg_of`.
    key
        Names the component.
    """
    data = {"mode": "live", "every": LIVE_EVERY, "side": SIDE, "words": WORDS, "answer": answer}
    _camera(key=key, data=data, on_frame_change=on_frame)


def frames_of(burst: Any) -> tuple[str, list[bytes]]:
    """Label and JPEGs of a burst; what is no JPEG is left out, since a browser may send anything."""
    if not isinstance(burst, Mapping) or not isinstance(burst.get("frames"), list):
        return "", []
    frames = [jpeg_of(frame) for frame in burst["frames"][:FRAMES]]
    return str(burst.get("label", "")), [frame for frame in frames if frame is not None]


def jpeg_of(url: Any) -> bytes | None:
    """The bytes of a frame."""
    if not isinstance(url, str) or not url.startswith(_HEAD) or len(url) > MOST_BYTES:
        return None
    try:
        return base64.b64decode(url.removeprefix(_HEAD), validate=True)
    except binascii.Error:
        return None
