"""Classify: photos in, answers at once; a wrong one is put right by a click."""

import dataclasses
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from fieldguide.app import answer_reasons, live, session_state, tag_answers, widgets
from fieldguide.app.camera import paste_listener
from fieldguide.app.texts import counted, plain, sentence, short
from fieldguide.errors import FieldguideError, RefusedInput
from fieldguide.images.decoding import MAX_FILE_BYTES
from fieldguide.images.thumbnails import data_url, thumbnail
from fieldguide.prediction.predictor import Predictor
from fieldguide.prediction.result import Prediction
from fieldguide.prediction.rows import write_csv, write_jsonl
from fieldguide.tasks.task import Task
from fieldguide.workspace.photo_store import PhotoStore
from fieldguide.workspace.tag_store import TagStore, tags_of

TITLE, ICON, PLACE = "Classify", ":material/image_search:", "classify"

LIVE = "Live camera"
"""A source of photos: none is kept, each frame is answered."""
TOP = 5
"""Classes shown with their bars."""
IN_TABLE, ALONE = 60, 640
"""Pixels of a photo in the table and above its answer."""
SHARP = 82
"""Quality of these; the default is meant for sheets of many."""
MOST_IN_TABLE = 6
"""Tags of a photo in the table; downloads have all."""
FEW = 8
"""So many classes have a button each for corrections; of more, the likeliest have."""
_KEPT = 2_000
"""Answers kept in a tab."""


@dataclass(frozen=True)
class Photo:
    """A photo that somebody gave."""

    key: str
    """Names it in this tab."""
    name: str
    file: Any
    """Gives its bytes by ``getvalue()``."""


def show() -> None:
    """The page."""
    st.title("What is in the photo?")
    model = session_state.chosen_model()
    if model is None:
        return
    photos = _given()
    if photos is None:
        live.show(model, key="live-classify")
        return
    if not photos:
        _introduce(model)
        return
    answers = _answers(model, photos)
    chosen = _table(photos, answers) if len(photos) > 1 else 0
    _one(model, photos[chosen], answers[chosen])
    _downloads(answers)


def _introduce(model: Predictor) -> None:
    """What the model knows, where there is no photo yet."""
    names = ", ".join(plain(name) for name in model.classes[:8])
    more = f" and {len(model.classes) - 8:,} more" if len(model.classes) > 8 else ""
    if model.task is Task.MULTIPLE:
        known = counted(len(model.classes), "tag")
        st.info(f"This model knows {known}, of which a photo may have any number: {names}{more}.")
        return
    st.info(f"This model knows {counted(len(model.classes), 'class', 'classes')}: {names}{more}.")


def _given() -> list[Photo] | None:
    """The photos of whichever source is chosen; None for the live camera, which gives none to keep."""
    source = st.segmented_control(
        "Photos from",
        ["Files", "Camera", LIVE],
        default="Files",
        required=True,
        key="source",
        label_visibility="collapsed",
    )
    if source == LIVE:
        return None
    if source == "Camera":
        shot = st.camera_input("Take a photo")
        return [Photo(shot.file_id, "camera.jpg", shot)] if shot else []
    paste_listener()
    files = st.file_uploader(
        "Drop photos here, browse, or paste a copied picture",
        accept_multiple_files=True,
        max_upload_size=MAX_FILE_BYTES // 1_000_000,
        key="photos",
    )
    return [Photo(file.file_id, file.name, file) for file in files]


def _answers(model: Predictor, photos: Sequence[Photo]) -> list[Prediction]:
    """One a photo; each photo is asked about once a model, however often the page is drawn."""
    known: dict[tuple[str, str], Prediction] = st.session_state.setdefault("answers", {})
    missing = [photo for photo in photos if (model.digest, photo.key) not in known]
    if missing:
        contents = (photo.file.getvalue() for photo in missing)
        with session_state.bar("Looking at the photos") as progress:
            for done, answer in enumerate(model.predict_stream(contents, top=TOP)):
                photo = missing[done]
                known[model.digest, photo.key] = dataclasses.replace(answer, path=photo.name)
                if len(missing) > 1:
                    _small(photo, IN_TABLE)  # the table needs it, and this is where progress is shown
                    progress("photos", done + 1, len(missing))
        while len(known) > max(_KEPT, len(photos)):
            del known[next(iter(known))]
    return [known[model.digest, photo.key] for photo in photos]


def _table(photos: Sequence[Photo], answers: Sequence[Prediction]) -> int:
    """All results; the number of the one that was clicked."""
    refused = sum(answer.error is not None for answer in answers)
    unknown = sum(bool(answer.unknown) for answer in answers)
    facts = [counted(len(photos), "photo")]
    facts += [f"{unknown} unknown"] if unknown else []
    facts += [f"{refused} could not be read"] if refused else []
    st.markdown(f"**{', '.join(facts)}.** Choose a row to see more of it.")
    event = st.dataframe(
        [_row(photo, answer) for photo, answer in zip(photos, answers, strict=True)],
        column_config={
            "photo": st.column_config.ImageColumn("", width=60),
            "sure": st.column_config.ProgressColumn("sure", min_value=0, max_value=1, format="percent"),
            "tags": st.column_config.ListColumn("tags", width=320),
            "possible too": st.column_config.ListColumn("possible too", width=200),
        },
        hide_index=True, row_height=44, height=min(430, 40 + 44 * len(photos)),
        on_select="rerun", selection_mode="single-row", key="table",
    )  # fmt: skip
    rows = event.selection.rows
    return rows[0] if rows and rows[0] < len(photos) else 0


def _row(photo: Photo, answer: Prediction) -> dict[str, Any]:
    if answer.labels is not None:
        return _tag_row(photo, answer)
    seen = "cannot be read" if answer.error else "unknown" if answer.unknown else short(answer.label or "")
    return {
        "photo": _small(photo, IN_TABLE),
        "answer": seen,
        "sure": None if answer.error or answer.unknown else answer.probability,
        "file": short(photo.name),
        "possible": ", ".join(short(name, 30) for name in answer.set[:4]),
    }


def _tag_row(photo: Photo, answer: Prediction) -> dict[str, Any]:
    given = answer.labels or ()
    seen = "cannot be read" if answer.error else "unknown" if answer.unknown else "" if given else "no tags"
    return {
        "photo": _small(photo, IN_TABLE),
        "tags": [seen] if seen else [short(name, 30) for name in given[:MOST_IN_TABLE]],
        "possible too": [short(name, 30) for name in answer.set if name not in given][:MOST_IN_TABLE],
        "file": short(photo.name),
    }


def _one(model: Predictor, photo: Photo, answer: Prediction) -> None:
    left, right = st.columns([2, 3], gap="large")
    if answer.error is not None:
        right.error(f"**{plain(photo.name)}** cannot be read: {plain(answer.error.message)}")
        return
    with left:
        _picture(model, photo, answer)
    with right:
        if model.task is Task.MULTIPLE:
            _tags(model, photo, answer)
            return
        widgets.verdict(answer)
        st.caption(_doubt(model, answer))
        for limit in model.limits:
            st.caption(sentence(limit))
        widgets.bars(answer.top, muted=bool(answer.unknown))
        _correct(model, photo, answer)


def _tags(model: Predictor, photo: Photo, answer: Prediction) -> None:
    """The answer of a model of tags, and boxes to put it right."""
    tag_answers.chips(answer, model.classes)
    st.caption(tag_answers.doubt(model, answer))
    for limit in model.limits:
        st.caption(sentence(limit))
    tag_answers.all_bars(answer, model.classes)
    store = TagStore(session_state.workspace().tag_corrections)
    digest = _digest(photo)
    recorded = next((kept for kept in store.photos() if kept.digest == digest), None)
    if recorded is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"Recorded with {tag_answers.shown(tags_of(recorded))}.")
            st.button("Undo", key=f"undo-{photo.key}", on_click=store.forget, args=(digest,))
        return
    st.markdown("**Wrong?** Tick the right tags; the photo goes to your corrections.")
    given = () if answer.unknown else answer.labels or ()
    tag_answers.ticked(
        model.classes, given, tag_answers.likeliest(answer, model.classes), photo.key,
        lambda tags: _record_tags(model, photo, answer, tags), "Record these tags",
    )  # fmt: skip


def _record_tags(model: Predictor, photo: Photo, answer: Prediction, tags: Sequence[str]) -> None:
    store = TagStore(session_state.workspace().tag_corrections)
    said = "|".join(answer.labels or ())
    try:
        store.record_tags(photo.file.getvalue(), tags, name=photo.name, said=said, model=model.digest)
    except FieldguideError as error:  # a new name that is none, or the photo was readable a moment ago
        st.toast(sentence(str(error)))


def _picture(model: Predictor, photo: Photo, answer: Prediction) -> None:
    views = ["Photo", "Where it looks", "Alike"]
    view = st.segmented_control(
        "View", views, default="Photo", required=True, key="view", label_visibility="collapsed"
    )
    if view == "Photo":
        picture = _small(photo, ALONE)
        if picture:
            st.image(picture, caption=plain(photo.name), width="stretch", alt=short(photo.name))
    elif view == "Where it looks":
        labels = [name for name, _ in answer.top]
        if model.task is Task.MULTIPLE:
            labels = tag_answers.likeliest(answer, model.classes)
        answer_reasons.heat_map(model, photo.file.getvalue(), labels, photo.key)
    else:
        answer_reasons.alike(model, photo.file.getvalue(), photo.key)


def _doubt(model: Predictor, answer: Prediction) -> str:
    """What the promises of the model say of this photo, in words."""
    coverage = model.thresholds["coverage"]
    sentences = []
    if answer.unknown:
        sentences.append(
            "It looks less like the photos that the model learned from than 99 in 100 of their kind do. "
            "If it had to be one of the classes:"
        )
    elif coverage and len(answer.set) > 1:
        names = ", ".join(plain(name) for name in answer.set[:TOP])
        rest = f" and {len(answer.set) - TOP} more" if len(answer.set) > TOP else ""
        sentences.append(f"In {coverage:.0%} of cases the right one is among: {names}{rest}.")
    elif coverage and len(answer.set) == 1:
        sentences.append(f"No other class is likely enough to be counted in ({coverage:.0%} of cases).")
    if not answer.unknown and coverage and answer.typicality is not None:
        stranger = round(100 * answer.typicality)
        sentences.append(f"{stranger} in 100 photos of its classes look more unusual than this one.")
    return " ".join(sentences).replace("%", " %").replace("  %", " %")


def _correct(model: Predictor, photo: Photo, answer: Prediction) -> None:
    store = PhotoStore(session_state.workspace().corrections)
    digest = _digest(photo)
    recorded = next((kept for kept in store.photos() if kept.digest == digest), None)
    if recorded is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"Recorded as **{plain(recorded.label)}**.")
            st.button("Undo", key=f"undo-{photo.key}", on_click=store.forget, args=(digest,))
        return
    st.markdown("**Wrong?** Choose what it is; the photo goes to your corrections.")
    likely = model.classes if len(model.classes) <= FEW else [name for name, _ in answer.top]
    offered = [name for name in likely if answer.unknown or name != answer.label]
    with st.container(horizontal=True, gap="small"):
        for number, name in enumerate(offered):
            st.button(
                plain(name),
                key=f"right-{photo.key}-{number}",
                on_click=_record,
                args=(model, photo, answer, name),
            )
    key = f"other-{photo.key}"
    st.selectbox(
        "Another class", list(model.classes), index=None, key=key, format_func=short, accept_new_options=True,
        placeholder="Another class, or a new name", label_visibility="collapsed",
        on_change=_record_other, args=(model, photo, answer, key),
    )  # fmt: skip


def _record_other(model: Predictor, photo: Photo, answer: Prediction, key: str) -> None:
    if st.session_state.get(key):
        _record(model, photo, answer, st.session_state[key])


def _record(model: Predictor, photo: Photo, answer: Prediction, label: str) -> None:
    store = PhotoStore(session_state.workspace().corrections)
    try:
        store.record(photo.file.getvalue(), label, name=photo.name, said=answer.label, model=model.digest)
    except RefusedInput as error:  # it was readable a moment ago
        st.toast(error.message)


def _downloads(answers: Sequence[Prediction]) -> None:
    rows = [answer.as_row() for answer in answers]
    with st.container(horizontal=True):
        for words, name, writer in (
            ("Download CSV", "predictions.csv", write_csv),
            ("Download JSON", "predictions.jsonl", write_jsonl),
        ):
            memory = io.BytesIO()
            writer(rows, memory)
            st.download_button(words, memory.getvalue(), name, on_click="ignore", icon=":material/download:")


def _small(photo: Photo, side: int) -> str | None:
    """The photo in small as a URL, made once; None where it cannot be read."""
    kept: dict[tuple[str, int], str | None] = st.session_state.setdefault("small", {})
    if (photo.key, side) not in kept:
        try:
            kept[photo.key, side] = data_url(thumbnail(photo.file.getvalue(), side, quality=SHARP))
        except RefusedInput:
            kept[photo.key, side] = None
        while len(kept) > _KEPT:
            del kept[next(iter(kept))]
    return kept[photo.key, side]


def _digest(photo: Photo) -> str:
    return hashlib.sha256(photo.file.getvalue()).hexdigest()
