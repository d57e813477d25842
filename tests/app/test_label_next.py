"""Label next: the doubtful first, a click a photo, and a training from there."""

import io
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from fieldguide.app import label_next
from fieldguide.data.options import DataOptions
from fieldguide.workspace.folder import Workspace
from fieldguide.workspace.photo_store import PhotoStore
from fieldguide.workspace.readings import keep_reading
from tiny_model import write_tiny_model

PAGE = "from fieldguide.app import session_state, {0}\nsession_state.choose_model()\n{0}.show()\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """DIR with one model, as the app is given it."""
    place = tmp_path / "models"
    place.mkdir()
    write_tiny_model(place / "colours.onnx")
    monkeypatch.setattr(sys, "argv", ["main.py", str(place)])
    return place


@pytest.fixture
def photos(tmp_path, paint_classes):
    return paint_classes(tmp_path / "photos", {"red": 6, "green": 6})


@pytest.fixture
def orders(monkeypatch):
    """What would be started."""
    given = []
    monkeypatch.setattr(label_next, "start", lambda folder, order: given.append(list(order)))
    return given


def page(name):
    return run(AppTest.from_string(PAGE.format(name), default_timeout=120))


def run(at):
    at.run()
    assert not at.exception, at.exception
    return at


def shown(at):
    return "\n".join(str(element.value) for element in at.markdown)


def jpeg(colour):
    memory = io.BytesIO()
    Image.fromarray(np.full((40, 30, 3), colour, dtype=np.uint8)).save(memory, "JPEG")
    return memory.getvalue()


RED = jpeg((220, 30, 30))


@pytest.fixture
def unlabelled(tmp_path):
    """Three photos of one colour, one between two, one that cannot be read."""
    place = tmp_path / "new"
    place.mkdir()
    for number in range(3):
        (place / f"sure {number}.jpg").write_bytes(jpeg((200 + 20 * number, 10, 10)))
    (place / "doubtful.jpg").write_bytes(jpeg((130, 120, 20)))
    (place / "broken.jpg").write_bytes(RED[:200])
    return place


def test_photos_are_labelled_by_click_the_doubtful_first_and_trained_on(folder, unlabelled, orders):
    at = page("label_next")
    assert "Train again" not in [button.label for button in at.button]
    at.text_input(key="unlabelled").set_value(str(unlabelled))
    run(at)
    assert "The model would say" in shown(at)
    assert any("broken" in warning.value for warning in at.warning)
    assert at.session_state["suggested"][0].path.endswith("doubtful.jpg")
    for label in ("green", "red", "Undo", "red", "Skip", "blue"):
        next(button for button in at.button if button.label == label).click()
        run(at)
    assert any("4 photos looked at. Train again" in word.value for word in at.success)
    store = PhotoStore(Workspace(folder).corrections)
    kept = {photo.name: photo.label for photo in store.photos()}
    assert kept["doubtful.jpg"] == "green" and sorted(kept.values()) == ["blue", "green", "red"]
    assert at.button(key="label-train").disabled  # one photo of each class


def test_what_was_labelled_is_learned_from_beside_the_chosen_photos(folder, photos, unlabelled, orders):
    Workspace(folder).remember(photos)
    at = page("label_next")
    at.text_input(key="unlabelled").set_value(str(unlabelled))
    run(at)
    next(button for button in at.button if button.label == "red").click()
    run(at)
    at.button(key="label-train").click()
    run(at)
    store = PhotoStore(Workspace(folder).corrections)
    out = str(folder / "colours-next.onnx")
    assert orders == [["train", str(photos), "--out", out, "--preset", "fast", "--add", str(store.table)]]


def test_training_reads_the_chosen_photos_as_they_were_said_to_be_read(folder, photos, unlabelled, orders):
    space = Workspace(folder)
    keep_reading(space, photos, DataOptions(form="folders"))
    space.remember(photos)
    at = page("label_next")
    at.text_input(key="unlabelled").set_value(str(unlabelled))
    run(at)
    next(button for button in at.button if button.label == "red").click()
    run(at)
    at.button(key="label-train").click()
    run(at)
    assert orders[0][-4:-1] == ["--form", "folders", "--add"]


def test_a_folder_that_is_not_there_is_told_on_the_labelling_page(folder, tmp_path):
    at = page("label_next")
    at.text_input(key="unlabelled").set_value(str(tmp_path / "nowhere"))
    run(at)
    assert at.error


def test_an_archive_is_labelled_from_and_stays_until_another_is_chosen(folder, unlabelled, tmp_path):
    archive = Path(shutil.make_archive(str(tmp_path / "new photos"), "zip", unlabelled))
    at = page("label_next")
    at.text_input(key="unlabelled").set_value(str(archive))
    run(at)
    first = at.session_state["suggested"][0]
    assert first.path == f"{archive}/doubtful.jpg"
    lying = Path(at.session_state["suggested-files"].files[first.path])
    assert lying.is_file()
    next(button for button in at.button if button.label == "red").click()
    run(at)
    store = PhotoStore(Workspace(folder).corrections)
    assert [(photo.name, photo.label) for photo in store.photos()] == [("doubtful.jpg", "red")]
    at.text_input(key="unlabelled").set_value(str(unlabelled))
    run(at)
    assert not lying.exists()
