"""Training runs as the pages show them: started, watched, stopped, gone on with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from fieldguide.app import charts, session_state, widgets
from fieldguide.app.texts import counted, escaped_lines, percent, plain, sentence, span
from fieldguide.tasks.task import Task
from fieldguide.training.remaining import passes, time_left
from fieldguide.workspace.jobs import DONE, FAILED, RUNNING, STOPPED, STOPPING, Job, all_jobs, shown
from fieldguide.workspace.progress_file import Stage
from fieldguide.workspace.ways_to_train import WAYS

SHOWN = 6
"""Runs shown, the newest first."""
MOST_REFUSED = 50
"""Photos that could not be read, by name."""
_ICONS = {
    RUNNING: ":material/hourglass_top:",
    STOPPING: ":material/hourglass_bottom:",
    DONE: ":material/check_circle:",
    STOPPED: ":material/stop_circle:",
    FAILED: ":material/error:",
}


def busy() -> list[Job]:
    """The trainings that are going on."""
    return [job for job in trainings() if job.state in (RUNNING, STOPPING)]


def latest() -> tuple[Job, ...]:
    """The trainings that pages show."""
    return trainings()[:SHOWN]


def trainings() -> tuple[Job, ...]:
    """All runs of `train`, the newest first."""
    return tuple(job for job in all_jobs(session_state.workspace().jobs) if job.arguments[0] == "train")


def watch(job: Job) -> None:
    """One run, looked at once a second while it is going on."""
    going_on = job.state in (RUNNING, STOPPING)
    st.fragment(_watched, run_every=1.0 if going_on else None)(job, going_on)


def _watched(job: Job, going_on: bool) -> None:
    session_state.draw_all_if_wanted()
    if going_on and job.state not in (RUNNING, STOPPING):
        st.rerun()
    with st.container(border=True):
        one(job)


def runs() -> None:
    """The latest runs, looked at once a second while one is going on."""
    going_on = bool(busy())
    st.fragment(_runs, run_every=1.0 if going_on else None)(going_on)


def _runs(going_on: bool) -> None:
    session_state.draw_all_if_wanted()
    jobs = latest()
    if going_on and not busy():
        st.rerun()  # the whole page, so that nobody looks every second any more and the new model is offered
    if not jobs:
        st.caption("No training yet. What you start here continues when this page is closed.")
    for number, job in enumerate(jobs):
        with st.container(border=True):
            one(job, unfolded=number == 0 or job.state == RUNNING)


def one(job: Job, *, unfolded: bool = True) -> None:
    """One run: how far it is, what can be done about it, and what came out."""
    state = job.state
    name = Path(job.option("--out") or job.arguments[1]).name
    st.markdown(f"{_ICONS[state]} **{plain(name)}** · {state}, {span(job.seconds)}")
    if state in (RUNNING, STOPPING):
        _progress(job)
    if unfolded:
        _history(job)
    _outcome(job, state)
    with st.container(horizontal=True):
        _buttons(job, state, name)
    with st.expander("Command and log"):
        st.code(shown(job.arguments), language="bash", wrap_lines=True)
        st.text(escaped_lines(job.log))


def _progress(job: Job) -> None:
    stages = job.story.stages
    if not stages:
        st.progress(0.0, text="Starting: loading the training libraries")
        return
    stage = stages[-1]
    share = min(1.0, stage.done / stage.total) if stage.total else 0.0
    st.progress(share, text=_summary(stage))
    if job.story.history:
        st.caption(_passes(job.story.history[-1]))


def _passes(row: Mapping[str, float]) -> str:
    """Passes that are done, and what is left of the time."""
    return ", ".join(filter(None, (f"Pass {passes(row)} is done", time_left(row))))


def _summary(stage: Stage) -> str:
    count = f"{stage.done:,} of {stage.total:,}" if stage.total else f"{stage.done:,}"
    left = stage.seconds_left
    rest = f", about {span(left)} left" if left is not None and stage.done != stage.total else ""
    return f"{stage.name}: {count}{rest}"


def _history(job: Job) -> None:
    history = job.story.history
    if len(history) < 2:
        return
    columns = {"training": "train_loss", "held out": "validation_loss"}
    charts.lines(
        {name: [(row["epoch"], row[column]) for row in history] for name, column in columns.items()},
        "pass",
        "loss, lower is better",
        alt="Loss in training and on held-out photos after each pass",
        whole=True,
    )


def _outcome(job: Job, state: str) -> None:
    result = job.result
    if result is not None and "validation" in result:
        st.markdown(_measured(result["validation"]))
        widgets.doubts(result.get("doubts", []))
        refused = result["images"]["refused"]
        if refused:
            with st.expander(f"{counted(refused, 'photo')} could not be read and left out"):
                for row in result.get("refused", [])[:MOST_REFUSED]:
                    st.markdown(f"{plain(str(row['path']))}: {plain(str(row['message']))}")
                if refused > MOST_REFUSED:
                    st.caption("The log has the others.")
    elif state == FAILED:
        words = job.last_words or "The process ended without a message; it may have been killed."
        st.error(sentence(words))
    elif state == STOPPED:
        st.caption("Stopped before the end. What was computed is kept for the next run.")


def _measured(validation: Mapping[str, Any]) -> str:
    """How good it is, in a sentence."""
    on = f"measured on {plain(str(validation.get('measured_on', 'held-out photos')))}"
    tags = validation.get("task") == Task.MULTIPLE
    figure = validation["map"] if tags else validation["accuracy"]
    if figure is None:
        return f"No tag to measure by, {on}."
    low, value, high = (figure[name] for name in ("low", "value", "high"))
    if tags:
        coverage = validation["coverage"]
        held = f" Its sets hold {percent(coverage['value'])} of the true tags." if coverage else ""
        return (
            f"**Mean average precision {value:.2f}** (95 % range {low:.2f} to {high:.2f}), "
            f"**{percent(validation['exact_match']['value'])}** of photos with all tags right, {on}.{held}"
        )
    return f"**{percent(value)} right** (95 % range {percent(low)} to {percent(high)}), {on}."


def _buttons(job: Job, state: str, name: str) -> None:
    key = job.folder.name
    if state == RUNNING:
        st.button("Stop", key=f"stop-{key}", on_click=job.stop, icon=":material/stop:")
    elif state == STOPPING:
        st.button("End at once", key=f"kill-{key}", on_click=job.stop, kwargs={"at_once": True})
    elif job.result is not None and (session_state.workspace().folder / name).is_file():
        st.button("Use it", key=f"use-{key}", on_click=session_state.use_model, args=(name,), type="primary")
    if state in (STOPPED, FAILED):
        by_steps = job.arguments[0] == "train" and WAYS[job.option("--recipe") or "linear-probe"].by_steps
        words = "Resume" if by_steps and state == STOPPED else "Run again"
        st.button(words, key=f"again-{key}", on_click=_again, args=(job, by_steps), icon=":material/replay:")


def _again(job: Job, by_steps: bool) -> None:
    job.start_again(("--resume",) if by_steps else ())
