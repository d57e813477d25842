"""The report: from a measurement to the page, its figures, its limits, and what hostile names do to it."""

import csv
import importlib.util
import io
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from browser import watched
from fieldguide.cli import main
from fieldguide.dataset import Dataset
from fieldguide.errors import DataError
from fieldguide.evaluation import LeakedPart, with_foreign
from fieldguide.intervals import share
from fieldguide.page import render
from fieldguide.report import SECTIONS, page_of, write_report
from fieldguide.report.confusion import clustered
from fieldguide.report.feature_map import laid_out
from fieldguide.report.gather import Asked, gather
from fieldguide.report.next_steps import ideas_of
from fieldguide.rivals import compare_models
from report_oracle import Oracle, oracle
from test_page import NAMES, gps_photo
from tiny_model import write_tiny_model

CLASSES = ("ant", "bee", "cow", "dog", "eel", "fox")
ASKED = Asked(Path("model.onnx"), Path("photos"))


def photos(folder, names):
    """Small photos under these names; where the system allows no such name, under a number."""
    folder.mkdir(exist_ok=True)
    paths = []
    for number, name in enumerate(names):
        path = folder / name.replace("/", "_").replace("\x00", "_")[:100]
        try:
            path.write_bytes(b"")
        except OSError:
            path = folder / str(number)
        Image.new("RGB", (40, 30), (number % 256, 90, 120)).save(path, format="PNG")
        paths.append(str(path))
    return paths


def material(folder, classes=CLASSES, each=20, asked=ASKED, foreign=None, **changes):
    """A measurement of `each` photos of every class."""
    truth = np.repeat(np.arange(len(classes)), each)
    paths = photos(folder, [f"{number}.png" for number in range(len(truth))])
    images = Dataset(folder, tuple(paths), tuple(classes[number] for number in truth))
    return gather(oracle(classes, truth, **changes), images, asked, foreign=foreign)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    return material(tmp_path_factory.mktemp("report") / "photos")


def sections(made):
    return {section.name: section for section in page_of(made).sections}


def blocks(section, kind):
    return [block for block in section.blocks if block.kind == kind]


def test_the_page_has_every_section_that_has_something_to_say(measured):
    made = sections(measured)
    assert set(made) == {
        *("headline", "next", "mistakes", "confusion", "classes", "reliability", "coverage", "typicality"),
        *("map", "separation", "hits", "examples", "learning-curve", "data", "model"),
    }
    assert len(SECTIONS) == len(made) + 2  # no history: this recipe has no epochs; and no other models


def test_every_picture_says_what_it_shows_and_has_its_numbers(measured):
    for section in page_of(measured).sections:
        for block in section.blocks:
            if block.kind in ("picture", "point_map"):
                assert len(block.alt) > 30, block.name
                assert block.numbers.rows, block.name
                assert {len(row) for row in block.numbers.rows} == {len(block.numbers.columns)}, block.name


def test_the_numbers_are_those_of_the_evaluation(measured):
    made, evaluation = sections(measured), measured.evaluation
    accuracy = blocks(made["headline"], "tiles")[0].tiles[0]
    assert accuracy.value == f"{100 * evaluation.accuracy.value:.1f}\xa0%"
    table = blocks(made["classes"], "table")[0]
    f1 = {row[0]: row[6] for row in table.rows}
    assert f1 == dict(zip(evaluation.classes, evaluation.per_class.f1.tolist(), strict=True))
    assert [row[6] for row in table.rows] == sorted(f1.values())
    cells = blocks(made["confusion"], "picture")[0].numbers.rows
    assert {(a, b): n for a, b, n in cells} == {
        (CLASSES[row], CLASSES[column]): int(evaluation.confusion[row, column])
        for row, column in zip(*np.nonzero(evaluation.confusion), strict=True)
    }


def test_mistakes_come_surest_first_and_hits_least_sure_first(measured):
    made = sections(measured)
    wrong = blocks(made["mistakes"], "gallery")[0].shots
    right = blocks(made["hits"], "gallery")[0].shots
    sure = [int(shot.lines[0].split("\xa0%")[0]) for shot in wrong]
    doubtful = [int(shot.title.split(", ")[1].split("\xa0%")[0]) for shot in right]
    assert sure == sorted(sure, reverse=True) and len(sure) == min(24, int((~measured.right).sum()))
    assert doubtful == sorted(doubtful) and len(doubtful) == 12
    assert all(shot.image and " → " in shot.title for shot in wrong)


def test_a_photo_that_went_since_is_an_empty_frame(tmp_path):
    made = material(tmp_path / "photos", each=4)
    for path in made.images.paths:
        Path(path).unlink()
    shots = blocks(sections(made)["examples"], "gallery")[0].shots
    assert shots and not any(shot.image for shot in shots)
    assert b"can no longer be read" in render(page_of(made))


def test_foreign_photos_findings_and_the_curve_get_their_place(tmp_path):
    findings = tmp_path / "check.json"
    finding = {"code": "FG003", "title": "<b>Twins</b>", "severity": "issue", "count": 4}
    finding |= {"message": "2 photos are there twice.", "paths": ["a.jpg"]}
    findings.write_text(json.dumps({"findings": [finding, {"title": 3}]}))
    curve = tmp_path / "curve.json"
    points = [
        {"images": 10 * n, "accuracy": {"value": 0.5 + n / 10, "low": 0.4, "high": 0.95}} for n in (1, 2, 3)
    ]
    outlook = {"gain": {"value": 0.04, "low": 0.01, "high": 0.06}}
    told = {"points": points, "outlook": outlook, "sentence": "twice as many would bring 4 points"}
    curve.write_text(json.dumps({"learning_curve": told}))
    asked = Asked(Path("m.onnx"), Path("d"), foreign=Path("f"), findings=findings, learning_curve=curve)
    others = Dataset(tmp_path, tuple(photos(tmp_path / "f", ["a", "b", "c"])), ("", "", ""))
    made = material(tmp_path / "photos", asked=asked, foreign=others)
    page = sections(made)
    assert blocks(page["data"], "table")[0].rows[0][1] == "<b>Twins</b>"
    assert blocks(page["learning-curve"], "picture")[0].numbers.rows[0] == (10.0, 0.6, 0.4, 0.95)
    assert "3 foreign photos" in blocks(page["typicality"], "text")[0].text
    steps = [step.title for step in blocks(page["next"], "steps")[0].steps]
    assert "Double the training photos" in steps and "Mend the data first" in steps


@pytest.mark.parametrize("text", ["", "[]", "{", "{}", '{"finding": []}', "[" * 100_000])
def test_a_file_that_is_none_of_ours_is_named(tmp_path, text):
    file = tmp_path / "x.json"
    file.write_text(text)
    with pytest.raises(DataError, match=r"x\.json: .*fieldguide check DATA --json FILE"):
        material(tmp_path / "photos", each=2, asked=Asked(Path("m"), Path("d"), findings=file))


def test_steps_are_ranked_by_gain_and_drawn_from_the_numbers(tmp_path):
    learned = {"images": 130, "per_class": {"ant": 5, **dict.fromkeys(CLASSES[1:], 25)}}
    made = material(tmp_path / "photos", each=20, right=0.7, data=learned)
    ideas = list(ideas_of(made))
    confusion = made.evaluation.confusion
    pair = next(idea for idea in ideas if idea.step.title.startswith("Draw the line"))
    both = np.triu(confusion + confusion.T, 1).max()
    assert pair.gain == both / made.evaluation.n
    labels = [idea for idea in ideas if "suspicious" in idea.step.title]
    sure = (~made.right & (made.outcomes.confidence >= 0.9) & ~made.outcomes.unknown).sum()
    assert [idea.gain for idea in labels] == ([sure / made.evaluation.n] if sure else [])
    shown = blocks(sections(made)["next"], "steps")[0].steps
    gains = [float(step.gain.split("+")[1].split()[0]) for step in shown if step.gain]
    assert gains == sorted(gains, reverse=True)


def test_a_perfect_model_is_not_called_perfect(tmp_path):
    made = material(tmp_path / "photos", each=5, right=1.1)
    words = blocks(sections(made)["headline"], "text")[0].text
    assert words.startswith("All 30 photos were recognised.") and "as low as" in words
    assert "There are none" in blocks(sections(made)["mistakes"], "text")[0].text


def test_photos_that_were_learned_from_are_suspected_first(tmp_path):
    promised = {"accuracy": {"value": 0.8, "low": 0.75, "high": 0.85}}
    made = material(tmp_path / "photos", each=20, right=0.99, metrics=promised)
    page = sections(made)
    assert "those that the model learned from" in blocks(page["headline"], "notice")[0].text
    assert "new to the model" in blocks(page["next"], "steps")[0].steps[0].title


@pytest.mark.parametrize(
    ("typicality", "told"), [(0.02, "look less familiar"), (0.5, "nearly as familiar"), (0.001, None)]
)
def test_foreign_photos_that_pass_as_known_are_a_step(tmp_path, typicality, told):
    strange = photos(tmp_path / "strange", [f"{number}.png" for number in range(30)])
    foreign = Dataset(tmp_path, tuple(strange), ("",) * 30)
    made = material(tmp_path / "photos", foreign=foreign)
    odd = made.foreign._replace(typicality=np.full(30, typicality), unknown=np.full(30, typicality < 0.01))
    evaluation = with_foreign(replace(made.evaluation, foreign=None), made.outcomes, odd, ())
    steps = [idea.step for idea in ideas_of(replace(made, evaluation=evaluation, foreign=odd))]
    found = [step.why for step in steps if step.title == "Photos of other things pass as known"]
    assert [told in why for why in found] == ([True] if told else [])


def test_the_step_to_mend_the_data_names_the_data_that_were_checked(measured):
    finding = {"title": "t", "severity": "issue", "count": 4, "message": "m", "paths": []}
    commands = [
        [idea.step.command for idea in ideas_of(replace(measured, findings={**named, "findings": [finding]}))]
        for named in ({}, {"data": "my photos; x"})
    ]
    assert "fieldguide check photos --fix corrections.csv" in commands[0]
    assert "fieldguide check 'my photos; x' --fix corrections.csv" in commands[1]


def test_other_models_stand_beside_it_with_the_photos_they_disagree_about(measured):
    truth = np.repeat(np.arange(len(CLASSES)), 20)
    models = {"one": oracle(CLASSES, truth), "<b>other": oracle(CLASSES, truth, right=0.3, seed=1)}
    rivalry = compare_models(models, measured.images)
    section = sections(replace(measured, rivalry=rivalry))["other-models"]
    told = blocks(section, "text")[0].text
    assert told == rivalry.pairs[0].sentence + "."
    assert "one is better than <b>other" in told
    table, pairs = blocks(section, "table")
    assert [row[0] for row in table.rows] == ["one", "<b>other"]
    assert [row[-1] for row in pairs.rows] == ["yes"]
    (gallery,) = blocks(section, "gallery")
    assert len(gallery.shots) == 24
    assert all(len(shot.lines) == 2 and shot.image for shot in gallery.shots)
    assert b"<b>other" not in render(page_of(replace(measured, rivalry=rivalry)))


def test_with_other_models_each_is_asked_once_for_each_photo(tmp_path, monkeypatch):
    asked = []
    plain = Oracle.seen_stream

    def counted(self, sources):
        for seen in plain(self, sources):
            asked.append((self.digest, seen.prediction.path))
            yield seen

    monkeypatch.setattr(Oracle, "seen_stream", counted)
    truth = np.arange(6)
    paths = photos(tmp_path / "photos", [f"{number}.png" for number in truth])
    strange = photos(tmp_path / "strange", ["a.png", "b.png"])
    images = Dataset(tmp_path, tuple(paths), CLASSES)
    models = {name: replace(oracle(CLASSES, truth, seed=seed), digest=name) for seed, name in enumerate("xy")}
    foreign = Dataset(tmp_path, tuple(strange), ("", ""))
    made = gather(models["x"], images, replace(ASKED, rivals=models), foreign=foreign)
    assert sorted(asked) == sorted((name, path) for name in "xy" for path in (*paths, *strange))
    rival, other = made.rivalry.models
    assert rival.evaluation is made.evaluation
    assert (rival.name, other.name) == ("x", "y")
    assert other.evaluation.foreign.n == 2


EPOCHS = [
    {
        "epoch": number,
        "train_loss": 1.5 / number,
        "validation_loss": 1.2 / number,
        "validation_accuracy": 0.6 + 0.1 * number,
        "learning_rate": 0.01,
        "note": "text",
    }
    for number in (1, 2, 3)
]


def test_training_that_had_epochs_shows_them(tmp_path):
    made = sections(material(tmp_path / "photos", each=3, history=EPOCHS))["history"]
    (picture,) = made.blocks
    told = picture.alt.replace("\N{NO-BREAK SPACE}", " ")
    assert told == (
        "Training over 3 epochs: held-out loss 1.200 at first, 0.400 at last; held-out accuracy 90.0 %."
    )
    assert picture.numbers.columns == tuple(EPOCHS[0])[:-1]  # what is no number is in no table of numbers
    assert picture.numbers.rows == tuple(tuple(row.values())[:-1] for row in EPOCHS)
    lines = [line for axes in picture.drawing.figure.axes for line in axes.get_lines()]
    drawn = [list(line.get_ydata()) for line in lines]
    for key in ("train_loss", "validation_loss", "validation_accuracy"):
        assert [row[key] for row in EPOCHS] in drawn, key


@pytest.mark.parametrize("history", [None, "text", [1, 2], [{"epoch": 1}], [EPOCHS[0], {"epoch": 2}]])
def test_a_history_that_is_none_is_left_out(tmp_path, history):
    assert "history" not in sections(material(tmp_path / "photos", each=3, history=history))


@pytest.mark.parametrize(
    ("without", "expected"),
    [
        (share(8, 10), "Leak: 2 of 12. Without them, on 10 photos, accuracy is 80.0"),
        (None, "Leak: 2 of 12. No photo is left that training has not seen."),
    ],
)
def test_the_headline_says_what_training_has_seen(measured, without, expected):
    leaks = LeakedPart("leak: 2 of 12", {}, ("a", "b"), 10, without)
    made = replace(measured, evaluation=replace(measured.evaluation, leaks=leaks))
    notices = [block.text for block in blocks(sections(made)["headline"], "notice")]
    assert notices[0].replace("\N{NO-BREAK SPACE}", " ").startswith(expected)
    assert not [
        text for text in map(str, blocks(sections(measured)["headline"], "notice")) if "leak" in text.lower()
    ]


def test_two_classes_one_of_them_absent(tmp_path):
    truth = np.zeros(15, dtype=int)
    paths = photos(tmp_path / "photos", [f"{n}.png" for n in range(15)])
    images = Dataset(tmp_path, tuple(paths), ("ant",) * 15)
    made = gather(oracle(("ant", "bee"), truth), images, ASKED)
    assert "separation" not in sections(made)  # nothing to tell apart
    render(page_of(made))


def test_classes_that_are_mixed_up_stand_side_by_side():
    confusion = np.diag([20, 20, 20, 20])
    confusion[0, 2] = confusion[2, 0] = confusion[1, 3] = confusion[3, 1] = 8
    order = clustered(confusion).tolist()
    assert abs(order.index(0) - order.index(2)) == 1 and abs(order.index(1) - order.index(3)) == 1


def test_the_map_keeps_neighbours_together_and_is_the_same_each_time():
    rng = np.random.default_rng(0)
    features = np.repeat(np.eye(3, 20), 20, axis=0) + 0.05 * rng.normal(size=(60, 20))
    places = laid_out(features.astype(np.float32))
    assert places.min() == 0 and places.max() == 1
    apart = np.linalg.norm(places[:, None] - places[None], axis=2) + 9 * np.eye(60)
    assert (apart.argmin(axis=1) // 20 == np.arange(60) // 20).all()
    assert (places == laid_out(features.astype(np.float32))).all()
    assert (laid_out(np.ones((20, 4), dtype=np.float32)) == 0.5).all()


def test_without_scikit_learn_the_page_says_what_to_install(tmp_path, monkeypatch):
    made = material(tmp_path / "photos", each=4)
    find = importlib.util.find_spec
    missing = ("sklearn", "scipy")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in missing else find(name))
    page = sections(made)
    assert blocks(page["map"], "notice")[0].command == "pip install 'fieldguide[report]'"
    assert "with SciPy" in blocks(page["confusion"], "picture")[0].caption


def test_hostile_classes_and_files_are_text_in_chromium(tmp_path):
    classes = tuple(name.replace("\x00", "") for name in NAMES)
    paths = photos(tmp_path / "photos", classes)
    images = Dataset(tmp_path / "photos", tuple(paths), classes)
    made = gather(oracle(classes, np.arange(100), right=0.5), images, ASKED)
    out = tmp_path / "report.html"
    write_report(made, out)
    with watched(out) as seen:
        seen.page.locator(".map-area use").nth(3).hover(force=True)
        seen.page.fill("#classes .filter", "alert")
        rows = seen.page.locator("#classes tbody tr:visible").all_inner_texts()
        scripts = seen.page.evaluate("document.querySelectorAll('script:not([type])').length")
    assert seen.complaints == [] and seen.requests == []
    assert scripts == 1
    assert any(row.startswith("<script>alert(1)</script>") for row in rows)


def test_nothing_of_a_photo_but_its_pixels_is_in_the_page(tmp_path):
    made = material(tmp_path / "photos", each=2)
    for path in made.images.paths:
        Path(path).write_bytes(gps_photo())
    out = tmp_path / "report.html"
    write_report(made, out)
    shot = blocks(sections(made)["examples"], "gallery")[0].shots[0]
    with Image.open(io.BytesIO(shot.image)) as opened:
        assert opened.width < opened.height  # lying in the file, upright by its orientation
        assert not opened.getexif() and "exif" not in opened.info
    assert b"SECRET" not in out.read_bytes() and b"SECRET" not in shot.image


def test_a_thousand_classes_stay_small_and_quick(tmp_path):
    classes = tuple(f"class {number} with a name" for number in range(1000))
    made = material(tmp_path / "photos", classes=classes, each=1)
    out = tmp_path / "report.html"
    write_report(made, out)
    assert out.stat().st_size < 5_000_000
    with watched(out) as seen:
        begun = time.monotonic()
        seen.page.click("#classes th:nth-child(4) button")
        seen.page.fill("#classes .filter", "class 77")
        rows = seen.page.locator("#classes tbody tr:visible").all_inner_texts()
        assert len(rows) >= 11 and all("class 77" in row for row in rows)
        assert time.monotonic() - begun < 10  # a busy machine; docs/benchmarks.md has what a quiet one takes
    assert seen.complaints == []


def test_the_command_writes_the_page_and_the_plots(tmp_path, paint_classes, capsys):
    model = write_tiny_model(tmp_path / "model.onnx")
    data = paint_classes(tmp_path / "photos", {"red": 6, "green": 6, "blue": 6})
    (data / "red" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    out, plots = tmp_path / "report.html", tmp_path / "plots"
    code = main(["evaluate", str(model), str(data), "--report", str(out), "--plots", str(plots)])
    assert code == 1  # one image was refused
    html = out.read_text()
    assert "model.onnx on photos" in html and "broken.png" in html
    assert html.count('class="heat"') >= 6  # the examples at least; the model explains itself
    written = {path.name for path in plots.iterdir()}
    assert {"confusion-matrix.svg", "reliability.png", "classes.csv"} <= written
    with (plots / "classes.csv").open() as file:
        assert {row["class"] for row in csv.DictReader(file)} == {"red", "green", "blue"}
    assert str(tmp_path) not in html


def test_additions_without_a_report_stop_early(tmp_path, capsys):
    model = write_tiny_model(tmp_path / "model.onnx")
    assert main(["evaluate", str(model), str(tmp_path), "--plots", str(tmp_path / "p")]) == 2
    assert "--plots: belongs to --report" in capsys.readouterr().err
