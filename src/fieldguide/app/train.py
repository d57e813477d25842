"""Train: what to learn from, how, how long it will take; watched while it goes on."""

from collections.abc import Iterator
from pathlib import Path

import streamlit as st

from fieldguide.app import correction, data_source, job_progress, session_state, widgets
from fieldguide.app.texts import counted, plain, span
from fieldguide.backbones.catalogue import catalogue, usable_offline
from fieldguide.data.dataset import Dataset
from fieldguide.installation import command_for, program_command
from fieldguide.learning.checks import training_folder
from fieldguide.recipes import usable
from fieldguide.tasks.task import Task
from fieldguide.threads import usable_cores
from fieldguide.training import CHECKPOINT
from fieldguide.workspace.extracted_archives import file_name
from fieldguide.workspace.jobs import DONE, shown, start
from fieldguide.workspace.photo_store import PhotoStore
from fieldguide.workspace.tag_store import TagStore, tags_of
from fieldguide.workspace.training_estimate import Estimate, PastRun, estimate
from fieldguide.workspace.ways_to_train import AUGMENT, PRESETS, WAYS

TITLE, ICON, PLACE = "Train", ":material/model_training:", "train"


def show() -> None:
    """The page."""
    st.title("Train a model")
    path = data_source.pick()
    if path is not None:
        with session_state.errors_shown():
            _plan(path, data_source.opened(path))
    st.subheader("Runs", anchor=False)
    job_progress.runs()


def _plan(path: Path, dataset: Dataset) -> None:
    training = dataset.select("train") if "train" in (dataset.splits or ()) else dataset
    of_tags = dataset.task is Task.MULTIPLE
    kinds = counted(len(training.classes), *(("tag",) if of_tags else ("class", "classes")))
    st.caption(f"{counted(len(training), 'photo')} {'with' if of_tags else 'of'} {kinds}")
    if len(training.classes) < 2 and not of_tags:
        st.info(
            "There must be two classes, or more, to tell apart. Put the photos of each into a folder of its "
            "own."
        )
        return
    widgets.doubts(doubt.as_dict() for doubt in dataset.doubts)
    left, right = st.columns(2, gap="large")
    with left:
        name = st.text_input("Name of the model", value=_name_of(path), key=f"name-{path}", max_chars=60)
        preset = st.segmented_control(
            "How careful", list(PRESETS), default="balanced", required=True, key="preset",
            format_func=str.capitalize,
        )  # fmt: skip
        st.caption(PRESETS[preset])
    with right:
        able = usable()
        ways = [name for name, way in WAYS.items() if way.tags or not of_tags]
        recipe = st.selectbox(
            "Way to train", ways, key="recipe-of-tags" if of_tags else "recipe",
            format_func=lambda name: name if name in able else f"{name} (needs PyTorch)",
        )  # fmt: skip
        st.caption(WAYS[recipe].words)
        if recipe not in able:
            st.warning(
                "This way trains a network, which needs PyTorch. Install it, then start the app again:"
            )
            st.code(command_for("torch"), language="bash", wrap_lines=True)
            return
        backbone = _backbone() if WAYS[recipe].pretrained else None
    steps = _steps() if WAYS[recipe].by_steps else []
    out = session_state.workspace().folder / f"{file_name(name, 'model')}.onnx"
    order = ["train", str(path), "--out", str(out), "--recipe", recipe, "--preset", preset]
    order += ["--backbone", backbone] if backbone else []
    order += data_source.reading_arguments(path)
    order += [*([] if of_tags else _corrections(path)), *_additions(path, training)]
    order += _over_what_was_stopped(out) if WAYS[recipe].by_steps else []
    _go([*order, *steps], out, _estimate(len(training), recipe, preset))


def _over_what_was_stopped(out: Path) -> list[str]:
    """What lets a training begin anew where another of this name was stopped, which the page then says."""
    if not (training_folder(out) / CHECKPOINT).is_file():
        return []
    st.warning(
        f"A training of {plain(out.name)} was stopped and can still be resumed, below. Starting another "
        f"under "
        "this name discards what it learned."
    )
    return ["--restart"]


def _name_of(path: Path) -> str:
    named = path.parent if path.suffix == ".jsonl" else path
    return file_name(named.stem if named.suffix else named.name, "model")


def _corrections(path: Path) -> list[str]:
    """The corrections of these photos, if the person wants them applied."""
    table = correction.table(path)
    lines = [line for line in table.lines() if line.action != "keep"]
    if not lines:
        return []
    wanted = st.checkbox(f"Apply {counted(len(lines), 'correction')} made on the Data page", value=True)
    return ["--corrections", str(table.path)] if wanted else []


def _recorded(training: Dataset) -> tuple[PhotoStore, int]:
    """What was recorded on the Classify page, and how many of its photos are of the same classes."""
    space, known = session_state.workspace(), frozenset(training.classes)
    if training.task is Task.MULTIPLE:
        store = TagStore(space.tag_corrections)
        return store, sum(known.issuperset(tags_of(photo)) for photo in store.photos())
    labels = PhotoStore(space.corrections)
    return labels, sum(number for label, number in labels.counts().items() if label in known)


def _additions(path: Path, training: Dataset) -> list[str]:
    """The photos recorded on the Classify page, if they fit and the person wants them learned from."""
    store, count = _recorded(training)
    if not count or path == store.table:
        return []
    wanted = st.checkbox(
        f"Learn from {counted(count, 'photo')} put right on the Classify page, too",
        value=True,
        help="Only photos of its classes. Photos kept for measuring are never learned from.",
    )
    return ["--add", str(store.table)] if wanted else []


def _backbone() -> str | None:
    known = {backbone.name: backbone for backbone in catalogue() if usable_offline(backbone)}
    words = {name: f"{name}, {known[name].megabytes:.0f} MB, {known[name].licence}" for name in known}
    chosen = st.selectbox(
        "Pretrained network", ["", *known], key="backbone",
        format_func=lambda name: words.get(name, "the preset chooses"),
        help=f"Networks whose weights are on this machine. `{program_command('backbones')}` lists more.",
    )  # fmt: skip
    return chosen or None


def _steps() -> list[str]:
    """Options of recipes that learn in passes."""
    with st.expander("More"):
        minutes = st.number_input(
            "Minutes it may take", 1, 10_000, value=None, placeholder="5, 15 or 60, by preset"
        )
        passes = st.number_input("Passes over the photos", 1, 1_000, value=None, placeholder="chosen for you")
        strength = st.selectbox(
            "Vary the photos", list(AUGMENT), index=None, format_func=lambda name: AUGMENT[name],
            placeholder="chosen for you",
        )  # fmt: skip
    return [
        *(["--minutes", str(minutes)] if minutes else []),
        *(["--epochs", str(passes)] if passes else []),
        *(["--augment", strength] if strength else []),
    ]


def _estimate(images: int, recipe: str, preset: str) -> Estimate:
    return estimate(images, recipe, preset, cores=usable_cores(), past=list(_past()))


def _past() -> Iterator[PastRun]:
    for job in job_progress.trainings()[:50]:
        result = job.result
        if result is not None and job.state == DONE:
            yield PastRun(result["recipe"], result["preset"], result["images"]["used"], job.seconds)


def _go(order: list[str], out: Path, time: Estimate) -> None:
    reason = "from earlier runs on this machine" if time.known else "a guess; the first run will tell"
    st.markdown(f"Takes about **{span(time.low)} to {span(time.high)}** ({reason}).")
    with st.expander("The same on the command line"):
        st.code(shown(order), language="bash", wrap_lines=True)
    taken = any(job.option("--out") == str(out) for job in job_progress.busy())
    replaces = out.is_file() and not taken
    if replaces:
        st.caption(f"{plain(out.name)} is there already; it is replaced once the new one is finished.")
    if taken:
        st.caption(f"{plain(out.name)} is being trained right now.")
    if st.button("Start training", type="primary", disabled=taken, icon=":material/play_arrow:"):
        with session_state.errors_shown():
            start(session_state.workspace().jobs, order)
            st.rerun()
