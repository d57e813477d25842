"""Results: models measured side by side, mistakes opened, thresholds tried."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import streamlit as st

from fieldguide.app import charts, data_source, gallery, session_state, tag_results
from fieldguide.app.texts import counted, percent, plain, short
from fieldguide.data.dataset import Dataset
from fieldguide.evaluation.abstention import abstaining, accuracy_by_coverage
from fieldguide.evaluation.measurement import choose_split
from fieldguide.evaluation.model_evaluation import ModelTagEvaluation
from fieldguide.evaluation.result import Evaluation
from fieldguide.report.assembly import write_report
from fieldguide.report.gather import Asked, gather
from fieldguide.report.material import ReportData
from fieldguide.tasks.task import Task
from fieldguide.workspace.models import model_files

TITLE, ICON, PLACE = "Results", ":material/monitoring:", "results"

MOST_CELLS = 24
"""Classes in the matrix: those mixed up most often."""
MOST_PHOTOS = 60
"""Shown behind a cell."""
_KEPT = 6
_Found: TypeAlias = ReportData | ModelTagEvaluation
"""What was measured of a model, by its task."""


def show() -> None:
    """The page."""
    st.title("How good is it really?")
    path = data_source.pick()
    files = model_files(session_state.workspace().folder)
    if path is None:
        return
    if not files:
        st.info("There is no model to measure yet. Train one on the **Train** page.")
        return
    with session_state.errors_shown():
        _page(path, data_source.opened(path), [file.name for file in files])


def _page(path: Path, dataset: Dataset, names: list[str]) -> None:
    split = _split(dataset)
    images = choose_split(dataset, split)
    names = [name for name in names if _measurable(name, dataset.task)]
    if not names:
        kind = "tags" if dataset.task is Task.MULTIPLE else "one label a photo"
        st.info(
            f"These photos have {kind}; there is no model of that kind yet. Train one on the **Train** page."
        )
        return
    chosen = st.session_state["model"]
    first = [chosen] if chosen in names else names[:1]
    models = st.multiselect("Models", names, default=first, format_func=short, key="measured-models")
    if split == "all" and "train" not in (dataset.splits or ()):
        st.caption("A model that learned from these very photos looks better here than it is.")
    if st.button("Measure", type="primary", disabled=not models, icon=":material/straighten:"):
        _measure(path, images, split, models)
    measured = {name: found for name in models if (found := _found(path, split, name)) is not None}
    if not measured:
        st.caption(f"{counted(len(images), 'photo')} to measure on.")
        return
    _side_by_side(measured)
    name = next(iter(measured))
    if len(measured) > 1:
        name = st.segmented_control(
            "Look into", list(measured), default=name, required=True, format_func=short
        )
    _look_into(measured[name])


def _measurable(name: str, task: Task) -> bool:
    """Whether a model answers what the photos are labelled with; one that cannot be used says so later."""
    card = session_state.shelved(session_state.workspace().folder / name).card
    return card is None or Task.of_card(card) is task


def _split(dataset: Dataset) -> str:
    present = [name for name in ("test", "validation", "train") if name in set(dataset.splits or ())]
    if not present:
        return "all"
    words = {"all": "all photos", "train": "train (learned from)"}
    chosen: str = st.segmented_control(
        "Photos to measure on", [*present, "all"], default=present[0], required=True,
        format_func=lambda name: words.get(name, name),
    )  # fmt: skip
    return chosen


def _measure(path: Path, images: Dataset, split: str, names: Sequence[str]) -> None:
    kept: dict[tuple[str, str, str], _Found] = st.session_state.setdefault("measured", {})
    for name in names:
        file = session_state.workspace().folder / name
        with (
            session_state.errors_shown()
        ):  # one that cannot be measured on these photos does not stop the rest
            model = session_state.loaded(file)
            with session_state.bar(f"Measuring {plain(name)}") as progress:
                key = (str(path), split, model.digest)
                if images.task is Task.MULTIPLE:
                    kept[key] = tag_results.measured(model, images, progress)
                else:
                    asked = Asked(model=file, data=path, split=split)
                    kept[key] = gather(model, images, asked, progress=progress)
        while len(kept) > _KEPT:
            del kept[next(iter(kept))]


def _found(path: Path, split: str, name: str) -> "_Found | None":
    digest = session_state.shelved(session_state.workspace().folder / name).digest
    found: _Found | None = st.session_state.get("measured", {}).get((str(path), split, digest))
    return found


def _side_by_side(measured: "dict[str, _Found]") -> None:
    rows = [
        tag_results.figures(name, found)
        if isinstance(found, ModelTagEvaluation)
        else _figures(name, found.evaluation)
        for name, found in measured.items()
    ]
    st.dataframe(rows, hide_index=True, width="stretch")
    st.caption(
        "Ranges hold the true value with 95 % confidence; where they overlap much, none may be better."
    )


def _figures(name: str, evaluation: Evaluation) -> dict[str, Any]:
    accuracy = evaluation.accuracy
    return {
        "model": short(name),
        "right": percent(accuracy.value),
        "range": f"{percent(accuracy.low)} to {percent(accuracy.high)}",
        "macro F1": round(evaluation.macro_f1.value, 3),
        "calibration error": round(evaluation.ece, 3),
        "sets hold the truth": percent(evaluation.coverage),
        "labels in a set": round(evaluation.mean_set_size, 2),
        "unknown": percent(evaluation.unknown_rate),
        "photos": evaluation.n,
    }


def _look_into(found: "_Found") -> None:
    if isinstance(found, ModelTagEvaluation):
        tag_results.look_into(found)
        return
    if found.evaluation.refused:
        st.caption(f"{counted(len(found.evaluation.refused), 'photo')} could not be read.")
    # Drawn when it is opened: photos behind mistakes take a while to read.
    views = {"Mistakes": _mistakes, "Thresholds": _thresholds, "Classes": _classes, "Report": _report}
    tabs = st.tabs(list(views), on_change="rerun", key="view-of-results")
    for tab, view in zip(tabs, views.values(), strict=True):
        if tab.open:
            with tab:
                view(found)


def _classes(found: ReportData) -> None:
    rows = found.evaluation.as_dict()["per_class"]
    st.dataframe(
        [{**row, "label": short(row["label"])} for row in sorted(rows, key=lambda row: row["f1"])],
        column_config={
            name: st.column_config.ProgressColumn(name, min_value=0, max_value=1, format="%.2f")
            for name in ("precision", "recall", "f1")
        },
        hide_index=True,
    )


def _mistakes(found: ReportData) -> None:
    confused = found.evaluation.confused()
    st.caption("A row is what a photo shows, a column what it was taken for. Click a cell to see its photos.")
    cell = _matrix(found)
    if cell is None:
        if not confused:
            st.success("Nothing was mixed up.")
            return
        pairs = {f"{short(t, 30)} taken for {short(p, 30)} ({n})": (t, p) for t, p, n in confused[:50]}
        cell = pairs[st.selectbox("Or choose a mistake", list(pairs))]
    _behind(found, *cell)


def _matrix(found: ReportData) -> tuple[str, str] | None:
    """The confusion matrix of the classes mixed up most; the cell that was clicked."""
    evaluation = found.evaluation
    wrong = evaluation.confusion - np.diag(np.diag(evaluation.confusion))
    order = np.argsort(-(wrong.sum(0) + wrong.sum(1)), kind="stable")[:MOST_CELLS]
    numbers = sorted(order.tolist())
    cut = [short(evaluation.classes[number], 22) for number in numbers]
    names = {
        number: name if cut.count(name) == 1 else f"{name} {number}"
        for number, name in zip(numbers, cut, strict=True)
    }
    counts = {(t, p): int(evaluation.confusion[t, p]) for t in numbers for p in numbers}
    cell = charts.matrix(counts, names, key="matrix")
    if len(numbers) < len(evaluation.classes):
        st.caption(f"The {len(numbers)} of {len(evaluation.classes):,} classes with the most mistakes.")
    return None if cell is None else (evaluation.classes[cell[0]], evaluation.classes[cell[1]])


def _behind(found: ReportData, truth: str, predicted: str) -> None:
    outcomes, classes = found.outcomes, found.evaluation.classes
    here = (outcomes.truth == classes.index(truth)) & (outcomes.predicted == classes.index(predicted))
    rows = np.flatnonzero(here)
    rows = rows[np.argsort(-outcomes.confidence[rows], kind="stable")]
    words = "recognised as such" if truth == predicted else f"taken for {plain(predicted)}"
    st.markdown(f"**{plain(truth)}, {words}: {counted(len(rows), 'photo')}**, the surest first")
    images = found.images
    some = rows[:MOST_PHOTOS].tolist()
    captions = [f"{percent(outcomes.confidence[row])} sure" for row in some]
    gallery.sheet([images.paths[row] for row in some], images, captions)


def _thresholds(found: ReportData) -> None:
    stated = found.card["thresholds"].get("unknown") or 0.0
    left, right = st.columns(2, gap="large")
    with left:
        sure = st.slider("Answer only if at least this sure", 0.0, 1.0, 0.0, 0.01, key="sure")
        words = "Say 'unknown' to photos less typical than"
        unknown = st.slider(words, 0.0, 0.2, float(stated), 0.005, format="%.3f", key="unknown")
    effect = abstaining(found.outcomes, unknown_below=unknown, sure_from=sure)
    with right, st.container(horizontal=True, gap="medium"):
        st.metric("Photos answered", percent(effect.answered / effect.n), width="content")
        if effect.accuracy is not None:
            st.metric("Right among these", percent(effect.accuracy.value), width="content")
        st.metric("Wrong answers left", f"{effect.wrong_answers:,}", width="content")
        st.metric("Right ones withheld", f"{effect.withheld_right:,}", width="content")
    charts.lines(
        {"right": accuracy_by_coverage(found.outcomes)},
        "share of photos answered, the surest first",
        "right among them",
        alt="Accuracy against the share of photos answered",
    )


def _report(found: ReportData) -> None:
    st.markdown("One HTML page with every figure and the photos in small, to keep and to pass on.")
    if st.button("Write the report", icon=":material/article:"):
        with (
            session_state.errors_shown(),
            session_state.bar("Writing the report") as progress,
            tempfile.TemporaryDirectory() as folder,
        ):
            out = Path(folder) / "report.html"
            write_report(found, out, progress=progress)
            st.session_state["report"] = (found.digest, found.data, out.read_bytes())
    digest, data, page = st.session_state.get("report", ("", "", b""))
    if (digest, data) == (found.digest, found.data):
        st.download_button(
            "Download the report",
            page,
            "report.html",
            "text/html",
            on_click="ignore",
            icon=":material/download:",
        )
