"""Data: which photos there are, what is wrong with them, and how they look class by class."""

import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import streamlit as st

from fieldguide.app import correction, data_source, findings, gallery, session_state, widgets
from fieldguide.app.texts import counted, plain, sentence, short
from fieldguide.data.archives import ARCHIVE_SUFFIXES
from fieldguide.data.dataset import Dataset
from fieldguide.data.options import DataOptions
from fieldguide.errors import FieldguideError
from fieldguide.tasks.task import Task

TITLE, ICON, PLACE = "Data", ":material/photo_library:", "data"

PER_SHEET = 30
MOST_CLASSES = 40
"""Classes whose counts are drawn."""


def show() -> None:
    """The page."""
    st.title("Photos to learn from")
    _choose()
    path = session_state.chosen_data()
    if path is not None:
        with session_state.errors_shown():
            _about(path, data_source.opened(path))


def _choose() -> None:
    none_yet = session_state.chosen_data() is None
    with st.expander("Choose photos" if none_yet else "Choose other photos", expanded=none_yet):
        st.markdown(
            "Sort photos into one folder for each class, such as photos/cat and photos/dog, and choose the "
            "folder that holds these. Tables with a path and a label, exports of annotation tools, and "
            "archives of all of these work too. A table with a column labels gives photos any number of "
            "tags."
        )
        reading = data_source.asked_reading()
        left, right = st.columns(2, gap="large")
        with left, st.form("folder", border=False):
            text = st.text_input(
                "Folder, table or archive on this machine", placeholder="/home/me/photos", key="path"
            )
            if st.form_submit_button("Open") and text.strip() and data_source.choose(text, reading):
                st.rerun()
        with right:
            archive = st.file_uploader(
                "Or upload an archive",
                type=[suffix for suffix in ARCHIVE_SUFFIXES if suffix.count(".") == 1],
                key="archive",
            )
            if archive is not None:
                _take_in(archive, reading)
        if len(data_source.known()) > 1:
            data_source.pick("Or photos used before")


def _take_in(archive: Any, reading: DataOptions) -> None:
    """Unpack what was uploaded, once; where that fails, say so as long as it stands in its box."""
    problems: dict[tuple[str, DataOptions], str] = st.session_state.setdefault("taken-in", {})
    tried = (archive.file_id, reading)  # said otherwise, it may be read after all
    if tried not in problems:
        problems[tried] = _unpacked(archive, reading)
        if not problems[tried]:
            st.rerun()
    if problems[tried]:
        st.error(problems[tried])


def _unpacked(archive: Any, reading: DataOptions) -> str:
    """Make an archive the photos of all pages; what is wrong with it, or nothing."""
    with tempfile.NamedTemporaryFile(suffix=Path(archive.name).suffix) as file:
        shutil.copyfileobj(archive, file)
        file.flush()
        try:
            session_state.use_data(data_source.unpack(Path(file.name), archive.name, reading))
        except FieldguideError as error:
            words = str(error).replace(file.name, archive.name).removeprefix(f"{archive.name}: ")
            return f"**{plain(archive.name)}**: {sentence(words)}"
    return ""


def _about(path: Path, dataset: Dataset) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(data_source.called(path), 120)}**")
        st.button("Scan again", on_click=data_source.scan_again, icon=":material/refresh:", type="tertiary")
    of_tags = dataset.task is Task.MULTIPLE
    numbers = Counter(name for row in range(len(dataset)) for name in names_at(dataset, row))
    with st.container(horizontal=True, gap="medium"):
        st.metric("Photos", f"{len(dataset):,}", width="content")
        st.metric("Tags" if of_tags else "Classes", f"{len(dataset.classes):,}", width="content")
        if of_tags:
            bare = sum(not names_at(dataset, row) for row in range(len(dataset)))
            st.metric("Without any tag", f"{bare:,}", width="content")
        for split, count in Counter(dataset.splits or ()).items():
            st.metric(split.capitalize(), f"{count:,}", width="content")
        if dataset.refused:
            st.metric("Not usable", f"{len(dataset.refused):,}", width="content")
    widgets.doubts(doubt.as_dict() for doubt in dataset.doubts)
    for note in dataset.notes:
        st.caption(plain(note, 400))
    if dataset.refused:
        with st.expander(f"{counted(len(dataset.refused), 'thing')} that cannot be used"):
            rows = [refusal.as_dict() for refusal in dataset.refused[:1000]]
            st.dataframe(rows, hide_index=True)
    correction.summary(path)
    faults, sheets, figures = st.tabs(
        ["Faults", "Contact sheets", "Photos a tag" if of_tags else "Photos a class"],
        on_change="rerun",
        key="view-of-data",
    )
    if faults.open:
        with faults:
            findings.show(path, dataset)
    if sheets.open:
        with sheets:
            _sheets(path, dataset, numbers)
    if figures.open:
        with figures:
            widgets.counts(numbers.most_common(MOST_CLASSES))
            if len(numbers) > MOST_CLASSES:
                st.caption(f"and {len(numbers) - MOST_CLASSES:,} more {'tags' if of_tags else 'classes'}")


def names_at(dataset: Dataset, row: int) -> tuple[str, ...]:
    """What a photo shows: its label, or all of its tags."""
    if dataset.task is Task.SINGLE:
        return (dataset.labels[row],)
    tags = dataset.tags_at(row)
    return () if tags is None else tags.present


def _sheets(path: Path, dataset: Dataset, numbers: Counter[str]) -> None:
    of_tags = dataset.task is Task.MULTIPLE
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.selectbox(
            "Tag" if of_tags else "Class",
            dataset.classes,
            format_func=lambda name: f"{short(name, 50)} ({numbers[name]:,})",
        )
        places = [place for place in range(len(dataset)) if label in names_at(dataset, place)]
        sheets = -(-len(places) // PER_SHEET)
        sheet = st.number_input("Sheet", 1, max(sheets, 1), key=f"sheet-{label}", width=120)
    first = (int(sheet) - 1) * PER_SHEET
    some = places[first : first + PER_SHEET]
    if st.toggle("Put tags right" if of_tags else "Put labels right", key="fix-labels"):
        edit = correction.tag_editor if of_tags else correction.editor
        edit(path, dataset, some, {}, f"{label}-{sheet}")
    else:
        captions = [", ".join(names_at(dataset, place)) for place in some] if of_tags else None
        gallery.sheet([dataset.paths[place] for place in some], dataset, captions)
    st.caption(f"{first + 1:,} to {first + len(some):,} of {len(places):,}")
