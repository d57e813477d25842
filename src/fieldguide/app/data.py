"""Data: which photos there are, what is wrong with them, and how they look class by class."""

import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import streamlit as st

from fieldguide.app import album, findings, fixing, parts, room, source
from fieldguide.app.texts import counted, plain, sentence, short
from fieldguide.archives import ARCHIVE_SUFFIXES
from fieldguide.dataset import Dataset
from fieldguide.errors import FieldguideError

TITLE, ICON, PLACE = "Data", ":material/photo_library:", "data"

PER_SHEET = 30
MOST_CLASSES = 40
"""Classes whose counts are drawn."""


def show() -> None:
    """The page."""
    st.title("Photos to learn from")
    _choose()
    path = room.chosen_data()
    if path is not None:
        with room.told():
            _about(path, source.opened(path))


def _choose() -> None:
    none_yet = room.chosen_data() is None
    with st.expander("Choose photos" if none_yet else "Choose other photos", expanded=none_yet):
        st.markdown(
            "Sort photos into one folder for each class, such as photos/cat and photos/dog, and choose the "
            "folder that holds these. Tables with a path and a label, and archives of folders, work too."
        )
        left, right = st.columns(2, gap="large")
        with left, st.form("folder", border=False):
            text = st.text_input(
                "Folder, table or archive on this machine", placeholder="/home/me/photos", key="path"
            )
            if st.form_submit_button("Open") and text.strip() and source.choose(text):
                st.rerun()
        with right:
            archive = st.file_uploader(
                "Or upload an archive",
                type=[suffix for suffix in ARCHIVE_SUFFIXES if suffix.count(".") == 1],
                key="archive",
            )
            if archive is not None:
                _take_in(archive)
        if len(source.known()) > 1:
            source.pick("Or photos used before")


def _take_in(archive: Any) -> None:
    """Unpack what was uploaded, once; where that fails, say so as long as it stands in its box."""
    problems: dict[str, str] = st.session_state.setdefault("taken-in", {})
    if archive.file_id not in problems:
        problems[archive.file_id] = _unpacked(archive)
        if not problems[archive.file_id]:
            st.rerun()
    if problems[archive.file_id]:
        st.error(problems[archive.file_id])


def _unpacked(archive: Any) -> str:
    """Make an archive the photos of all pages; what is wrong with it, or nothing."""
    with tempfile.NamedTemporaryFile(suffix=Path(archive.name).suffix) as file:
        shutil.copyfileobj(archive, file)
        file.flush()
        try:
            room.use_data(source.unpack(Path(file.name), archive.name))
        except FieldguideError as error:
            words = str(error).replace(file.name, archive.name).removeprefix(f"{archive.name}: ")
            return f"**{plain(archive.name)}**: {sentence(words)}"
    return ""


def _about(path: Path, dataset: Dataset) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(source.called(path), 120)}**")
        st.button("Scan again", on_click=source.scan_again, icon=":material/refresh:", type="tertiary")
    numbers = Counter(dataset.labels)
    with st.container(horizontal=True, gap="medium"):
        st.metric("Photos", f"{len(dataset):,}", width="content")
        st.metric("Classes", f"{len(dataset.classes):,}", width="content")
        for split, count in Counter(dataset.splits or ()).items():
            st.metric(split.capitalize(), f"{count:,}", width="content")
        if dataset.refused:
            st.metric("Not usable", f"{len(dataset.refused):,}", width="content")
    for note in dataset.notes:
        st.caption(plain(note, 400))
    if dataset.refused:
        with st.expander(f"{counted(len(dataset.refused), 'thing')} that cannot be used"):
            rows = [refusal.as_dict() for refusal in dataset.refused[:1000]]
            st.dataframe(rows, hide_index=True)
    fixing.summary(path)
    faults, sheets, figures = st.tabs(
        ["Faults", "Contact sheets", "Photos a class"], on_change="rerun", key="view-of-data"
    )
    if faults.open:
        with faults:
            findings.show(path, dataset)
    if sheets.open:
        with sheets:
            _sheets(path, dataset, numbers)
    if figures.open:
        with figures:
            parts.counts(numbers.most_common(MOST_CLASSES))
            if len(numbers) > MOST_CLASSES:
                st.caption(f"and {len(numbers) - MOST_CLASSES:,} more classes")


def _sheets(path: Path, dataset: Dataset, numbers: Counter[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.selectbox(
            "Class", dataset.classes, format_func=lambda name: f"{short(name, 50)} ({numbers[name]:,})"
        )
        places = [place for place, name in enumerate(dataset.labels) if name == label]
        sheets = -(-len(places) // PER_SHEET)
        sheet = st.number_input("Sheet", 1, max(sheets, 1), key=f"sheet-{label}", width=120)
    first = (int(sheet) - 1) * PER_SHEET
    some = places[first : first + PER_SHEET]
    if st.toggle("Put labels right", key="fix-labels"):
        fixing.editor(path, dataset, some, {}, f"{label}-{sheet}")
    else:
        album.sheet([dataset.paths[place] for place in some], dataset)
    st.caption(f"{first + 1:,} to {first + len(some):,} of {len(places):,}")
