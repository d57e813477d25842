"""The app with a model of tags: chips, boxes to tick, photos of tags on every page."""

import base64
import csv
import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from fieldguide.app import data_source, findings, job_progress, label_next, live, teach, train
from fieldguide.workspace.folder import Workspace
from fieldguide.workspace.tag_store import TagStore, tags_of
from fieldguide.workspace.ways_to_train import WAYS
from tags_made import write_tagged
from tiny_model import tiny_tag_model, write_tiny_model

PAGE = "from fieldguide.app import session_state, {0}\nsession_state.choose_model()\n{0}.show()\n"
HOSTILE = ("<img src=x onerror=alert(1)>", "**b** :red[x] $a$", "[l](http://e.test)\u202egpj")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """DIR with one model of tags, as the app is given it."""
    place = tmp_path / "models"
    place.mkdir()
    (place / "tags.onnx").write_bytes(tiny_tag_model())
    monkeypatch.setattr(sys, "argv", ["main.py", str(place)])
    return place


@pytest.fixture
def table(tmp_path):
    return write_tagged(tmp_path / "data", 24)


@pytest.fixture
def orders(monkeypatch):
    """What would be started."""
    given = []
    for module in (train, findings, label_next, teach):
        monkeypatch.setattr(module, "start", lambda folder, order: given.append(list(order)))
    return given


def page(name):
    return run(AppTest.from_string(PAGE.format(name), default_timeout=120))


def run(at):
    at.run()
    assert not at.exception, at.exception
    return at


def shown(at):
    """All text on the page, HTML included."""
    texts = [element.proto.body for element in at.get("html")]
    for kind in (at.markdown, at.caption, at.error, at.info, at.success, at.text, at.title, at.subheader):
        texts += [element.value for element in kind]
    return "\n".join(texts)


def jpeg(colour):
    memory = io.BytesIO()
    Image.fromarray(np.full((40, 30, 3), colour, dtype=np.uint8)).save(memory, "JPEG")
    return memory.getvalue()


def upload(at, *files):
    at.file_uploader(key="photos").set_value([(name, content, "image/jpeg") for name, content in files])
    return run(at)


def press(at, label):
    next(button for button in at.button if button.label == label).click()
    return run(at)


def ticked(at):
    return next(boxes for boxes in at.button_group if boxes.key.startswith("ticked-"))


PURPLE, DARK, GREY = (230, 20, 200), (60, 10, 10), (128, 128, 128)


def test_tags_are_chips_with_their_probabilities(folder):
    at = page("classify")
    assert "This model knows 3 tags, of which a photo may have any number: red, green, blue." in shown(at)
    at = upload(at, ("a.jpg", jpeg(PURPLE)))
    words = shown(at)
    assert '<span class="given">red<small>over 99 %</small></span>' in words
    assert '<span class="given">blue<small>over 99 %</small></span>' in words
    assert "hold at least 95 % of a photo's true tags, on average" in words
    assert at.expander[0].label == "All tags"


def test_possible_tags_and_none_are_told_apart(folder):
    at = upload(page("classify"), ("dark.jpg", jpeg((10, 10, 60))))
    words = shown(at)
    assert '<span class="given">blue' in words
    at = upload(page("classify"), ("darker.jpg", jpeg((3, 20, 3))))
    assert "none is probable enough" in shown(at)
    assert '<span class="may">green' in shown(at)
    assert "Dashed tags are possible, too." in shown(at)


def test_unknown_is_said_plainly_and_its_tags_are_grey(folder):
    at = upload(page("classify"), ("grey.jpg", jpeg(GREY)))
    assert "Unknown <small>" in shown(at)
    assert 'class="given muted"' in shown(at)
    assert "If it had to have some of the tags" in shown(at)


def test_several_photos_stand_in_a_table_with_their_tags(folder):
    photos = (("a.jpg", jpeg(PURPLE)), ("broken.jpg", b"no photo"), ("grey.jpg", jpeg(GREY)))
    at = upload(page("classify"), *photos)
    rows = at.dataframe[0].value
    assert [sorted(cell) for cell in rows["tags"]] == [["blue", "red"], ["cannot be read"], ["unknown"]]
    assert "3 photos, 1 unknown, 1 could not be read" in shown(at)


def test_tags_are_put_right_and_taken_back(folder):
    store = TagStore(Workspace(folder).tag_corrections)
    at = upload(page("classify"), ("a.jpg", jpeg(PURPLE)))
    boxes = ticked(at)
    assert sorted(boxes.value) == ["blue", "red"]
    boxes.set_value(["green", "blue"])
    at.multiselect[0].set_value([])
    run(at)
    at = press(at, "Record these tags")
    (kept,) = store.photos()
    assert (tags_of(kept), kept.name, sorted(kept.said.split("|"))) == (
        ["blue", "green"],
        "a.jpg",
        ["blue", "red"],
    )
    assert "Recorded with **blue**, **green**." in shown(at)
    at = press(at, "Undo")
    assert store.photos() == ()


def test_that_a_photo_has_none_of_the_tags_can_be_recorded(folder):
    at = upload(page("classify"), ("a.jpg", jpeg(PURPLE)))
    ticked(at).set_value([])
    run(at)
    at = press(at, "Record these tags")
    assert [tags_of(kept) for kept in TagStore(Workspace(folder).tag_corrections).photos()] == [[]]
    assert "Recorded with **none of the tags**." in shown(at)


def test_hostile_tags_are_text(folder):
    (folder / "tags.onnx").write_bytes(tiny_tag_model(classes=list(HOSTILE)))
    at = upload(page("classify"), ("<b>.jpg", jpeg(PURPLE)))
    page_source = "\n".join(element.proto.body for element in at.get("html"))
    assert "<img src=x" not in page_source
    assert "&lt;img src=x onerror=alert(1)&gt;" in page_source
    assert "\u202e" not in page_source
    at = press(at, "Record these tags")
    assert "\\<img src\\=x" in shown(at)


def test_frames_are_answered_with_all_tags_given(folder):
    from fieldguide.prediction.predictor import load

    model = load(folder / "tags.onnx")
    (several, none) = model.predict([jpeg(PURPLE), jpeg((3, 20, 3))])
    assert live._said(several, 12.4) == {
        "label": ", ".join(several.labels),
        "words": "over 99 %, over 99 %, 12 ms",
        "share": several.probability,
    }  # fmt: skip
    assert live._said(none, 1) == {"label": "no tags", "words": "1 ms", "share": 0.0}


def test_photos_with_tags_are_looked_at(folder, table, orders):
    Workspace(folder).remember(table)
    at = page("data")
    figures = {metric.label: metric.value for metric in at.metric}
    assert figures == {"Photos": "24", "Tags": "3", "Without any tag": "3"}
    at = press(at, "Look for faults")
    ((*order, suggestions),) = orders
    assert order == ["check", str(table), "--fix"]
    assert Path(suggestions).parent == Workspace(folder).fixes


def test_the_task_can_be_said(folder, table):
    at = page("data")
    at.selectbox(key="task").set_value("single")
    at = run(at)
    at.text_input(key="path").set_value(str(table))
    at = press(at, "Open")
    assert not at.error, at.error
    assert data_source.reading_arguments(table) == ["--task", "single"]


def test_only_ways_that_learn_tags_are_offered(folder, table, orders):
    Workspace(folder).remember(table)
    at = page("train")
    assert "24 photos with 3 tags" in shown(at)
    offered = at.selectbox(key="recipe-of-tags").options
    assert [name.split(" ")[0] for name in offered] == [name for name, way in WAYS.items() if way.tags]
    press(at, "Start training")
    assert orders[0][:2] == ["train", str(table)]
    assert "--recipe" in orders[0] and "--add" not in orders[0]


def test_tags_put_right_are_learned_from(folder, table, orders):
    space = Workspace(folder)
    store = TagStore(space.tag_corrections)
    store.record_tags(jpeg(PURPLE), ["red", "blue"], name="a.jpg", said="red")
    store.record_tags(jpeg(DARK), ["mauve"], name="b.jpg", said="red")
    space.remember(table)
    at = page("train")
    assert any("Learn from 1 photo put right" in box.label for box in at.checkbox)
    press(at, "Start training")
    assert orders[0][-2:] == ["--add", str(store.table)]


def test_a_finished_training_of_tags_says_how_good_it_is():
    figure = {"value": 0.875, "low": 0.85, "high": 0.9}
    told = {
        "task": "multiple",
        "map": figure,
        "exact_match": figure,
        "coverage": figure,
        "measured_on": "test",
    }
    said = job_progress._measured(told)
    assert said.startswith("**Mean average precision 0.88** (95 % range 0.85 to 0.90)")
    assert said.endswith("measured on test. Its sets hold 88 % of the true tags.")
    assert job_progress._measured({"task": "multiple", "map": None}).startswith("No tag to measure by")


def test_models_of_tags_are_measured_tag_by_tag(folder, table):
    write_tiny_model(folder / "colours.onnx")
    Workspace(folder).remember(table)
    at = page("results")
    assert at.multiselect(key="measured-models").options == ["tags.onnx"]
    at = press(at, "Measure")
    (row,) = at.dataframe[0].value.to_dict("records")
    assert row["model"] == "tags.onnx" and 0 < float(row["mean average precision"]) <= 1
    assert row["photos"] == 24
    tags = at.dataframe[1].value
    assert sorted(tags["tag"]) == ["blue", "green", "red"]
    assert list(tags["photos"]) == [12, 12, 12]


def test_photos_of_labels_are_not_measured_by_models_of_tags(folder, paint_classes, tmp_path):
    photos = paint_classes(tmp_path / "photos", {"red": 2, "green": 2})
    Workspace(folder).remember(photos)
    assert "there is no model of that kind yet" in shown(page("results"))


def test_a_model_of_tags_stands_among_the_models(folder):
    figure = {"value": 0.9, "low": 0.8, "high": 0.95}
    (folder / "tags.onnx").write_bytes(tiny_tag_model(metrics={"map": figure}))
    at = page("models")
    figures = {metric.label: metric.value for metric in at.metric}
    assert figures["Tags"] == "3"
    assert figures["Mean average precision"] == "0.90"
    assert "95 % range 0.80 to 0.95" in shown(at)


def test_photos_are_given_tags_one_after_the_other(folder, tmp_path, orders):
    new = tmp_path / "new"
    new.mkdir()
    for number, colour in enumerate([PURPLE, (20, 30, 40), (10, 200, 250)]):
        (new / f"{number}.jpg").write_bytes(jpeg(colour))
    at = page("label_next")
    at.text_input(key="unlabelled").set_value(str(new))
    run(at)
    assert "The model would say" in shown(at)
    first = at.session_state["suggested"][0]
    ticked(at).set_value(["green"])
    run(at)
    at = press(at, "These tags are right")
    store = TagStore(Workspace(folder).tag_corrections)
    (kept,) = store.photos()
    assert (tags_of(kept), kept.said) == (["green"], "|".join(first.suggested))
    at = press(at, "Skip")
    at = press(at, "Undo")
    assert store.photos() == ()
    at = press(at, "These tags are right")
    at = press(at, "Skip")
    assert "1 photo labelled" in shown(at)
    assert at.button(key="label-train").disabled


def test_tags_given_here_are_learned_from_beside_photos_with_tags(
    folder, table, tmp_path, orders, paint_classes
):
    store = TagStore(Workspace(folder).tag_corrections)
    store.record_tags(jpeg(PURPLE), ["red"], name="a.jpg", said="")
    Workspace(folder).remember(table)
    at = page("label_next")
    at = press(at, "Train again")
    out = str(folder / "tags-next.onnx")
    assert orders == [["train", str(table), "--out", out, "--preset", "fast", "--add", str(store.table)]]
    Workspace(folder).remember(paint_classes(tmp_path / "plain", {"red": 2, "green": 2}))
    at = page("label_next")
    assert at.button(
        key="label-train"
    ).disabled  # alone they are too few, and those photos have one label each


def test_a_downloaded_table_holds_all_tags(folder):
    at = upload(page("classify"), ("a.jpg", jpeg(PURPLE)))
    answers = list(at.session_state["answers"].values())
    assert set(answers[0].labels) == {"red", "blue"}
    memory = io.BytesIO()
    from fieldguide.prediction.rows import write_csv

    write_csv([answer.as_row() for answer in answers], memory)
    (row,) = csv.DictReader(memory.getvalue().decode().splitlines())
    assert set(row["labels"].split("|")) == {"red", "blue"}


def test_frames_with_several_things_are_kept_with_tags(folder, monkeypatch):
    at = page("teach")
    at.toggle(key="several-my-things").set_value(True)
    at = run(at)
    assert at.multiselect(key="things").label == "What is in the picture?"
    store = TagStore(Workspace(folder).collected / "my-things")
    monkeypatch.setattr(teach.st, "toast", lambda words: None)
    frames = [
        f"data:image/jpeg;base64,{base64.b64encode(jpeg((200, 20, 40 * n))).decode()}" for n in range(3)
    ]
    burst = {"label": json.dumps(["mug", "a|b", 3]), "frames": frames}
    state = {"recorder": SimpleNamespace(burst=burst), "store": str(store.folder)}
    monkeypatch.setattr(teach.st, "session_state", state)
    teach._keep_burst_of_tags()
    assert store.counts() == {"a|b": 3, "mug": 3}
    assert len({photo.batch for photo in store.photos()}) == 1
    monkeypatch.undo()
    assert teach._tags_in("no list") == teach._tags_in("{}") == []


def test_a_collection_of_tags_stays_one_and_is_trained_on_with_enough(folder, orders):
    store = TagStore(Workspace(folder).collected / "my-things")
    for number in range(16):
        store.record_tags(jpeg((200, 20, 12 * number)), ["mug"] if number % 2 else [], name=str(number))
    at = page("teach")
    switch = at.toggle(key="several-my-things")
    assert (switch.value, switch.disabled) == (True, True)
    press(at, "Train")
    out = str(folder / "my-things.onnx")
    assert orders == [["train", str(store.table), "--out", out, "--preset", "fast"]]
    store.forget(store.photos()[0].digest)
    assert page("teach").button(key="teach-train").disabled  # seven frames without the mug
