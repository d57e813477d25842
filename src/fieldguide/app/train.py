"""Train: what to learn from, how, how long it will take; watched while it goes on."""

from collections.abc import Iterator
from pathlib import Path

import streamlit as st

from fieldguide.app import fixing, room, source, watching
from fieldguide.app.choices import AUGMENT, PRESETS, WAYS
from fieldguide.app.texts import counted, plain, span
from fieldguide.backbones import catalogue, usable_offline
from fieldguide.data_intake import file_name
from fieldguide.dataset import Dataset
from fieldguide.jobs import DONE, shown, start
from fieldguide.photo_store import PhotoStore
from fieldguide.threads import usable_cores
from fieldguide.training_estimate import Estimate, PastRun, estimate

TITLE, ICON, PLACE = "Train", ":material/model_training:", "train"


def show() -> None:
    """The page."""
    st.title("Train a model")
    path = source.pick()
    if path is not None:
        with room.told():
            _plan(path, source.opened(path))
    st.subheader("Runs", anchor=False)
    watching.runs()


def _plan(path: Path, dataset: Dataset) -> None:
    training = dataset.select("train") if "train" in (dataset.splits or ()) else dataset
    st.caption(f"{counted(len(training), 'photo')} of {counted(len(training.classes), 'class', 'classes')}")
    if len(training.classes) < 2:
        st.info(
            "There must be two classes, or more, to tell apart. Put the photos of each into a folder of its "
            "own."
        )
        return
    left, right = st.columns(2, gap="large")
    with left:
        name = st.text_input("Name of the model", value=_name_of(path), key=f"name-{path}", max_chars=60)
        preset = st.segmented_control(
            "How careful", list(PRESETS), default="balanced", required=True, key="preset",
            format_func=str.capitalize,
        )  # fmt: skip
        st.caption(PRESETS[preset])
    with right:
        recipe = st.selectbox("Way to train", list(WAYS), key="recipe")
        st.caption(WAYS[recipe].words)
        backbone = _backbone() if WAYS[recipe].pretrained else None
    steps = _steps() if WAYS[recipe].by_steps else []
    out = room.workspace().folder / f"{file_name(name, 'model')}.onnx"
    order = ["train", str(path), "--out", str(out), "--recipe", recipe, "--preset", preset]
    order += ["--backbone", backbone] if backbone else []
    order += [*_corrections(path), *_additions(path, training)]
    _go([*order, *steps], out, _estimate(len(training), recipe, preset))


def _name_of(path: Path) -> str:
    named = path.parent if path.suffix == ".jsonl" else path
    return file_name(named.stem if named.suffix else named.name, "model")


def _corrections(path: Path) -> list[str]:
    """The corrections of these photos, if the person wants them applied."""
    table = fixing.table(path)
    lines = [line for line in table.lines() if line.action != "keep"]
    if not lines:
        return []
    wanted = st.checkbox(f"Apply {counted(len(lines), 'correction')} made on the Data page", value=True)
    return ["--corrections", str(table.path)] if wanted else []


def _additions(path: Path, training: Dataset) -> list[str]:
    """The photos recorded on the Classify page, if they fit and the person wants them learned from."""
    store = PhotoStore(room.workspace().corrections)
    count = sum(number for label, number in store.counts().items() if label in training.classes)
    if not count or path == store.table:
        return []
    wanted = st.checkbox(
        f"Learn from {counted(count, 'photo')} put right on the Classify page, too",
        value=True,
        help="Those of its classes. What these photos keep to measure with is never learned from.",
    )
    return ["--add", str(store.table)] if wanted else []


def _backbone() -> str | None:
    known = {backbone.name: backbone for backbone in catalogue() if usable_offline(backbone)}
    words = {name: f"{name}, {known[name].megabytes:.0f} MB, {known[name].licence}" for name in known}
    chosen = st.selectbox(
        "Pretrained network", ["", *known], key="backbone",
        format_func=lambda name: words.get(name, "the preset chooses"),
        help="Networks whose weights are on this machine. `fieldguide backbones` lists more.",
    )  # fmt: skip
    return chosen or None


def _steps() -> list[str]:
    """Options of recipes that learn in passes."""
    with st.expander("More"):
        passes = st.number_input("Passes over the photos", 1, 1_000, value=None, placeholder="chosen for you")
        strength = st.selectbox(
            "Vary the photos", list(AUGMENT), index=None, format_func=lambda name: AUGMENT[name],
            placeholder="chosen for you",
        )  # fmt: skip
    return [
        *(["--epochs", str(passes)] if passes else []),
        *(["--augment", strength] if strength else []),
    ]


def _estimate(images: int, recipe: str, preset: str) -> Estimate:
    return estimate(images, recipe, preset, cores=usable_cores(), past=list(_past()))


def _past() -> Iterator[PastRun]:
    for job in watching.trainings()[:50]:
        result = job.result
        if result is not None and job.state == DONE:
            yield PastRun(result["recipe"], result["preset"], result["images"]["used"], job.seconds)


def _go(order: list[str], out: Path, time: Estimate) -> None:
    reason = "from earlier runs on this machine" if time.known else "a guess; the first run will tell"
    st.markdown(f"Takes about **{span(time.low)} to {span(time.high)}** ({reason}).")
    with st.expander("The same on the command line"):
        st.code(shown(order), language="bash", wrap_lines=True)
    taken = any(job.option("--out") == str(out) for job in watching.busy())
    replaces = out.is_file() and not taken
    if replaces:
        st.caption(f"{plain(out.name)} is there already; it is replaced once the new one is finished.")
    if taken:
        st.caption(f"{plain(out.name)} is being trained right now.")
    if st.button("Start training", type="primary", disabled=taken, icon=":material/play_arrow:"):
        with room.told():
            start(room.workspace().jobs, order)
            st.rerun()
