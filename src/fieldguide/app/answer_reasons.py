"""Why a model answers what it answers: where it looks, and which known photos are most alike."""

from pathlib import Path
from typing import Any

import streamlit as st

from fieldguide.app import data_source, gallery, session_state
from fieldguide.app.texts import percent, plain, short
from fieldguide.explanation.explainer import Box, Explanation
from fieldguide.explanation.nearest_images import nearest
from fieldguide.explanation.overlay import overlay, sentence
from fieldguide.files import cache_folder
from fieldguide.images.decoding import open_image
from fieldguide.images.thumbnails import data_url, encoded
from fieldguide.prediction.predictor import Predictor
from fieldguide.workspace.jobs import all_jobs

SIDE = 640
"""Of the picture under a map."""
SHARP = 82
"""Its quality."""
ALIKE = 6
"""Known photos shown."""


def heat_map(model: Predictor, content: bytes, labels: list[str], key: str) -> None:
    """A photo under the map of one class, with how to read it."""
    label = st.selectbox("Where it looks for", labels, format_func=short, key=f"heat-{key}")
    with st.spinner("Taking the answer apart …"):
        found = _explained(model, content, label, key)
    how = sentence(found).replace("below the map", "above the map")  # here it stands above
    st.image(_drawn(content, found), width="stretch", alt=f"What speaks for {short(label)}: {how}")
    st.caption(plain(how, 600))


def alike(model: Predictor, content: bytes, key: str) -> None:
    """The known photos that this one is most like, where the model's photos are at hand."""
    path = known_photos()
    if path is None:
        st.caption(
            "The photos that this model learned from are not at hand; choose them on the **Data** page."
        )
        return
    with session_state.errors_shown():
        dataset = data_source.opened(path)
        kept: dict[tuple[str, str, str], Any] = st.session_state.setdefault("alike", {})
        place = (model.digest, str(path), key)
        if place not in kept:
            with session_state.bar("Comparing with known photos") as progress:
                kept[place] = nearest(
                    model, content, dataset, count=ALIKE, cache=cache_folder(), progress=progress
                )
        captions = [
            f"{short(one.label, 20) or 'no tags'}, alike {percent(max(one.similarity, 0))}"
            for one in kept[place]
        ]
        gallery.sheet([one.path for one in kept[place]], dataset, captions)


def known_photos() -> Path | None:
    """What the chosen model learned from, if it was trained here; else the photos chosen last."""
    out = str(session_state.workspace().folder / st.session_state["model"])
    for job in all_jobs(session_state.workspace().jobs):
        if job.arguments[0] == "train" and job.option("--out") == out and Path(job.arguments[1]).exists():
            return Path(job.arguments[1])
    return session_state.chosen_data()


def _explained(model: Predictor, content: bytes, label: str, key: str) -> Explanation:
    kept: dict[tuple[str, str, str], Explanation] = st.session_state.setdefault("explained", {})
    place = (model.digest, key, label)
    if place not in kept:
        kept[place] = model.explain(content, label)
        while len(kept) > 50:
            del kept[next(iter(kept))]
    return kept[place]


def _drawn(content: bytes, found: Explanation) -> str:
    photo = open_image(content)
    scale = min(1.0, SIDE / max(photo.size))
    small = photo.resize((max(1, round(photo.width * scale)), max(1, round(photo.height * scale))))
    left, top, right, bottom = found.area
    area: Box = (round(left * scale), round(top * scale), round(right * scale), round(bottom * scale))
    return data_url(encoded(overlay(small, found.map, area), quality=SHARP))
