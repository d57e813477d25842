"""How familiar the photos look."""

from dataclasses import replace

import numpy as np
import pytest

from fieldguide.data.dataset import Dataset
from fieldguide.report import typicality_plot
from report_made import blocks, material, photos


def test_the_histogram_holds_every_photo_and_no_foreign_one(measured):
    section = typicality_plot.section(measured)
    (picture,) = blocks(section, "picture")
    assert sum(row[2] for row in picture.numbers.rows) == pytest.approx(1)
    assert {row[3] for row in picture.numbers.rows} == {None}
    assert "--foreign OTHER" in blocks(section, "notice")[0].command


def test_the_share_of_unknown_photos_is_told(measured):
    odd = np.arange(measured.evaluation.n) < 12
    made = replace(measured, outcomes=replace(measured.outcomes, unknown=odd))
    told = blocks(typicality_plot.section(made), "picture")[0].alt.replace("\N{NO-BREAK SPACE}", " ")
    assert told.startswith("10.0 % of these photos")
    assert "threshold of 0.01 and are called unknown; 1 % would be expected" in told


def test_foreign_photos_have_shares_of_their_own(tmp_path):
    strange = photos(tmp_path / "strange", ["a.png", "b.png", "c.png", "d.png"])
    made = material(tmp_path / "photos", each=4, foreign=Dataset(tmp_path, tuple(strange), ("",) * 4))
    section = typicality_plot.section(made)
    assert sum(row[3] for row in blocks(section, "picture")[0].numbers.rows) == pytest.approx(1)
    assert blocks(section, "text")[0].text.startswith("Of 4 foreign photos")
    assert not blocks(section, "notice")
