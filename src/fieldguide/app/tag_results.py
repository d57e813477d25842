"""Results of models of tags: their figures side by side, tag by tag, and what is taken for what."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from fieldguide.app import gallery
from fieldguide.app.texts import counted, percent, plain, short
from fieldguide.data.dataset import Dataset
from fieldguide.evaluation.model_evaluation import ModelTagEvaluation
from fieldguide.evaluation.tag_measurement import tag_answers_to, tags_measured_by
from fieldguide.metrics.intervals import Interval
from fieldguide.prediction.predictor import Predictor
from fieldguide.progress import Progress

MOST_PHOTOS = 60


def measured(model: Predictor, images: Dataset, progress: Progress) -> ModelTagEvaluation:
    """Measure a model of tags, with its answers to the single photos.

    Raises
    ------
    DataError
        If no photo is left to measure on.
    """
    images = images.labelled()
    answers = tag_answers_to(model, images, progress)
    found = tags_measured_by(model, images, answers, progress=progress)
    return ModelTagEvaluation.of(
        found,
        outcomes=answers.outcomes,
        images=images.take(answers.rows),
        model=model.path,
        data=images.name,
    )


def figures(name: str, found: ModelTagEvaluation) -> dict[str, Any]:
    """The row of a model."""
    mean, averages = found.average_precision.mean, found.averages
    return {
        "model": short(name),
        "mean average precision": "" if mean is None else f"{mean.value:.3f}",
        "range": "" if mean is None else f"{mean.low:.3f} to {mean.high:.3f}",
        "micro F1": _value(averages.micro_f1),
        "macro F1": _value(averages.macro_f1),
        "all tags right": percent(found.exact_match.value),
        "true tags in the sets": "" if found.coverage is None else percent(found.coverage.value),
        "tags in a set": round(found.mean_set_size, 2),
        "calibration error": f"{found.ece:.3f}",
        "unknown": percent(found.unknown_rate),
        "photos": found.n,
    }


def _value(figure: Interval | None) -> str:
    return "" if figure is None else f"{figure.value:.3f}"


def look_into(found: ModelTagEvaluation) -> None:
    """The figures of one model, tag by tag, and its mistakes with their photos."""
    if found.refused:
        st.caption(f"{counted(len(found.refused), 'photo')} could not be read.")
    if found.strangers:
        names = ", ".join(plain(name) for name, _ in found.strangers[:5])
        st.caption(f"Not measured, since they are no tags of the model: {names}.")
    views = {"Tags": _tags, "Missed and wrong tags": _mistakes, "Taken for each other": _taken_for}
    tabs = st.tabs(list(views), on_change="rerun", key="view-of-tag-results")
    for tab, view in zip(tabs, views.values(), strict=True):
        if tab.open:
            with tab:
                view(found)


def _tags(found: ModelTagEvaluation) -> None:
    st.caption("The weakest first. A range holds the average precision with 95 % confidence.")
    rows = [_tag_row(row) for row in sorted(found.per_class_rows(), key=lambda row: row["f1"])]
    scores = ("average precision", "precision", "recall", "F1")
    columns = {
        name: st.column_config.ProgressColumn(name, min_value=0, max_value=1, format="%.2f")
        for name in scores
    }
    st.dataframe(rows, column_config=columns, hide_index=True, width="stretch")


def _tag_row(row: Mapping[str, Any]) -> dict[str, Any]:
    precision = row["ap"]
    return {
        "tag": short(row["label"]),
        "photos": row["n"],
        "average precision": None if precision is None else precision["value"],
        "range": "" if precision is None else f"{precision['low']:.2f} to {precision['high']:.2f}",
        "F1": row["f1"],
        "precision": row["precision"],
        "recall": row["recall"],
        "calibration error": None if row["ece"] is None else round(row["ece"], 3),
    }


def _mistakes(found: ModelTagEvaluation) -> None:
    outcomes = found.outcomes
    wrong = {
        "missed": outcomes.shown & ~outcomes.given,
        "given wrongly": outcomes.given & ~outcomes.shown & outcomes.known,
    }
    numbers = {
        (name, kind): int(cells[:, column].sum())
        for kind, cells in wrong.items()
        for column, name in enumerate(found.classes)
    }
    listed = sorted((pair for pair in numbers if numbers[pair]), key=lambda pair: -numbers[pair])
    if not listed:
        st.success("All tags of all photos are right.")
        return
    chosen = st.selectbox(
        "Mistakes", listed, format_func=lambda pair: f"{short(pair[0], 40)} {pair[1]} ({numbers[pair]:,})"
    )
    _photos(found, chosen, wrong[chosen[1]])


def _photos(found: ModelTagEvaluation, chosen: tuple[str, str], wrong: Any) -> None:
    name, kind = chosen
    column = found.classes.index(name)
    rows = np.flatnonzero(wrong[:, column])
    shares = found.outcomes.probabilities[:, column]
    rows = rows[np.argsort(shares[rows] if kind == "missed" else -shares[rows], kind="stable")]
    st.markdown(f"**{plain(name)}, {kind}: {counted(len(rows), 'photo')}**, the surest mistakes first")
    some = rows[:MOST_PHOTOS].tolist()
    captions = [f"{percent(float(shares[row]))} probable" for row in some]
    gallery.sheet([found.images.paths[row] for row in some], found.images, captions)


def _taken_for(found: ModelTagEvaluation) -> None:
    rows = [
        {"missed": short(row["missed"]), "given instead": short(row["given"]), "photos": row["n"]}
        for row in found.taken_for_rows()
    ]
    if rows:
        st.dataframe(rows, hide_index=True)
    else:
        st.success("On no photo a tag was missed and another given wrongly.")
