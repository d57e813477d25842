"""The app's pages without a browser, by Streamlit's own AppTest; tests/test_app_browser.py has Chromium."""

import asyncio
import io
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from fieldguide.app import camera, data_source, job_progress, server, session_state
from fieldguide.app.texts import counted, html_text, percent, plain, sentence, span
from fieldguide.commands import app as command
from fieldguide.data.corrections import Correction
from fieldguide.modelfile.artifact import load_model_file
from fieldguide.tasks.task import ONE_LABEL, Task
from fieldguide.workspace.correction_table import CorrectionTable
from fieldguide.workspace.folder import Workspace
from fieldguide.workspace.offered_models import MOBILENET
from fieldguide.workspace.photo_store import PhotoStore
from fieldguide.workspace.ways_to_train import AUGMENT, PRESETS, WAYS
from form_samples import draw, label_studio, npz
from layered_model import write_layered_model
from tiny_model import write_tiny_model

PAGE = "from fieldguide.app import session_state, {0}\nsession_state.choose_model()\n{0}.show()\n"
HOSTILE = "<img src=x onerror=alert(1)>**b** :red[x] $a$ [l](http://e.test)\u202egpj"


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


def page(name):
    at = AppTest.from_string(PAGE.format(name), default_timeout=120)
    return run(at)


def run(at):
    at.run()
    assert not at.exception, at.exception
    return at


def jpeg(colour, size=(40, 30)):
    memory = io.BytesIO()
    Image.fromarray(np.full((*size, 3), colour, dtype=np.uint8)).save(memory, "JPEG")
    return memory.getvalue()


RED, BLUE, GREY = jpeg((220, 30, 30)), jpeg((30, 30, 220)), jpeg((128, 128, 128))


def upload(at, *files):
    at.file_uploader(key="photos").set_value([(name, content, "image/jpeg") for name, content in files])
    return run(at)


def shown(at):
    """All text on the page, HTML included."""
    texts = [element.proto.body for element in at.get("html")]
    for kind in (at.markdown, at.caption, at.error, at.info, at.success, at.text, at.title, at.subheader):
        texts += [element.value for element in kind]
    return "\n".join(texts)


# Classify


def test_an_empty_page_says_what_the_model_knows_and_what_to_do(folder):
    at = page("classify")
    assert "This model knows 3 classes: red, green, blue." in shown(at)
    assert at.file_uploader(key="photos").label == "Drop photos here, browse, or paste a copied picture"


def test_a_photo_gets_its_answer(folder):
    at = upload(page("classify"), ("a.jpg", RED))
    assert 'role="status">red <small>' in shown(at)
    assert at.session_state["answers"]
    again = run(at)
    assert len(again.session_state["answers"]) == 1


def test_unknown_is_said_plainly(folder):
    at = upload(page("classify"), ("a.jpg", GREY))
    assert "Unknown <small>none of this model&#x27;s classes" in shown(at) or "Unknown <small>" in shown(at)
    assert "If it had to be one of the classes:" in shown(at)


def test_a_photo_that_cannot_be_read_stops_no_other(folder):
    at = upload(page("classify"), ("broken.jpg", RED[:200]), ("a.jpg", BLUE))
    table = at.dataframe[0].value
    assert table["answer"].tolist() == ["cannot be read", "blue"]
    assert "2 photos, 1 could not be read" in shown(at)
    assert any("cannot be read" in error.value for error in at.error)


def test_a_correction_is_recorded_undone_and_found_by_the_next_tab(folder):
    store = PhotoStore(Workspace(folder).corrections)
    at = upload(page("classify"), ("a.jpg", RED))
    next(button for button in at.button if button.label == "blue").click()
    run(at)
    assert [(kept.label, kept.said, kept.name) for kept in store.photos()] == [("blue", "red", "a.jpg")]
    other = upload(page("classify"), ("same photo.jpg", RED))
    assert "Recorded as **blue**." in shown(other)
    next(button for button in other.button if button.label == "Undo").click()
    run(other)
    assert store.photos() == ()


def test_any_class_can_be_chosen_from_the_list(folder):
    at = upload(page("classify"), ("a.jpg", RED))
    next(box for box in at.selectbox if box.label == "Another class").select("green")
    run(at)
    assert PhotoStore(Workspace(folder).corrections).counts() == {"green": 1}


def test_hostile_names_are_text_wherever_they_are_shown(folder):
    write_tiny_model(folder / "colours.onnx", classes=[HOSTILE, "b", "c"])
    at = upload(page("classify"), (HOSTILE + ".jpg", RED))
    html = "\n".join(element.proto.body for element in at.get("html"))
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    assert "<img" not in html
    marked = [element.value for element in at.markdown] + [button.label for button in at.button]
    assert not any(
        "<img" in text or "**b**" in text or " :red[" in text for text in marked if "Wrong" not in text
    )


def test_a_model_that_may_not_be_used_is_said_and_the_page_lives(folder):
    (folder / "colours.onnx").write_bytes(b"\x80\x04 pickle")
    at = page("classify")
    assert "pickle" in at.error[0].value


# Models


def test_a_model_is_shown_and_deleted_only_after_a_question(folder):
    at = page("models")
    assert [metric.value for metric in at.metric] == ["3", "30", "100 %"]
    at.button(key="delete-colours.onnx").click()
    run(at)
    assert (folder / "colours.onnx").exists()
    next(button for button in at.button if button.label == "Delete it").click()
    run(at)
    assert not (folder / "colours.onnx").exists()


def test_a_model_is_exported_beside_itself(folder):
    write_layered_model(folder / "colours.onnx")
    at = page("models")
    at.button(key="export-colours.onnx").click()
    run(at)
    assert any("--to int8" in code.value and "colours-int8.onnx" in code.value for code in at.code)
    next(button for button in at.button if button.label == "Write it").click()
    run(at)
    assert load_model_file(folder / "colours-int8.onnx").card["exported"]["to"] == "int8"
    assert plain("colours-int8.onnx") in [value.value for value in at.subheader]
    assert any("MB instead of" in said.value for said in at.success)
    assert "before it was exported" in shown(at)
    assert [button.key for button in at.button if button.label == "Export"] == ["export-colours.onnx"]


def test_a_model_with_nothing_to_gain_says_so_when_exported(folder):
    at = page("models")
    at.button(key="export-colours.onnx").click()
    run(at)
    next(button for button in at.button if button.label == "Write it").click()
    run(at)
    assert any("use the file as it is" in error.value for error in at.error)
    assert not (folder / "colours-int8.onnx").exists()


def test_without_models_the_page_says_what_to_do(folder):
    (folder / "colours.onnx").unlink()
    assert "There is no model file in" in shown(page("models"))


def test_a_broken_file_stands_among_the_models_with_its_reason(folder):
    (folder / "z.onnx").write_bytes(b"PK\x03\x04")
    at = page("models")
    assert any("zip archive" in error.value for error in at.error)
    assert len(at.metric) == 3


# Data


def choose(at, path):
    at.text_input(key="path").set_value(str(path))
    next(button for button in at.button if button.label == "Open").click()
    return run(at)


def test_a_folder_is_chosen_and_remembered(folder, photos):
    at = choose(page("data"), photos)
    assert [metric.value for metric in at.metric] == ["12", "2"]
    assert Workspace(folder).recent() == (photos,)
    assert [metric.value for metric in page("data").metric] == ["12", "2"]


def test_a_folder_that_is_not_there_is_said(folder, tmp_path):
    at = choose(page("data"), tmp_path / "nowhere")
    assert any("no such file or folder" in error.value for error in at.error)


def test_an_archive_that_is_uploaded_is_unpacked_for_good(folder, photos, tmp_path):
    archive = Path(shutil.make_archive(str(tmp_path / "set"), "zip", photos))
    at = page("data")
    at.file_uploader(key="archive").set_value(("my set.zip", archive.read_bytes(), "application/zip"))
    run(at)
    assert [metric.value for metric in at.metric] == ["12", "2"]
    assert Workspace(folder).recent() == (Workspace(folder).uploads / "my-set",)


def test_an_export_that_is_uploaded_is_read_as_data_is_everywhere(folder, tmp_path):
    archive = Path(shutil.make_archive(str(tmp_path / "set"), "zip", label_studio(tmp_path / "export")))
    at = page("data")
    at.file_uploader(key="archive").set_value(("export.zip", archive.read_bytes(), "application/zip"))
    run(at)
    assert [metric.value for metric in at.metric] == ["6", "2"]
    assert any("Label Studio export" in caption.value for caption in at.caption)


def test_images_inside_other_files_are_there_as_long_as_the_data_set(folder, tmp_path):
    at = choose(page("data"), npz(tmp_path))
    assert [metric.value for metric in at.metric] == ["6", "2"]
    assert all(Path(path).is_file() for path in data_source.opened(tmp_path / "arrays.npz").paths)


def test_what_is_not_recognised_is_read_as_a_person_says(folder, tmp_path, orders):
    table = tmp_path / "t.csv"
    rows = [(draw(tmp_path / f"{number}.jpg", number).name, number % 3, number % 2) for number in range(6)]
    table.write_text("path,size,side\n" + "".join(f"{name},s{a},d{b}\n" for name, a, b in rows))
    at = choose(page("data"), table)
    assert any("need a column of labels" in error.value for error in at.error)
    at.text_input(key="label-column").set_value("side")
    at = choose(run(at), table)
    assert [metric.value for metric in at.metric] == ["6", "2"]
    assert [metric.value for metric in page("data").metric] == ["6", "2"]
    at = page("train")
    next(button for button in at.button if button.label == "Start training").click()
    run(at)
    (order,) = orders
    assert order[order.index("--label-column") + 1] == "side"


def test_an_archive_that_cannot_be_used_is_said_by_its_own_name_and_leaves_nothing(folder):
    at = page("data")
    for name, content, words in (
        ("broken.zip", b"PK no zip", "**broken\\.zip**: The archive is damaged"),
        ("empty.zip", zipped({"notes.txt": b"no photo"}), "**empty\\.zip**: DATA must hold images"),
        ("flat.zip", zipped({"a.jpg": RED, "b.jpg": BLUE}), "**flat\\.zip**: DATA must"),
    ):
        at.file_uploader(key="archive").set_value((name, content, "application/zip"))
        for _ in range(2):  # it is said as long as the archive stands in its box
            run(at)
            assert [error.value[: len(words)] for error in at.error] == [words]
    assert list(Workspace(folder).uploads.iterdir()) == []
    assert Workspace(folder).recent() == ()


def zipped(members):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return memory.getvalue()


def test_an_upload_that_was_broken_off_is_taken_in_by_the_next_run(folder, photos, tmp_path, monkeypatch):
    """A click while it is unpacked ends that run of the page at once, as Streamlit does it."""
    from streamlit.runtime.scriptrunner import StopException

    archive = Path(shutil.make_archive(str(tmp_path / "set"), "zip", photos))
    at = page("data")
    at.file_uploader(key="archive").set_value(("my set.zip", archive.read_bytes(), "application/zip"))
    with monkeypatch.context() as broken:
        broken.setattr(data_source, "unpack", lambda *given: (_ for _ in ()).throw(StopException()))
        run(at)
    assert not Workspace(folder).recent()
    run(at)
    assert [metric.value for metric in at.metric] == ["12", "2"]


def test_of_a_long_path_the_end_is_shown(folder, photos, tmp_path):
    deep = tmp_path / ("a long name of a folder " * 4) / "colours"
    shutil.copytree(photos, deep)
    at = choose(page("data"), deep)
    assert "/colours**" in shown(at)
    assert f"…{str(deep)[-79:]}" in page("train").selectbox[0].options


def test_without_photos_every_page_says_what_to_do(folder):
    assert "Sort photos into one folder for each class" in shown(page("data"))
    for name in ("train", "results"):
        assert "Choose a folder or upload an archive on the **Data** page" in shown(page(name))


def test_saved_corrections_are_told_and_undone(folder, photos):
    Workspace(folder).remember(photos)
    table = CorrectionTable(Workspace(folder).fixes, photos)
    table.put([Correction("red/000.png", "red", "green", "relabel", "by hand")])
    at = page("data")
    assert "1 label put right, 0 photos left out." in shown(at)
    at.button(key="undo-fixes").click()
    run(at)
    assert table.lines() == ()


# Train


@pytest.fixture
def orders(monkeypatch):
    """What would be started."""
    from fieldguide.app import train

    given = []
    monkeypatch.setattr(train, "start", lambda folder, order: given.append(list(order)))
    return given


def test_training_is_the_command_that_is_shown(folder, photos, orders):
    Workspace(folder).remember(photos)
    at = page("train")
    assert "12 photos of 2 classes" in shown(at)
    assert "Takes about **" in shown(at)
    at.segmented_control(key="preset").set_value("fast")
    run(at)
    command = next(code.value for code in at.code)
    next(button for button in at.button if button.label == "Start training").click()
    run(at)
    out = str(folder / "photos.onnx")
    expected = ["train", str(photos), "--out", out, "--recipe", "auto", "--preset", "fast"]
    assert orders == [expected]
    assert command == "fieldguide " + " ".join(expected)


def test_doubts_about_the_photos_are_shown_before_training_and_on_the_page_of_data(folder, photos):
    (photos / "labels.csv").write_text("path,label\nred/000.png,green\n")
    Workspace(folder).remember(photos)
    for name in ("train", "data"):
        at = page(name)
        assert any("labels" in box.value and "beside them was not" in box.value for box in at.warning)


def test_a_stopped_training_of_the_same_name_is_replaced_only_with_a_word(folder, photos, orders):
    Workspace(folder).remember(photos)
    kept = folder / "photos.onnx.training"
    kept.mkdir()
    (kept / "checkpoint").write_bytes(b"steps")
    at = page("train")
    at.selectbox(key="recipe").set_value("cnn")
    run(at)
    assert any("was stopped and can still be resumed" in box.value for box in at.warning)
    next(button for button in at.button if button.label == "Start training").click()
    run(at)
    assert "--restart" in orders[0]


def test_corrections_are_applied_where_there_are_some(folder, photos, orders):
    Workspace(folder).remember(photos)
    table = CorrectionTable(Workspace(folder).fixes, photos)
    table.put([Correction("red/000.png", "red", "green", "relabel", "by hand")])
    at = page("train")
    next(button for button in at.button if button.label == "Start training").click()
    run(at)
    assert orders[0][-2:] == ["--corrections", str(table.path)]


def test_photos_put_right_can_be_learned_from_where_their_class_is_known(folder, photos, orders):
    Workspace(folder).remember(photos)
    store = PhotoStore(Workspace(folder).corrections)
    store.record(BLUE, "mauve", name="a.jpg")
    assert not page("train").checkbox
    store.record(RED, "red", name="b.jpg")
    at = page("train")
    assert [box.label for box in at.checkbox] == ["Learn from 1 photo put right on the Classify page, too"]
    next(button for button in at.button if button.label == "Start training").click()
    run(at)
    assert orders[0][-2:] == ["--add", str(store.table)]
    at.checkbox[0].uncheck()
    run(at)
    assert not any("--add" in code.value for code in at.code)


def test_one_class_is_too_few_to_train(folder, tmp_path, paint_classes):
    Workspace(folder).remember(paint_classes(tmp_path / "one", {"red": 3}))
    at = page("train")
    assert "There must be two classes, or more, to tell apart." in shown(at)
    assert not [button for button in at.button if button.label == "Start training"]


def test_a_name_that_leaves_the_folder_does_not(folder, photos, orders):
    Workspace(folder).remember(photos)
    at = page("train")
    at.text_input(key=f"name-{photos}").set_value("../../evil")
    run(at)
    next(button for button in at.button if button.label == "Start training").click()
    run(at)
    assert orders[0][3] == str(folder / "evil.onnx")


def test_a_way_that_needs_torch_says_so_where_there_is_none(folder, photos, orders, monkeypatch):
    monkeypatch.setattr("fieldguide.recipes.has_torch", lambda: False)
    Workspace(folder).remember(photos)
    at = page("train")
    assert "finetune (needs PyTorch)" in at.selectbox(key="recipe").options
    assert "linear-probe" in at.selectbox(key="recipe").options
    at.selectbox(key="recipe").set_value("finetune")
    run(at)
    assert "needs PyTorch" in at.warning[0].value
    assert at.code[0].value.startswith("pip install ")
    assert not [button for button in at.button if button.label == "Start training"]


def test_the_ways_of_the_page_are_those_of_the_library():
    from fieldguide.recipes import RECIPES, find

    assert list(WAYS) == list(RECIPES)
    for name, way in WAYS.items():
        assert way.by_steps == ("epochs" in find(name).OPTIONS)
        assert way.tags == (Task.MULTIPLE in getattr(find(name), "TASKS", ONE_LABEL))
    assert list(PRESETS) == ["fast", "balanced", "best"]
    assert list(AUGMENT) == ["none", "light", "medium", "strong"]


# What is loaded


def test_the_pages_start_without_what_only_training_reports_and_charts_need():
    pages = "classify, data, models, results, server, teach, train"
    heavy = ("altair", "matplotlib", "scipy", "sklearn", "timm", "torch")
    code = f"import sys\nfrom fieldguide.app import {pages}\nprint([n for n in {heavy} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_every_model_file_can_be_chosen_and_the_one_that_needs_no_training(folder):
    write_tiny_model(folder / "cifar10.onnx")
    at = page("classify")
    offered = {session_state.IMAGENET, MOBILENET.label}
    assert set(at.sidebar.selectbox[0].options) == {"colours.onnx", "cifar10.onnx", *offered}
    at.sidebar.selectbox[0].select("cifar10.onnx")
    assert "This model knows 3 classes" in shown(run(at))


# Results


def test_models_are_measured_and_their_mistakes_opened(folder, tmp_path, paint_classes):
    photos = paint_classes(tmp_path / "test set", {"red": 3, "green": 3, "blue": 3})
    (photos / "red" / "000.png").rename(photos / "blue" / "999.png")
    Workspace(folder).remember(photos)
    at = page("results")
    assert "9 photos to measure on." in shown(at)
    next(button for button in at.button if button.label == "Measure").click()
    run(at)
    assert at.dataframe[0].value["right"].tolist() == ["89 %"]
    assert "blue, taken for red: 1 photo" in shown(at)
    spec = json.loads(at.get("vega_lite_chart")[0].proto.spec)
    assert spec["layer"][0]["params"][0]["name"] == "cell"
    at.session_state["view-of-results"] = "Thresholds"
    run(at)
    assert [metric.label for metric in at.metric][-2:] == ["Wrong answers left", "Right ones withheld"]


# Camera


def test_a_burst_is_label_and_jpegs_and_nothing_else():
    url = "data:image/jpeg;base64,/9j/"
    burst = {"label": "mug", "frames": [url, "data:text/html,<b>", 7, None, "data:image/jpeg;base64,%%", url]}
    assert camera.frames_of(burst) == ("mug", [b"\xff\xd8\xff"] * 2)
    assert camera.frames_of(None) == ("", [])
    assert camera.frames_of({"label": "mug", "frames": [url] * 100})[1] == [b"\xff\xd8\xff"] * camera.FRAMES
    assert camera.jpeg_of(url + "A" * camera.MOST_BYTES) is None


def test_the_page_of_the_camera_says_what_is_missing(folder):
    text = shown(page("teach"))
    assert "Nothing recorded yet. Two things, or more, are needed." in text
    assert "Training begins with two things" in text


# Words


def test_shares_and_times_are_said_as_people_say_them():
    assert [percent(share) for share in (0, 0.004, 0.01, 0.5, 0.994, 0.997, 1)] == [
        "0 %", "under 1 %", "1 %", "50 %", "99 %", "over 99 %", "100 %"
    ]  # fmt: skip
    assert [span(seconds) for seconds in (0.1, 45, 100, 7200)] == ["1 s", "45 s", "2 min", "2.0 h"]
    assert [counted(1, "photo"), counted(2000, "class", "classes")] == ["1 photo", "2,000 classes"]


def test_names_are_made_plain():
    assert plain("a*b[c](d)") == r"a\*b\[c\]\(d\)"
    assert html_text("<b>\u202e") == "&lt;b&gt;\\u202e"
    assert len(html_text("x" * 1000)) == 80
    assert sentence("fieldguide train: no such folder") == "No such folder"


# The door


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        (b"localhost", True), (b"localhost:8501", True), (b"127.0.0.1:8501", True), (b"[::1]:1", True),
        (b"LOCALHOST", True), (b"evil.test", False), (b"localhost.evil.test", False), (b"", False),
        (b"localhost:8501.evil.test", False), (b"127.0.0.1.evil.test", False),
        (b"evil.test#localhost", False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("address", ["/", "/_stcore/health", "/_stcore/upload_file/a/b", "/media/x.png"])
def test_the_host_is_looked_at_on_every_route(host, allowed, address):
    sent, asked = [], []

    async def inner(scope, receive, send):
        asked.append(scope["path"])

    async def send(message):
        sent.append(message)

    for kind in ("http", "websocket"):
        scope = {"type": kind, "path": address, "headers": [(b"host", host)]}
        asyncio.run(server.SafeFrame(inner)(scope, None, send))
    assert asked == ([address] * 2 if allowed else [])
    if not allowed:
        assert sent[0]["status"] == 421 and sent[-1] == {"type": "websocket.close", "code": 1008}
    assert not server.host_allowed([]) and not server.host_allowed([(b"host", b"localhost")] * 2)


def test_model_files_may_have_any_name(folder):
    names = [b"\xff.onnx", b"a\x1b[2J.onnx", rb"a\x1b[2J.onnx", b"**b** <i>.onnx", b"-x.onnx"]
    for name in names:
        write_tiny_model(Path(os.fsdecode(os.fsencode(folder) + b"/" + name)))
    at = page("models")
    assert len([button for button in at.button if button.label == "Use"]) == len(names) + 1
    at = page("classify")
    options = at.sidebar.selectbox(key="model").options
    offers = 3  # of what is not there yet
    assert len(set(options)) == len(options) == len(names) + 1 + offers
    for option in options[:-offers]:
        at.sidebar.selectbox(key="model").select(option)
        run(at)
        assert not at.error, option


def test_the_live_camera_stands_on_the_page_of_photos(folder):
    at = page("classify")
    at.segmented_control(key="source").set_value("Live camera") if hasattr(at, "segmented_control") else None
    at.session_state["source"] = "Live camera"
    run(at)
    assert not at.file_uploader


def test_a_training_of_the_camera_page_is_shown_after_a_reload(folder):
    place = Workspace(folder).jobs / "20260101-000000-aaaa"
    collection = PhotoStore(Workspace(folder).collected / "my-things")
    collection.folder.parent.mkdir(exist_ok=True)
    for colour, label in ((RED, "a"), (BLUE, "b")):
        collection.record(colour, label, name="x")
    from fieldguide.workspace.jobs import start

    job = start(Workspace(folder).jobs, ["train", "nowhere", "--out", str(folder / "my-things.onnx")])
    for _ in range(600):
        if job.state in ("failed", "done"):
            break
        time.sleep(0.1)
    at = page("teach")
    assert plain("my-things.onnx") in shown(at)
    assert place.parent.is_dir()


def test_the_app_is_for_this_machine_alone_and_tells_nobody(tmp_path):
    flags = command.command(tmp_path, 8600)
    for flag in (
        "--server.address=127.0.0.1",
        "--server.port=8600",
        "--browser.gatherUsageStats=false",
        "--server.allowedHosts=localhost",
        "--client.showErrorDetails=none",
    ):
        assert flag in flags
    assert flags[-3:] == ["--", str(tmp_path), "fieldguide"]
    assert "default-src 'self'" in server.POLICY
    assert "unsafe-inline" not in server.POLICY.split("script-src")[1].split(";")[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "no such folder; make it"),
        ([".", "--port", "0"], "must be a whole number from 1 to 65535"),
        ([".", "--port", "x"], "must be a whole number from 1 to 65535"),
    ],
)
def test_what_cannot_start_is_one_line(tmp_path, arguments, words):
    asked = [sys.executable, "-m", "fieldguide", "app", *arguments]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_run_says_which_pass_is_done_and_what_is_left_of_the_time():
    told = {"epoch": 4, "epochs": 9, "seconds_left": 372.0, "seconds_allowed": 790.0}
    assert job_progress._passes(told) == "Pass 4 of 9 is done, 6 of 13 min left"
    assert job_progress._passes({"epoch": 4}) == "Pass 4 is done"
