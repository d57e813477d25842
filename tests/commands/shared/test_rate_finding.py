"""What `train --find-rate` shows and writes, with a sweep that is made up."""

import json

import pytest
from PIL import Image

from fieldguide.cli import main
from fieldguide.learning import rate_finding
from fieldguide.recipes.rate_sweep import RateSweep

RATES = tuple(10 ** (number / 20 - 5) for number in range(100))
FOUND = RateSweep("svm", 0.24, RATES, tuple(1 / (1 + rate / 1e-3) + 20 * rate**2 for rate in RATES))


@pytest.fixture
def photos(tmp_path, paint_classes, monkeypatch):
    monkeypatch.setattr(rate_finding, "find_rate", lambda *given: FOUND)
    return paint_classes(tmp_path / "photos", {"red": 3, "green": 3})


def test_the_losses_and_what_to_type_are_shown_and_no_model_is_written(photos, tmp_path, capsys):
    assert main(["train", str(photos), "--recipe", "svm", "--find-rate"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[-1] == FOUND.sentence() and max(map(len, out)) <= 80
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_with_json_on_standard_output_nothing_else_is_there(photos, tmp_path, capsys):
    pytest.importorskip("matplotlib", reason="the extra report is not installed")
    picture = tmp_path / "a.png"
    assert main(["train", str(photos), "--recipe", "svm", "--find-rate", str(picture), "--json", "-"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["suggested"] == FOUND.suggested and FOUND.sentence() in told.err
    with Image.open(picture) as opened:
        assert opened.format == "PNG"
