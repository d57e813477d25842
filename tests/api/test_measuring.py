"""`evaluate`: the same figures as the command's, and the page beside them."""

import csv

import pytest

import fieldguide
from fieldguide.cli import main
from fieldguide.errors import OptionError
from tiny_model import write_tiny_model


@pytest.mark.parametrize("beside", [{}, {"foreign": "foreign"}, {"split": "all"}])
def test_the_same_call_gives_the_same_json(photos, colours, paint_classes, tmp_path, command, beside):
    if "foreign" in beside:
        beside = {"foreign": paint_classes(tmp_path / "foreign", {"grey": 6})}
    flags = [word for name, value in beside.items() for word in (f"--{name}", value)]
    code, answer = command("evaluate", colours, photos, *flags)
    assert code == 1  # one image was refused
    assert fieldguide.evaluate(colours, photos, **beside).as_dict() == answer


def test_several_models_are_compared_as_by_the_command(photos, colours, tmp_path, command):
    other = write_tiny_model(tmp_path / "other.onnx")
    _, answer = command("evaluate", colours, photos, "--against", other)
    measured = fieldguide.evaluate(colours, photos, against=[other])
    assert measured.as_dict() == answer
    assert [model.name for model in measured.against.models] == ["colours", "other"]


def test_a_loaded_model_and_an_open_data_set_do_as_well(photos, colours):
    data = fieldguide.open_dataset(photos)
    measured = fieldguide.evaluate(fieldguide.load(colours), data, progress=False)
    assert measured.n == 36 and measured.data == "photos"
    assert len(measured.images) == len(measured.outcomes.truth) == 36


def test_the_command_writes_the_page_and_the_plots(tmp_path, photos, colours, capsys):
    out, plots = tmp_path / "report.html", tmp_path / "plots"
    code = main(["evaluate", str(colours), str(photos), "--report", str(out), "--plots", str(plots)])
    assert code == 1  # one image was refused
    html = out.read_text()
    assert "colours.onnx on photos" in html and "broken.png" in html
    assert html.count('class="heat"') >= 6  # the examples at least; the model explains itself
    written = {path.name for path in plots.iterdir()}
    assert {"confusion-matrix.svg", "reliability.png", "classes.csv"} <= written
    with (plots / "classes.csv").open() as file:
        assert {row["class"] for row in csv.DictReader(file)} == {"red", "green", "blue"}
    assert str(photos.parent) not in html


def test_the_function_writes_the_same_page(tmp_path, photos, colours):
    ours, theirs = tmp_path / "a.html", tmp_path / "b.html"
    measured = fieldguide.evaluate(colours, photos, report=ours)
    main(["evaluate", str(colours), str(photos), "--report", str(theirs)])
    assert ours.read_bytes() == theirs.read_bytes()
    assert measured.as_dict() == fieldguide.evaluate(colours, photos).as_dict()


def test_additions_without_a_report_stop_early(tmp_path, colours, capsys):
    assert main(["evaluate", str(colours), str(tmp_path), "--plots", str(tmp_path / "p")]) == 2
    assert "--plots: belongs to --report" in capsys.readouterr().err
    with pytest.raises(OptionError, match="--findings: belongs to --report"):
        fieldguide.evaluate(colours, tmp_path, findings=tmp_path / "f.json")
