"""From a model of tags and photos to what a report is made from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fieldguide.data.dataset import Dataset
from fieldguide.errors import DataError
from fieldguide.evaluation.tag_measurement import evaluate_tags
from fieldguide.report.gather import Asked
from fieldguide.report.tagged.gather import gather_tags
from report_made import ASKED, photos
from tag_report_made import tag_material, tag_oracle, tagged_photos, truth_of


def test_the_figures_are_those_of_an_evaluation(tmp_path):
    shown = truth_of(60)
    images = tagged_photos(tmp_path / "photos", shown)
    made = gather_tags(tag_oracle(shown), images, ASKED)
    assert made.evaluation.as_dict() == evaluate_tags(tag_oracle(shown), images).as_dict()
    assert len(made.witness.tiles) == len(made.witness.rows) == 60


def test_other_models_and_foreign_photos_stand_beside(tmp_path):
    shown = truth_of(40)
    images = tagged_photos(tmp_path / "photos", shown)
    models = {"first": tag_oracle(shown), "second": tag_oracle(shown, right=0.6, seed=1)}
    strange = photos(tmp_path / "strange", ["a.png", "b.png"])
    foreign = Dataset(tmp_path, tuple(strange), ("", ""))
    made = gather_tags(models["first"], images, replace(ASKED, models=models), foreign=foreign)
    assert [name for name, _ in made.comparison.models] == ["first", "second"]
    assert made.comparison.models[0][1] is made.evaluation
    assert made.evaluation.foreign.n == made.comparison.models[1][1].foreign.n == 2
    assert np.shape(made.foreign.typicality) == (2,)


def test_a_photo_that_cannot_be_read_is_left_out(tmp_path):
    shown = truth_of(10)
    images = tagged_photos(tmp_path / "photos", shown)
    broken = replace(images, paths=(*images.paths[:9], str(tmp_path / "broken.png")))
    made = gather_tags(tag_oracle(shown), broken, ASKED)
    assert made.evaluation.n == len(made.images) == 9
    assert made.evaluation.refused[0].path.endswith("broken.png")


def test_a_file_that_is_none_of_ours_is_named(tmp_path):
    (tmp_path / "x.json").write_text("[]")
    asked = Asked(Path("m"), Path("d"), learning_curve=tmp_path / "x.json")
    with pytest.raises(DataError, match=r"x\.json: must be a JSON object with 'learning_curve'"):
        tag_material(tmp_path / "photos", 8, asked=asked)
