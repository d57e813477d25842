"""Tags put right by clicking: a table with pictures, whose changes become lines of a corrections table."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from fieldguide.app import correction, gallery, session_state
from fieldguide.app.correction import BY_HAND
from fieldguide.app.texts import counted, short
from fieldguide.data.corrections import Correction
from fieldguide.data.dataset import Dataset


def editor(
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
    made = by_path(correction.table(data).lines())
    lines = {row: [*made.get(_path(dataset, row), ()), *suggested.get(row, ())] for row in rows}
    before = [_row(dataset, row, lines[row]) for row in rows]
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
            line for row, cells in zip(rows, after, strict=True) for line in changes(dataset, row, cells)
        ]
        with session_state.errors_shown():
            correction.table(data).replace({_path(dataset, row) for row in rows}, wanted)
            st.toast(f"{counted(len(wanted), 'correction')} saved")
            st.rerun()


def by_path(lines: Iterable[Correction]) -> dict[str, list[Correction]]:
    """Lines of each photo, by its path as results show it."""
    found: dict[str, list[Correction]] = {}
    for line in lines:
        found.setdefault(line.path, []).append(line)
    return found


def changes(dataset: Dataset, row: int, cells: Mapping[str, Any]) -> list[Correction]:
    """The corrections that a row of the table asks for: a line a tag; none where it is right as it is."""
    path, reason = _path(dataset, row), str(cells["why"]) or BY_HAND
    if cells["leave out"]:
        return [Correction(path, "", "", "drop", reason)]
    had, wanted = set(_tags(dataset, row)), set(cells["tags"] or ())
    return [
        *(Correction(path, "", tag, "add", reason) for tag in sorted(wanted - had)),
        *(Correction(path, tag, "", "remove", reason) for tag in sorted(had - wanted)),
    ]


def _row(dataset: Dataset, row: int, lines: Sequence[Correction]) -> dict[str, Any]:
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
