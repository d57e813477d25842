"""In the sidebar, below the list of models: what a model needs that is not here yet, and how to get it."""

from pathlib import Path

import streamlit as st

from fieldguide.app import data_source, job_progress, session_state
from fieldguide.app.texts import span
from fieldguide.backbones.catalogue import find as find_backbone
from fieldguide.data.catalogue.entries import find as find_dataset
from fieldguide.data.options import DataOptions
from fieldguide.files import cache_folder
from fieldguide.installation import command_for
from fieldguide.threads import usable_cores
from fieldguide.workspace import offered_models
from fieldguide.workspace.jobs import start
from fieldguide.workspace.models import imagenet_model
from fieldguide.workspace.offered_models import CIFAR, MOBILENET, WEIGHT_SUFFIXES
from fieldguide.workspace.training_estimate import estimate


def show() -> None:
    """Say what the chosen model needs; nothing where it can answer."""
    model = session_state.offered_model()
    with session_state.errors_shown():
        if model is MOBILENET and not session_state.can_answer(model):
            _weights()
        elif model is CIFAR:
            _training()


def _weights() -> None:
    backbone = find_backbone(MOBILENET.name)
    megabytes = f"{backbone.megabytes:.0f} MB"
    st.markdown(
        f"**Not here yet: it needs its weights.** They are {megabytes} on the Hugging Face hub "
        f"(licence {backbone.licence})."
    )
    if not offered_models.can_download():
        st.caption("To download them here, install this, then start the app again:")
        st.code(command_for("hub"), language="bash", wrap_lines=True)
    elif st.button(f"Download {megabytes}", type="primary", icon=":material/download:", key="get-weights"):
        with session_state.errors_shown(), session_state.bar("Getting MobileNetV2") as progress:
            offered_models.download(MOBILENET, progress)
            imagenet_model(cache_folder(), progress, MOBILENET.name)
            st.rerun()
    st.caption("Without a network: a file of weights, of timm, torchvision or Keras.")
    kinds = [suffix.removeprefix(".") for suffix in WEIGHT_SUFFIXES]
    given = st.file_uploader("A file of weights", type=kinds, key="weights", label_visibility="collapsed")
    if given is not None:
        _made_from(given.name, given.getvalue())


def _made_from(name: str, content: bytes) -> None:
    with session_state.errors_shown(), session_state.bar("Making the model") as progress:
        folder = session_state.workspace().folder
        made = offered_models.make_from_weights(MOBILENET, (name, content), folder, progress)
        session_state.use_model(made.name)
        st.rerun()


def _training() -> None:
    space = session_state.workspace()
    out = str(space.folder / CIFAR.file)
    for job in job_progress.busy():
        if job.option("--out") == out:
            st.markdown("**Not here yet: it is being trained.**")
            job_progress.watch(job)
            return
    likely = estimate(
        offered_models.CIFAR_LEARNED,
        offered_models.CIFAR_RECIPE,
        offered_models.CIFAR_PRESET,
        cores=usable_cores(),
    )
    takes = f"about {span(likely.low)} to {span(likely.high)} here"
    if offered_models.cifar_written(space):
        st.markdown(f"**Not here yet: it must be trained.** Its photos are here; training takes {takes}.")
        if st.button("Train it", type="primary", icon=":material/play_arrow:", key="train-cifar"):
            _train(offered_models.cifar_photos(space))
        return
    _photos(takes)


def _photos(takes: str) -> None:
    entry = find_dataset(CIFAR.name)
    megabytes = f"{entry.download_megabytes} MB"
    st.markdown(
        f"**Not here yet: it must be trained**, from {entry.images:,} small photos: {megabytes} to download, "
        f"{entry.disk_megabytes} MB on disk. Then training takes {takes}."
    )
    if st.button(
        f"Download {megabytes} and train", type="primary", icon=":material/download:", key="get-cifar"
    ):
        st.caption("Stay on this page until training begins. If you leave, press the button again to go on.")
        with session_state.errors_shown():
            with session_state.bar("Getting CIFAR-10") as progress:
                photos = offered_models.write_cifar(session_state.workspace(), progress)
            _train(photos)
    st.caption("Without a network: a ZIP or a folder on this machine that holds its photos in class folders.")
    typed = st.text_input(
        "Where it lies", key="cifar-place", placeholder="cifar10.zip", label_visibility="collapsed"
    )
    wanted = bool(typed) and st.button("Train on these photos", key="train-given")
    chosen = session_state.chosen_data() if wanted and data_source.choose(typed, DataOptions()) else None
    if chosen is not None:
        _train(chosen)


def _train(photos: Path) -> None:
    with session_state.errors_shown():
        space = session_state.workspace()
        session_state.use_data(photos)
        start(space.jobs, offered_models.cifar_training(photos, space))
        st.rerun()
