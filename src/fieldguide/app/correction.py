"""Labels and tags put right by clicking: a table with pictures, whose changes become lines of corrections."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import streamlit as st

from fieldguide.app import gallery, session_state
from fieldguide.app.texts import counted, short
from fieldguide.data.corrections import Correction
from fieldguide.data.dataset import Dataset
from fieldguide.workspace.correction_table import CorrectionTable

BY_HAND = "changed in the app"


def table(data: Path) -> CorrectionTable:
    """The corrections of a data set."""
    return CorrectionTable(session_state.workspace().fixes, data)


def summary(data: Path) -> None:
    """What is corrected until now, with a way back."""
    with session_state.errors_shown():
        lines = table(data).lines()
        if not lines:
            return
        actions = [line.action for line in lines]
        tags = actions.count("add") + actions.count("remove")
        changed = counted(tags, "tag") if tags else counted(actions.count("relabel"), "label")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                f":material/build: **{changed} put right, {counted(actions.count('drop'), 'photo')} "
                "left out.** The photos themselves stay as they are."
            )
            st.download_button(
                "Download", table(data).path.read_bytes(), "corrections.csv", "text/csv", on_click="ignore"
            )
            st.button("Undo all", key="undo-fixes", on_click=table(data).clear)


def editor(
    data: Path, dataset: Dataset, rows: Sequence[int], suggested: Mapping[int, Correction], key: str
) -> None:
    """Photos with their labels, to be changed or left out.

    Parameters
    ----------
    data, dataset
        The photos.
    rows
        Those shown.
    suggested
        Corrections that the table begins with, by row.
    key
        Names the table on its page.
    """
    made = {(line.path, line.label): line for line in table(data).lines()}
    before = [_row(dataset, row, made, suggested) for row in rows]
    why = ["why"] if any(row["why"] for row in before) else []
    after = st.data_editor(
        before,
        column_order=["photo", "label", "leave out", *why, "file"],
        column_config={
            "photo": st.column_config.ImageColumn("photo", width=80),
            "label": st.column_config.SelectboxColumn("label", options=list(dataset.classes), required=True),
            "leave out": st.column_config.CheckboxColumn("leave out"),
            "why": st.column_config.TextColumn("why", width="large"),
        },
        disabled=["photo", "file", "why"], hide_index=True, row_height=72, key=f"edit-{key}",
    )  # fmt: skip
    if st.button("Save these labels", key=f"save-{key}", type="primary", icon=":material/save:"):
        lines = [
            line
            for row, cells in zip(rows, after, strict=True)
            if (line := _line(dataset, row, cells, row in suggested, made)) is not None
        ]
        with session_state.errors_shown():
            table(data).put(lines)
            st.toast(f"{counted(len(lines), 'correction')} saved")
            st.rerun()


def _row(
    dataset: Dataset,
    row: int,
    made: Mapping[tuple[str, str], Correction],
    suggested: Mapping[int, Correction],
) -> dict[str, Any]:
    path, label = dataset.display(dataset.paths[row]), dataset.labels[row]
    line = made.get((path, label)) or suggested.get(row)
    return {
        "photo": gallery.small(dataset.paths[row]),
        "label": line.corrected if line and line.action == "relabel" else label,
        "leave out": bool(line and line.action == "drop"),
        "why": short(line.reason, 120) if line else "",
        "file": short(path),
    }


def _line(
    dataset: Dataset,
    row: int,
    cells: Mapping[str, Any],
    doubted: bool,
    made: Mapping[tuple[str, str], Correction],
) -> Correction | None:
    """The correction that a row of the table asks for; None where it is right and nothing was said."""
    path, label = dataset.display(dataset.paths[row]), dataset.labels[row]
    reason = str(cells["why"]) or BY_HAND
    if cells["leave out"]:
        return Correction(path, label, "", "drop", reason)
    if cells["label"] != label:
        return Correction(path, label, str(cells["label"]), "relabel", reason)
    return Correction(path, label, "", "keep", reason) if doubted or (path, label) in made else None


def tag_editor(
    data: Path, dataset: Dataset, rows: Sequence[int], suggested: Mapping[int, Sequence[Correction]], key: str
) -> None:
    """Photos with their tags, to be changed or left out.

    Parameters
    ----------
    data, dataset
        The photos.
    rows
        Those shown.
    suggested
        Corrections that the table begins with, by row.
    key
        Names the table on its page.
    """
    made = by_path(table(data).lines())
    lines = {row: [*made.get(_path(dataset, row), ()), *suggested.get(row, ())] for row in rows}
    before = [_tag_row(dataset, row, lines[row]) for row in rows]
    why = ["why"] if any(row["why"] for row in before) else []
    after = st.data_editor(
        before,
        column_order=["photo", "tags", "leave out", *why, "file"],
        column_config={
            "photo": st.column_config.ImageColumn("photo", width=80),
            "tags": st.column_config.MultiselectColumn("tags", options=list(dataset.classes), width="large"),
            "leave out": st.column_config.CheckboxColumn("leave out"),
            "why": st.column_config.TextColumn("why", width="large"),
        },
        disabled=["photo", "file", "why"], hide_index=True, row_height=72, key=f"edit-{key}",
    )  # fmt: skip
    if st.button("Save these tags", key=f"save-{key}", type="primary", icon=":material/save:"):
        wanted = [
            line
            for row, cells in zip(rows, after, strict=True)
            for line in tag_changes(dataset, row, cells, lines[row])
        ]
        with session_state.errors_shown():
            table(data).replace({_path(dataset, row) for row in rows}, wanted)
            st.toast(f"{counted(len(wanted), 'correction')} saved")
            st.rerun()


def by_path(lines: Iterable[Correction]) -> dict[str, list[Correction]]:
    """Lines of each photo, by its path as results show it."""
    found: dict[str, list[Correction]] = {}
    for line in lines:
        found.setdefault(line.path, []).append(line)
    return found


def tag_changes(
    dataset: Dataset, row: int, cells: Mapping[str, Any], lines: Iterable[Correction] = ()
) -> list[Correction]:
    """The corrections that a row of the table asks for, a line a tag.

    Of `lines`, which the row began with, those that are not followed say `keep`, and are not
    suggested again.
    """
    path, reason = _path(dataset, row), str(cells["why"]) or BY_HAND
    if cells["leave out"]:
        return [Correction(path, "", "", "drop", reason)]
    had, wanted = set(_tags(dataset, row)), set(cells["tags"] or ())
    changed = [
        *(Correction(path, "", tag, "add", reason) for tag in sorted(wanted - had)),
        *(Correction(path, tag, "", "remove", reason) for tag in sorted(had - wanted)),
    ]
    known = {line.about for line in changed}
    left = {line.about: line for line in lines if line.about not in known and line.action != "drop"}
    return [*changed, *(replace(line, action="keep") for line in left.values())]


def _tag_row(dataset: Dataset, row: int, lines: Sequence[Correction]) -> dict[str, Any]:
    tags = set(_tags(dataset, row))
    tags |= {line.corrected for line in lines if line.action == "add" and line.corrected in dataset.classes}
    tags -= {line.label for line in lines if line.action == "remove"}
    return {
        "photo": gallery.small(dataset.paths[row]),
        "tags": sorted(tags),
        "leave out": any(line.action == "drop" for line in lines),
        "why": short("; ".join(dict.fromkeys(line.reason for line in lines)), 120),
        "file": short(_path(dataset, row)),
    }


def _path(dataset: Dataset, row: int) -> str:
    return dataset.display(dataset.paths[row])


def _tags(dataset: Dataset, row: int) -> tuple[str, ...]:
    tags = dataset.tags_at(row)
    return () if tags is None else tags.present
