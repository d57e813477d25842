"""What the sidebar offers that is not here yet, by Streamlit's own AppTest."""

import shutil
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from fieldguide.app import session_state
from fieldguide.data.catalogue import preparation
from fieldguide.errors import BackboneError, DataError
from fieldguide.workspace import offered_models
from fieldguide.workspace.folder import OWN, Workspace
from fieldguide.workspace.models import imagenet_file
from fieldguide.workspace.offered_models import CIFAR, MOBILENET
from tiny_model import write_tiny_model

SCRIPT = """
import streamlit as st
from fieldguide.app import classify, offers, session_state
session_state.choose_model()
with st.sidebar:
    offers.show()
classify.show()
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """DIR with one model; nothing in the hub's cache, and no network."""
    place = tmp_path / "models"
    place.mkdir()
    write_tiny_model(place / "colours.onnx")
    monkeypatch.setattr(sys, "argv", ["main.py", str(place)])
    monkeypatch.setenv("FIELDGUIDE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(offered_models, "usable_offline", lambda backbone: False)
    monkeypatch.setattr(offered_models, "can_download", lambda: True)
    monkeypatch.setattr(offered_models, "fetch", refused)
    return place


def refused(source, progress):
    raise BackboneError(f"its weights ({source}) are not on this machine and cannot be downloaded now")


def run(at):
    at.run()
    assert not at.exception, at.exception
    return at


def chosen(model):
    at = run(AppTest.from_string(SCRIPT, default_timeout=120))
    at.sidebar.selectbox[0].select(model.label)
    return run(at)


def told(at):
    return "\n".join(one.value for kind in (at.markdown, at.caption, at.error, at.info) for one in kind)


def pressed(at, key):
    at.button(key=key).click()
    return run(at)


def files_below(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file()) if folder.exists() else []


def test_mobilenet_says_what_it_needs_and_asks_nobody(folder, monkeypatch):
    monkeypatch.setattr(offered_models, "fetch", lambda source, progress: pytest.fail("asked the network"))
    at = chosen(MOBILENET)
    assert "it needs its weights.** They are 14 MB on the Hugging Face hub (licence apache-2.0)" in told(at)
    assert "This model is not here yet. The sidebar says what it needs" in told(at)
    assert at.button(key="get-weights").label == "Download 14 MB"
    assert at.file_uploader(key="weights").proto.type == list(offered_models.WEIGHT_SUFFIXES)


def test_without_the_hubs_client_the_command_is_said(folder, monkeypatch):
    monkeypatch.setattr(offered_models, "can_download", lambda: False)
    at = chosen(MOBILENET)
    assert "install this, then start the app again" in told(at)
    assert "pip install" in at.sidebar.code[0].value
    assert not at.button


def test_a_download_that_fails_is_a_sentence_and_leaves_nothing(folder, tmp_path):
    at = pressed(chosen(MOBILENET), "get-weights")
    said = at.error[0].value.replace("\\", "")
    assert said.startswith(
        "Its weights (Hugging Face hub timm/mobilenetv2_100.ra_in1k) are not on this machine"
    )
    assert "Fetch model.safetensors from there on another machine, and give the file below" in said
    assert files_below(tmp_path / "cache" / "models") == []
    assert files_below(folder) == ["colours.onnx"]


def test_one_click_gets_it(folder, tmp_path, monkeypatch):
    import fieldguide.learning.pretrained

    def pretrained(backbone, path, *, progress):
        assert backbone == "mobilenet_v2"
        write_tiny_model(path)

    monkeypatch.setattr(offered_models, "fetch", lambda source, progress: Path("weights"))
    monkeypatch.setattr(fieldguide.learning.pretrained, "pretrained", pretrained)
    at = pressed(chosen(MOBILENET), "get-weights")
    assert imagenet_file(tmp_path / "cache", "mobilenet_v2").is_file()
    assert "This model knows 3 classes" in told(at)
    assert not at.button


def test_a_file_that_does_not_fit_is_a_sentence_and_leaves_nothing(folder):
    at = chosen(MOBILENET)
    at.file_uploader(key="weights").set_value([("w.safetensors", b"no weights", "application/octet-stream")])
    run(at)
    said = at.error[0].value.replace("\\", "")
    assert said.startswith("W.safetensors: is not a readable safetensors file")
    assert files_below(folder) == ["colours.onnx"]


def test_cifar_says_what_it_needs_and_a_failed_download_leaves_no_model(folder, monkeypatch):
    def no_network(name, out, **wanted):
        raise DataError("cifar10: cannot be downloaded now")

    monkeypatch.setattr(preparation, "write", no_network)
    at = chosen(CIFAR)
    assert "it must be trained**, from 60,000 small photos: 170 MB to download, 250 MB on disk" in told(at)
    at = pressed(at, "get-cifar")
    assert "Cifar10: cannot be downloaded now" in at.error[0].value.replace("\\", "")
    assert files_below(folder) == ["colours.onnx"]


def test_one_click_downloads_and_trains(folder, monkeypatch, paint_classes):
    started = []

    def write(name, out, *, download, progress):
        assert (name, download) == ("cifar10", True)
        return preparation.PreparedDataset(paint_classes(out, {"red": 2, "green": 2}), 4, 4)

    monkeypatch.setattr(preparation, "write", write)
    monkeypatch.setattr("fieldguide.app.offers.start", lambda jobs, order: started.append(order))
    pressed(chosen(CIFAR), "get-cifar")
    photos = Workspace(folder.resolve()).uploads / "cifar10"
    assert started == [offered_models.cifar_training(photos, Workspace(folder.resolve()))]
    assert started[0][:4] == ("train", str(photos), "--out", str(folder.resolve() / "cifar10.onnx"))


def test_photos_at_hand_are_trained_on(folder, monkeypatch, paint_classes, tmp_path):
    started = []
    monkeypatch.setattr("fieldguide.app.offers.start", lambda jobs, order: started.append(order))
    photos = paint_classes(tmp_path / "cifar", {"red": 2, "green": 2})
    archive = shutil.make_archive(str(tmp_path / "cifar10"), "zip", photos)
    at = chosen(CIFAR)
    at.text_input(key="cifar-place").set_value(archive)
    pressed(run(at), "train-given")
    assert len(started) == 1
    assert Path(started[0][1]).parent == Workspace(folder.resolve()).uploads


def test_a_model_file_of_the_name_takes_the_place_of_the_offer(folder):
    write_tiny_model(folder / "cifar10.onnx")
    at = run(AppTest.from_string(SCRIPT, default_timeout=120))
    options = at.sidebar.selectbox[0].options
    assert "cifar10.onnx" in options
    assert CIFAR.label not in options
    assert {MOBILENET.label, session_state.IMAGENET} < set(options)


def test_a_folder_that_cannot_be_written_to_is_a_sentence(folder):
    (folder / OWN).write_bytes(b"")
    at = chosen(CIFAR)
    assert "start it on another folder" in at.error[0].value
    assert "fieldguide-app" in at.error[0].value.replace("\\", "")
