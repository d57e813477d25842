"""Models: what lies in the folder, what each says of itself; take one away, or take it along."""

import hashlib
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from fieldguide.app import session_state, widgets
from fieldguide.app.texts import counted, percent, plain, sentence, short_path
from fieldguide.commands.info import page
from fieldguide.commands.terminal import escaped
from fieldguide.errors import FieldguideError
from fieldguide.modelfile.exports.conversion import FORMS, export
from fieldguide.modelfile.limits import limits_of
from fieldguide.tasks.task import Task
from fieldguide.workspace.jobs import shown
from fieldguide.workspace.models import StoredModel, model_files, remove

TITLE, ICON, PLACE = "Models", ":material/shelves:", "models"

MEASURED = {"out-of-fold": ", each photo judged by a model that had not learned from it"}
"""What was measured on, in words."""
MOST_CLASSES = 20
"""Counts of images shown as bars."""


def show() -> None:
    """The page."""
    st.title("Models")
    folder = session_state.workspace().folder
    models = [session_state.shelved(path) for path in model_files(folder)]
    if not models:
        where = plain(short_path(str(folder)))
        st.info(
            f"There is no model file in {where} yet. Train one on the **Train** page, or put a "
            "file that ends in .onnx there. The ImageNet model in the sidebar needs no training."
        )
    if "exported" in st.session_state:
        show_word, word = st.session_state.pop("exported")
        show_word(word)
    for model in models:
        with st.container(border=True):
            _shelved(model)


def _shelved(model: StoredModel) -> None:
    st.subheader(plain(model.path.name), anchor=False)
    changed = time.strftime("%Y-%m-%d %H:%M", time.localtime(model.changed))
    if model.card is None:
        st.error(f"This file cannot be used. {escaped(model.problem or '')}")
        st.caption(f"{model.megabytes:.1f} MB, {changed}")
    else:
        _metrics(model.card)
        backbone = (model.card.get("backbone") or {}).get("name")
        facts = [model.card["recipe"], backbone, f"{model.megabytes:.1f} MB", changed]
        st.caption(" · ".join(plain(fact) for fact in facts if fact))
        for limit in limits_of(model.card):
            st.caption(sentence(limit))
    with st.container(horizontal=True):
        _buttons(model)
    if model.card is not None:
        with st.expander("What it says about itself"):
            _card(model.card)


def _metrics(card: Mapping[str, Any]) -> None:
    metrics, data = card.get("metrics") or {}, card.get("data") or {}
    of_tags = Task.of_card(card) is Task.MULTIPLE
    figure = metrics.get("map" if of_tags else "accuracy")
    with st.container(horizontal=True, gap="medium"):
        st.metric("Tags" if of_tags else "Classes", f"{len(card['classes']):,}", width="content")
        if isinstance(data.get("images"), int):
            st.metric("Photos learned from", f"{data['images']:,}", width="content")
        if figure:
            words = "Mean average precision" if of_tags else "Right answers"
            st.metric(words, _figure(of_tags, figure["value"]), width="content")
    if figure:
        low, high = _figure(of_tags, figure["low"]), _figure(of_tags, figure["high"])
        measured = MEASURED.get(str(metrics.get("measured_on")), "")
        measured += ", before it was exported" if "exported" in card else ""
        st.caption(f"95 % range {low} to {high}{measured}")


def _figure(of_tags: bool, value: float) -> str:
    """A share of photos in percent; an average precision is none."""
    return f"{value:.2f}" if of_tags else percent(value)


def key_of(path: Path) -> str:
    """Names a file among the widgets of a page: by its own name, unless that may hold what no text can."""
    if path.name.isascii() and path.name.isprintable():
        return path.name
    return hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]


def _buttons(model: StoredModel) -> None:
    name, key = model.path.name, key_of(model.path)
    if model.card is not None:
        st.button(
            "Use", key=f"use-{key}", on_click=session_state.use_model, args=(name,), icon=":material/check:"
        )
        st.download_button(
            "Download", model.path.read_bytes, escaped(name), "application/octet-stream",
            key=f"download-{key}", on_click="ignore", icon=":material/download:",
        )  # fmt: skip
        # Rounded twice, a model would only be worse.
        if "exported" not in model.card and st.button(
            "Export", key=f"export-{key}", icon=":material/output:"
        ):
            _export(model.path)
    if st.button("Delete", key=f"delete-{key}", icon=":material/delete:"):
        _ask(model.path)


@st.dialog("Export")
def _export(path: Path) -> None:
    names = {form: f"{form}: {module.SUMMARY}" for form, module in FORMS.items()}
    form = st.radio("As", list(FORMS), format_func=names.__getitem__, key=f"form-{key_of(path)}")
    out = path.with_name(path.stem + FORMS[form].SUFFIX)
    st.caption(
        f"Writes **{plain(out.name)}** beside it, to download and to use like any other; the page "
        "**Results** measures both on the same photos. The command that does the same:"
    )
    order = ("export", str(path), "--to", form, "--out", str(out))
    st.code(shown(order), language="bash", wrap_lines=True)
    if out.exists():
        st.caption(f"{plain(out.name)} is there already and will be replaced.")
    if st.button("Write it", type="primary", on_click=_exported, args=(path, form, out)):
        st.rerun()


def _exported(path: Path, form: str, out: Path) -> None:
    """Do it, and leave word for the page, since the dialog is closed by then."""
    try:
        done = export(path, form, out)
    except FieldguideError as error:
        st.session_state["exported"] = (st.error, sentence(str(error)))
        return
    before, after = done.bytes_before / 1e6, done.bytes_after / 1e6
    summary = f"{plain(out.name)}: {after:.1f} MB instead of {before:.1f} MB."
    st.session_state["exported"] = (st.success, summary)


@st.dialog("Delete this model?")
def _ask(path: Path) -> None:
    st.markdown(f"**{plain(path.name)}** is deleted from the disk. This cannot be undone.")
    with st.container(horizontal=True):
        if st.button("Delete it", type="primary", on_click=_remove, args=(path,)):
            st.rerun()
        if st.button("Keep it"):
            st.rerun()


def _remove(path: Path) -> None:
    with session_state.errors_shown():
        remove(path)


def _card(card: dict[str, Any]) -> None:
    numbers = (card.get("data") or {}).get("per_class")
    if isinstance(numbers, dict) and numbers:
        of_tags = Task.of_card(card) is Task.MULTIPLE
        kinds = counted(len(numbers), *(("tag",) if of_tags else ("class", "classes")))
        st.markdown(f"Photos of its {kinds}")
        rows = sorted(numbers.items(), key=lambda pair: -pair[1])
        widgets.counts(rows[:MOST_CLASSES])
    hidden = ("data", "classes", "history")
    lines = "\n".join(escaped(line) for line in page({k: v for k, v in card.items() if k not in hidden}))
    st.text(lines)
