"""`fieldguide convert` and the options that say how DATA is to be read."""

import json

from fieldguide import cli
from fieldguide.commands.convert import FORMS
from fieldguide.data.writers import WRITERS
from form_samples import LABELS, draw, label_studio, table


def test_the_choices_are_the_writers():
    assert list(FORMS) == list(WRITERS)


def test_an_export_becomes_another_tools_project(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    data = label_studio(tmp_path / "in")
    assert cli.main(["convert", str(data), "--to", "fiftyone", "--out", str(tmp_path / "out")]) == 0
    out, err = capsys.readouterr()
    assert "6 photos; FiftyOne" in out
    assert "Label Studio export 'export.json': 6 tasks, 6 with one choice" in err
    assert json.loads((tmp_path / "out/labels.json").read_text())["classes"] == ["cat", "dog"]


def test_columns_are_named_by_hand(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    table(tmp_path / "in")
    given = ["convert", str(tmp_path / "in/labels.csv"), "--to", "folders", "--out", str(tmp_path / "out")]
    assert cli.main([*given, "--label-column", "kind"]) == 2
    assert (
        "--label-column must be one of its columns, which are 'id', 'breed'; got 'kind'"
        in capsys.readouterr().err
    )
    assert cli.main([*given, "--label-column", "breed", "--path-column", "ID"]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["cat", "dog"]


def test_labels_come_from_names(tmp_path):
    for number, label in enumerate(LABELS.values()):
        draw(tmp_path / "in" / f"2024 {label} {number}.jpg", number)
    given = ["convert", str(tmp_path / "in"), "--to", "table", "--out", str(tmp_path / "out")]
    assert cli.main([*given, "--label-from", r"2024 (?P<label>\w+)"]) == 0
    assert (tmp_path / "out/labels.csv").read_text().count('"cat"') == 3


def test_forms_are_listed(capsys):
    assert cli.main(["convert", "--form", "list"]) == 0
    assert "label-studio\tLabel Studio" in capsys.readouterr().out


def test_crops_keep_the_photos_name_and_box(tmp_path):
    draw(tmp_path / "in/a.png")
    image = {"id": 0, "file_name": "a.png"}
    boxes = [[1, 2, 10, 9], [4, 4, 12, 8]]
    annotations = [
        {"id": number, "image_id": 0, "category_id": 0, "bbox": box} for number, box in enumerate(boxes)
    ]
    value = {"images": [image], "annotations": annotations, "categories": [{"id": 0, "name": "cat"}]}
    (tmp_path / "in/annotations.json").write_text(json.dumps(value))
    given = ["convert", str(tmp_path / "in"), "--crops", "--to", "table", "--out", str(tmp_path / "out")]
    assert cli.main(given) == 0
    rows = (tmp_path / "out/labels.csv").read_text().replace('"', "").split()
    assert rows == [
        "path,label,group",
        "images/a_1-2-11-11.png,cat,a.png",
        "images/a_4-4-16-12.png,cat,a.png",
    ]
