"""Tags from the table to the file: what is learned, promised, written, read and answered."""

import csv
import dataclasses
import json
import subprocess
import sys

import numpy as np
import onnxruntime
import pytest
from PIL import Image

import fieldguide
from fieldguide.data.corrections import write_corrections
from fieldguide.data.dataset import Dataset, open_dataset
from fieldguide.errors import DataError, FieldguideError, OptionError
from fieldguide.modelfile.artifact import load_model_file
from fieldguide.modelfile.exports.web_runtime import BINARY, SCRIPT
from fieldguide.tasks.tags import Tags
from fieldguide.tasks.task import EITHER, ONE_LABEL, Task
from tags_made import tagged_photo, tags_of, write_tagged
from web_made import package, runtime

PHOTOS = 160


@pytest.fixture(scope="module")
def hub(hub_folder):
    import huggingface_hub.constants

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(hub_folder))
        patch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
        yield hub_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tagged")


@pytest.fixture(scope="module")
def table(folder):
    return write_tagged(folder, PHOTOS)


@pytest.fixture(scope="module")
def result(hub, folder, table, cache_of_the_tests):
    return fieldguide.train(table, backbone="test_efficientnet", out=folder / "model.onnx", progress=False)


@pytest.fixture(scope="module")
def model(result, folder):
    return fieldguide.load(folder / "model.onnx")


def test_the_card_says_what_old_readers_must_refuse(result, folder):
    card = load_model_file(folder / "model.onnx").card
    assert (card["spec"], card["task"]) == (3, "multiple")
    assert len(card["thresholds"]["tags"]) == 3
    assert card["thresholds"]["coverage"] == 0.95
    assert card["data"]["per_class"] == {"blue": 80, "green": 80, "red": 80}
    assert "map" in card["metrics"]
    assert card["metrics"].keys().isdisjoint({"per_class", "curves", "taken_for"})


def test_out_of_fold_answers_are_measured(result):
    measured = result.validation
    assert result.fitted.task is Task.MULTIPLE
    assert measured.average_precision.mean.value > 0.8
    assert measured.coverage.value >= 0.93
    assert json.loads(json.dumps(result.as_dict()))["validation"]["task"] == "multiple"
    assert "mean average precision" in repr(result)
    assert "mean average precision" in result._repr_html_()


def test_new_photos_are_given_their_tags(model, tmp_path):
    numbers = range(200, 216)
    photos = [tagged_photo(tmp_path / f"{number}.png", tags_of(number), number) for number in numbers]
    answers = model.predict(photos)
    right = [
        sorted(answer.labels) == sorted(tags_of(number))
        for answer, number in zip(answers, numbers, strict=True)
    ]
    assert sum(right) >= 10
    for answer in answers:
        assert set(answer.labels) <= set(answer.set)
        assert answer.label == answer.top[0][0]
        assert answer.unknown or answer.answer == "|".join(answer.labels)


def test_plain_onnx_runtime_gives_the_same_in_a_dozen_lines(model, folder):
    path = folder / "photos" / "007.png"
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    card = json.loads(session.get_modelmeta().custom_metadata_map["fieldguide"])
    photo = np.asarray(Image.open(path).convert("RGB"))
    (probabilities,) = session.run(["probabilities"], {"image": photo[None]})[0]
    order = np.argsort(-probabilities, kind="stable")
    given_from, floor = np.float32(card["thresholds"]["tags"]), np.float32(card["thresholds"]["set"])
    given = [card["classes"][i] for i in order if probabilities[i] >= given_from[i]]
    members = [card["classes"][i] for i in order if probabilities[i] >= min(floor, given_from[i])]
    (answer,) = model.predict([path])
    assert (list(answer.labels), list(answer.set)) == (given, members)
    np.testing.assert_allclose(answer.probabilities, probabilities, atol=1e-6)
    assert not 0.9 < probabilities.sum() < 1.1 or len(given) == 1


def test_the_file_answers_as_the_heads_that_were_fitted(result, model):
    held = result.fitted.out_of_fold
    answers = model.predict(list(fieldguide.open_dataset(result.options.data).paths))
    own = np.stack([answer.probabilities for answer in answers])
    assert ((own >= 0.5) == (held.labels == 1)).mean() > 0.85


def test_rows_of_results_hold_the_tags(model, folder, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    paths = [folder / "photos" / "007.png", folder / "photos" / "000.png", broken]
    fieldguide.predict(model, paths, out=tmp_path / "rows.jsonl", progress=False)
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert rows[0]["answer"] == "|".join(rows[0]["labels"])
    assert rows[2]["labels"] == []
    assert rows[2]["answer"] == "refused"
    fieldguide.predict(model, paths, out=tmp_path / "rows.csv", progress=False)
    header = (tmp_path / "rows.csv").read_text().splitlines()[0]
    assert header.startswith('"path","answer","label","labels","probability"')
    fieldguide.predict(model, paths, out=tmp_path / "rows.parquet", progress=False)
    import pyarrow.parquet

    columns = pyarrow.parquet.read_table(tmp_path / "rows.parquet").to_pydict()
    assert columns["labels"][0] == "|".join(rows[0]["labels"])


def test_evaluating_the_file(model, tmp_path):
    table = write_tagged(tmp_path, 48, first=300)
    measured = fieldguide.evaluate(model, table, progress=False)
    assert measured.n == 48
    assert measured.average_precision.mean.value > 0.7
    assert measured.learned.n == 0
    assert "mean average precision" in repr(measured)
    assert "weakest tags" in measured._repr_html_() or measured.averages.macro_f1.value == 1
    assert measured.as_dict()["coverage"]["value"] > 0.85
    measured.plot("precision")
    measured.plot("reliability")


def test_a_report_is_written_with_the_figures(model, folder, table, tmp_path):
    new = write_tagged(tmp_path / "new", 24, first=300)
    page, plots = tmp_path / "report.html", tmp_path / "plots"
    measured = fieldguide.evaluate(model, new, report=page, plots=plots, progress=False)
    assert measured.as_dict() == fieldguide.evaluate(model, new, progress=False).as_dict()
    html = page.read_text()
    assert "24 photos; 3 tags" in html and f"{100 * measured.exact_match.value:.1f}" in html
    assert html.count('class="heat"') >= 6  # the examples at least: the model explains itself
    assert {"roc.svg", "reliability-by-tag.png", "tags.csv"} <= {path.name for path in plots.iterdir()}


def test_tags_of_a_stated_precision_stand_in_the_card(hub, table, tmp_path):
    out = tmp_path / "precise.onnx"
    precise = fieldguide.train(table, backbone="test_efficientnet", precision=0.8, out=out, progress=False)
    card = load_model_file(out).card
    assert card["thresholds"]["precision"] == 0.8
    held = precise.fitted.out_of_fold
    for tag, threshold in enumerate(card["thresholds"]["tags"]):
        given = held.probabilities[:, tag] >= threshold
        assert threshold == 1 or (held.labels[given, tag] == 1).mean() >= 0.8
    assert any("precision of 80%" in choice for choice in precise.choices)
    none = fieldguide.train(table, backbone="test_efficientnet", precision=0.999, progress=False)
    assert none.model.card["thresholds"]["tags"] == [1.0, 1.0, 1.0]
    assert any("never gives 3 of its 3 tags" in limit for limit in none.limits)
    (answer,) = none.model.predict([table.parent / "photos" / "007.png"])
    assert answer.labels == () and len(answer.set) > 0


def test_single_labels_take_no_precision(hub, tmp_path, paint_classes):
    paint_classes(tmp_path / "plain", {"red": 12, "green": 12})
    with pytest.raises(OptionError, match="--precision: must have tags"):
        fieldguide.train(tmp_path / "plain", backbone="test_efficientnet", precision=0.9, progress=False)


def test_tags_that_are_open_already_are_measured_on(model, table):
    with open_dataset(table, tasks=EITHER) as dataset:
        part = dataset.take(range(16))
        assert fieldguide.evaluate(model, part, progress=False).n == 16


def test_photos_that_were_learned_from_are_said(model, table):
    measured = fieldguide.evaluate(model, table, progress=False)
    assert measured.learned.n == PHOTOS
    assert any("learned from" in line for line in repr(measured).splitlines())


def test_class_folders_are_measured_as_one_tag_each(model, tmp_path):
    for number in range(1, 33):
        name = "red" if number % 2 else "green"
        tagged_photo(tmp_path / name / f"{number}.png", [name], number)
    measured = fieldguide.evaluate(model, tmp_path, progress=False)
    assert measured.n == 32
    assert measured.per_class.support.tolist() == [0, 16, 16]


def test_tags_that_the_model_does_not_know_are_counted(model, tmp_path):
    table = write_tagged(tmp_path, 16, first=300)
    table.write_text(table.read_text().replace("red", "rouge"))
    measured = fieldguide.evaluate(model, table, progress=False)
    assert measured.strangers == (("rouge", 8),)


def test_foreign_photos_are_told_apart(model, table, tmp_path):
    for number in range(8):
        Image.new("RGB", (48, 48), (255, 255, 30 * number)).save(tmp_path / f"{number}.png")
    measured = fieldguide.evaluate(model, table, foreign=tmp_path, progress=False)
    assert measured.foreign.n == 8
    assert measured.as_dict()["foreign"]["auroc"]["value"] > 0.5
    assert "foreign" in repr(measured)


def test_trees_learn_tags_and_the_file_answers_as_they_do(table, model, folder, tmp_path):
    result = fieldguide.train(
        table, recipe="extra-trees", preset="fast", out=tmp_path / "t.onnx", progress=False
    )
    assert result.validation.average_precision.mean.value > 0.9
    photos = [tagged_photo(tmp_path / f"{number}.png", tags_of(number), number) for number in range(400, 416)]
    answers = result.model.predict(photos)
    right = [
        sorted(answer.labels) == sorted(tags_of(number))
        for answer, number in zip(answers, range(400, 416), strict=True)
    ]
    assert sum(right) >= 12
    compared = fieldguide.evaluate(model, table, against=[tmp_path / "t.onnx"], progress=False)
    assert len(compared.against.pairs) == 1
    assert "mean average precision" in repr(compared)


NETWORKS = {
    "finetune": {"backbone": "test_efficientnet", "size": 64, "learning_rate": 2e-3},
    "cnn": {"size": 32, "augment": "light"},
}


@pytest.mark.parametrize("recipe", NETWORKS)
def test_a_network_learns_tags_from_the_table_to_the_answer(hub, table, tmp_path, recipe, monkeypatch):
    from fieldguide.recipes.finetune import job
    from fieldguide.recipes.finetune.interpolation import ChosenInterpolation, Interpolation

    won = ChosenInterpolation(Interpolation(1.0), (np.array(1.0), np.array(1.0)), "won", 0.5)
    monkeypatch.setattr(job, "choose", lambda *given, **others: won)
    known = fieldguide.open_dataset(table)
    doubted = (Tags((), ("red",)), *known.tags[1:])
    result = fieldguide.train(
        Dataset(known.root, known.paths, known.labels, tags=doubted),
        recipe=recipe,
        preset="fast",
        epochs=4,
        out=tmp_path / "m.onnx",
        plot=tmp_path / "history.png",
        progress=False,
        **NETWORKS[recipe],
    )
    assert (tmp_path / "history.png").stat().st_size > 1000
    assert "validation_map" in result.as_dict()["history"][0]
    assert any("1 entry not known" in choice for choice in result.choices)
    assert result.validation.average_precision.mean.value > 0.8
    model = fieldguide.load(tmp_path / "m.onnx")
    assert (model.task, model.card["recipe"]) == (Task.MULTIPLE, recipe)
    measured = fieldguide.evaluate(model, write_tagged(tmp_path, 32, first=300), progress=False)
    assert measured.average_precision.mean.value > 0.8
    photo = tmp_path / "photos" / "301.png"
    (answer,) = model.predict([photo])
    assert set(answer.labels) <= set(answer.set)
    found = fieldguide.explain(model, photo, label="red", progress=False)
    chance = float(answer.probabilities[model.classes.index("red")])
    assert found.exact
    assert found.score == pytest.approx(np.log(chance / (1 - chance)), abs=1e-2)


@pytest.mark.parametrize("recipe", NETWORKS)
def test_a_network_of_tags_learns_within_the_minutes_and_is_watched_on_the_validation_split(
    hub, table, tmp_path, recipe
):
    known = fieldguide.open_dataset(table)
    splits = ("validation",) * 32 + ("train",) * (PHOTOS - 32)
    result = fieldguide.train(
        dataclasses.replace(known, splits=splits),
        recipe=recipe,
        preset="fast",
        minutes=0.1,
        out=tmp_path / "m.onnx",
        progress=False,
        **NETWORKS[recipe],
    )
    assert any("0.1 minutes, asked for allow" in choice for choice in result.choices)
    assert result.measured_on.startswith("DATA's validation split")
    assert result.validation.n == 32
    assert result.seconds["total"] < 60


@pytest.mark.parametrize("recipe", ["extra-trees", "svm"])
def test_classical_recipes_need_to_know_every_tag(recipe, table):
    known = fieldguide.open_dataset(table)
    tags = (Tags((), ("red",)), *known.tags[1:])
    doubted = Dataset(known.root, known.paths, known.labels, tags=tags)
    with pytest.raises(DataError, match="must know of every photo and tag"):
        fieldguide.train(doubted, recipe=recipe, preset="fast", progress=False)


def test_a_recipe_that_learns_no_tags_says_so(table, monkeypatch):
    monkeypatch.setattr("fieldguide.recipes.svm.TASKS", ONE_LABEL)
    with pytest.raises(OptionError, match="recipe svm: must have one label a photo here, got tags"):
        fieldguide.train(table, recipe="svm", progress=False)


def test_photos_with_tags_are_added(hub, table, tmp_path, paint_classes):
    other = write_tagged(tmp_path, 4, first=301)
    rows = other.read_text().splitlines()
    lines = [rows[0], *(f"{row.split(',')[0]},red" for row in rows[1:])]  # one in each cell, and still a tag
    other.write_text("\n".join(lines))
    result = fieldguide.train(table, add=other, backbone="test_efficientnet", progress=False)
    assert "added: 4 images" in result.choices
    assert result.fitted.used == PHOTOS + 4
    assert result.model.card["data"]["per_class"]["red"] == PHOTOS // 2 + 4


def test_added_photos_may_all_have_none_of_the_tags(hub, table, tmp_path):
    other = write_tagged(tmp_path, 4, first=301)
    rows = other.read_text().splitlines()
    other.write_text("\n".join([rows[0], *(f"{row.split(',')[0]}," for row in rows[1:])]))
    result = fieldguide.train(table, add=other, backbone="test_efficientnet", progress=False)
    assert "added: 4 images" in result.choices and result.fitted.used == PHOTOS + 4


def test_wrong_and_missing_tags_are_found_written_down_and_mended(hub, tmp_path):
    table = write_tagged(tmp_path, PHOTOS)
    lines = table.read_text().splitlines()
    lines[2] = lines[2].replace("red", "blue")  # photo 1 shows red
    table.write_text("\n".join(lines))
    found = fieldguide.check(table, progress=False)
    fixes = {(fix.path, fix.label, fix.corrected, fix.action) for fix in found.fixes}
    assert {("photos/001.png", "", "red", "add"), ("photos/001.png", "blue", "", "remove")} <= fixes
    found.save_fixes(tmp_path / "fix.csv")
    mended = fieldguide.check(table, corrections=tmp_path / "fix.csv", progress=False)
    assert not any(fix.path == "photos/001.png" and fix.action != "drop" for fix in mended.fixes)
    result = fieldguide.train(
        table, corrections=tmp_path / "fix.csv", backbone="test_efficientnet", progress=False
    )
    assert any(choice.startswith("corrections: ") for choice in result.choices)
    changed = result.as_dict()["validation"]["corrections"]
    assert changed["relabelled"] >= 1
    assert changed["n_without"] + changed["relabelled"] == result.validation.n
    assert 0 < changed["map_without"]["value"] <= 1
    assert "were changed and" in repr(result)


def test_a_tag_that_a_person_kept_is_not_doubted_again(hub, tmp_path):
    table = write_tagged(tmp_path, PHOTOS)
    table.write_text(table.read_text().replace("001.png,red", "001.png,blue"))
    first = fieldguide.check(table, progress=False)
    kept = [fix for fix in first.fixes if (fix.path, fix.action) == ("photos/001.png", "add")]
    write_corrections([dataclasses.replace(fix, action="keep") for fix in kept], tmp_path / "keep.csv")
    again = fieldguide.check(table, corrections=tmp_path / "keep.csv", progress=False)
    doubted = {fix.action for fix in again.fixes if fix.path == "photos/001.png"}
    assert doubted == {"remove"}


def test_a_model_of_labels_is_not_measured_on_tags(hub, table, tmp_path, paint_classes):
    paint_classes(tmp_path / "plain", {"red": 12, "green": 12})
    plain = fieldguide.train(tmp_path / "plain", backbone="test_efficientnet", progress=False)
    with pytest.raises(FieldguideError, match="must have one label a photo here, got tags"):
        fieldguide.evaluate(plain, table, progress=False)


def test_what_was_suggested_and_filled_in_is_learned_from(model, table, folder):
    photos = folder / "new"
    for number in range(400, 408):
        tagged_photo(photos / f"{number}.png", tags_of(number), number)
    (photos / "404.png").write_bytes((folder / "photos" / "000.png").read_bytes())
    fieldguide.next_to_label(model, photos, count=6, out=folder / "next.csv", progress=False)
    rows = list(csv.DictReader((folder / "next.csv").read_text().splitlines()))
    for row in rows[:4]:
        row["labels"] = "|".join(tags_of(int(row["path"].split("/")[-1][:3]))) or "|"
    with (folder / "next.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    more = fieldguide.train(table, add=folder / "next.csv", backbone="test_efficientnet", progress=False)
    (said,) = [choice for choice in more.choices if choice.startswith("added: ")]
    assert "2 left out that have no tags" in said
    learned = int(said.split()[1]) + ("changed" in said)
    assert learned in (3, 4)
    assert more.fitted.used == PHOTOS + int(said.split()[1])


def test_a_tag_is_explained_and_its_map_adds_up_to_its_log_odds(model, folder):
    path = folder / "photos" / "007.png"
    (answer,) = model.predict([path])
    for name in model.classes:
        found = fieldguide.explain(model, path, label=name, progress=False)
        chance = float(answer.probabilities[model.classes.index(name)])
        assert found.exact
        assert found.score == pytest.approx(np.log(chance / (1 - chance)), abs=1e-2)
        assert found.map.sum() + found.bias == pytest.approx(found.score, abs=1e-2)


def test_an_export_is_checked_by_all_its_tags(model, folder, table, tmp_path):
    checked = fieldguide.export(
        folder / "model.onnx", to="int8", out=tmp_path / "small.onnx", check=table, progress=False
    )
    assert checked.check.as_dict()["same_label"] > 0.5


def test_the_same_run_gives_the_same_bytes(hub, folder, table, result):
    again = fieldguide.train(table, backbone="test_efficientnet", progress=False)
    assert again.held == (folder / "model.onnx").read_bytes()


def test_the_command_line(hub, folder, table, result, hub_folder, tmp_path):
    def run(*arguments):
        command = [sys.executable, "-m", "fieldguide", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    predicted = run("predict", folder / "model.onnx", folder / "photos" / "007.png")
    assert predicted.returncode == 0
    assert predicted.stdout.split("\t")[0].split(", ")[0] in {"red", "green", "blue"}
    evaluated = run("evaluate", folder / "model.onnx", table, "--json", tmp_path / "e.json")
    assert evaluated.returncode == 0
    assert "mean average precision" in evaluated.stdout
    assert json.loads((tmp_path / "e.json").read_text())["map"]["value"] > 0.8
    explain = ("explain", folder / "model.onnx", folder / "photos" / "007.png", "--out", tmp_path / "e.png")
    explained = run(*explain, "--label", "red")
    assert explained.returncode == 0
    assert "Each tag is given from a score of its own on." in explained.stdout
    suggested = run("next", folder / "model.onnx", folder / "photos" / "007.png")
    assert suggested.returncode == 0
    assert suggested.stdout.startswith("1\t")
    assert run("info", folder / "model.onnx").returncode == 0


@pytest.fixture(scope="module")
def phone_model(hub, folder, table, cache_of_the_tests):
    """On a network whose operators LiteRT has."""
    out = folder / "phone.onnx"
    fieldguide.train(table, backbone="efficientnet_lite0", preset="fast", out=out, progress=False)
    return out


@pytest.mark.parametrize("form", ["litert", "litert-float16", "litert-int8"])
def test_a_phone_gives_the_same_tags(form, phone_model, table, tmp_path):
    pytest.importorskip("ai_edge_litert")
    done = fieldguide.export(phone_model, to=form, out=tmp_path / "m.tflite", check=table, progress=False)
    assert done.check.as_dict()["same_label"] > (0.9 if form == "litert-int8" else 0.99)
    card = json.loads((tmp_path / "m.json").read_text())
    assert (card["task"], len(card["thresholds"]["tags"])) == ("multiple", 3)


def test_a_page_gives_the_same_tags_in_node(folder, result, table, tmp_path):
    web_runtime = runtime()
    package(tmp_path / "runtime", web_runtime.version)
    for name, data in ((SCRIPT, web_runtime.script), (BINARY, web_runtime.binary)):
        (tmp_path / "runtime" / name).write_bytes(data)
    done = fieldguide.export(
        folder / "model.onnx",
        to="web",
        out=tmp_path / "page",
        runtime=tmp_path / "runtime",
        precision="float32",
        check=table,
        progress=False,
    )
    assert done.check.as_dict()["same_label"] == 1.0
