"""Tags put right on the Data page: a line a tag, as `train --corrections` takes them."""

import sys
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from fieldguide.app import correction, findings
from fieldguide.app.correction import BY_HAND
from fieldguide.data.corrections import Correction, corrected
from fieldguide.data.dataset import Dataset, open_dataset
from fieldguide.tasks.task import EITHER
from fieldguide.workspace.correction_table import CorrectionTable
from fieldguide.workspace.folder import Workspace
from tags_made import write_tagged
from tiny_model import tiny_tag_model

PAGE = "from fieldguide.app import session_state, data\nsession_state.choose_model()\ndata.show()\n"


@pytest.fixture
def dataset(tmp_path):
    with open_dataset(write_tagged(tmp_path / "data", 24), tasks=EITHER) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path, monkeypatch, dataset):
    place = tmp_path / "models"
    place.mkdir()
    (place / "tags.onnx").write_bytes(tiny_tag_model())
    monkeypatch.setattr(sys, "argv", ["main.py", str(place)])
    Workspace(place).remember(tmp_path / "data" / "labels.csv")
    return place


@pytest.fixture
def table(folder, tmp_path):
    return CorrectionTable(Workspace(folder).fixes, tmp_path / "data" / "labels.csv")


def cells(tags, leave_out=False, why=""):
    return {"tags": tags, "leave out": leave_out, "why": why}


def row_of(dataset, tags):
    return next(row for row in range(len(dataset)) if dataset.tags_at(row).present == tuple(tags))


def test_each_tag_that_differs_is_a_line(dataset):
    row = row_of(dataset, ["green", "red"])
    path = dataset.display(dataset.paths[row])
    assert correction.tag_changes(dataset, row, cells(["red", "green"])) == []
    assert correction.tag_changes(dataset, row, cells(["blue", "red"])) == [
        Correction(path, "", "blue", "add", BY_HAND),
        Correction(path, "green", "", "remove", BY_HAND),
    ]
    assert [line.label for line in correction.tag_changes(dataset, row, cells(None))] == ["green", "red"]
    (dropped,) = correction.tag_changes(dataset, row, cells(["blue"], leave_out=True, why="blurred"))
    assert (dropped.action, dropped.reason) == ("drop", "blurred")


def test_what_is_saved_makes_the_tags_that_were_wanted(dataset, tmp_path):
    table = CorrectionTable(tmp_path, tmp_path / "data")
    row = row_of(dataset, ["red"])
    path = dataset.display(dataset.paths[row])
    table.replace({path}, correction.tag_changes(dataset, row, cells(["blue", "green"])))
    fixed = corrected(dataset, table.lines())
    assert fixed.tags_at(row).present == ("blue", "green")
    assert fixed.refused == dataset.refused
    table.replace({path}, correction.tag_changes(dataset, row, cells(["red"])))
    assert table.lines() == ()  # as it was: no line is left


def test_a_suggestion_that_is_not_followed_is_not_made_again(dataset):
    row = row_of(dataset, ["red"])
    path = dataset.display(dataset.paths[row])
    lines = [Correction(path, "", tag, "add", "likely missing") for tag in ("blue", "green")]
    said = correction.tag_changes(dataset, row, cells(["green", "red"]), lines)
    assert [(line.action, line.corrected) for line in said] == [("add", "green"), ("keep", "blue")]
    assert {line.about for line in said} == {line.about for line in lines}
    assert corrected(dataset, said).tags_at(row).present == ("green", "red")
    again = correction.tag_changes(dataset, row, cells(["green", "red"]), said)
    assert again == said
    assert correction._tag_row(dataset, row, said)["tags"] == ["green", "red"]


def test_a_label_that_was_doubted_and_is_right_is_kept():
    photos = Dataset(Path("photos"), ("a.jpg", "b.jpg"), ("cat", "dog"))
    right = {"label": "cat", "leave out": False, "why": "unlike its class"}
    assert correction._line(photos, 0, right, False, {}) is None
    assert correction._line(photos, 0, right, True, {}).action == "keep"


def test_several_tags_added_to_one_photo_have_a_line_each(tmp_path):
    table = CorrectionTable(tmp_path, tmp_path / "data")
    table.put([Correction("a.jpg", "", tag, "add", "") for tag in ("blue", "green")])
    table.put([Correction("b.jpg", "", "red", "add", "")])
    assert [line.corrected for line in table.lines()] == ["blue", "green", "red"]
    table.replace({"a.jpg"}, [Correction("a.jpg", "red", "", "remove", "")])
    assert [(line.path, line.action) for line in table.lines()] == [("b.jpg", "add"), ("a.jpg", "remove")]


def test_the_page_saves_what_was_changed_and_begins_with_it(folder, table, monkeypatch):
    seen = []

    def edited(rows, **options):
        seen.append([row["tags"] for row in rows])
        assert options["column_config"]["tags"]["type_config"]["type"] == "multiselect"
        return [{**rows[0], "tags": ["green", "red"]}, *rows[1:]]

    monkeypatch.setattr(st, "data_editor", edited)
    at = AppTest.from_string(PAGE, default_timeout=120)
    at.session_state["view-of-data"] = "Contact sheets"
    at.run()
    at.toggle(key="fix-labels").set_value(True).run()
    assert not at.exception, at.exception
    assert seen[-1][0] == ["blue"]  # the first photo of the first tag
    next(button for button in at.button if button.label == "Save these tags").click().run()
    assert not at.exception, at.exception
    lines = [(line.action, line.label or line.corrected) for line in table.lines()]
    assert lines == [("add", "green"), ("add", "red"), ("remove", "blue")]
    assert seen[-1][0] == ["green", "red"]
    assert any("3 tags put right, 0 photos left out" in text.value for text in at.markdown)


def test_all_suggestions_for_a_photo_stand_in_its_row(dataset):
    path = dataset.display(dataset.paths[5])
    fixes = [
        Correction(path, "", "red", "add", "likely missing"),
        Correction(path, "blue", "", "remove", "likely wrong"),
        Correction("elsewhere.png", "", "red", "add", ""),
    ]
    assert findings._all_by_row(dataset, fixes) == {5: fixes[:2]}
    shown = correction._tag_row(dataset, 5, fixes[:2])
    assert "red" in shown["tags"] and "blue" not in shown["tags"]
    assert shown["why"] == "likely missing; likely wrong"
