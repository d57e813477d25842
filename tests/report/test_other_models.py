"""Other models beside this one."""

from dataclasses import replace

import numpy as np

from fieldguide.evaluation.model_comparison import compare_models
from fieldguide.report.assembly import page_of
from fieldguide.report.page import render
from report_made import CLASSES, blocks, sections
from report_oracle import oracle


def test_other_models_stand_beside_it_with_the_photos_they_disagree_about(measured):
    truth = np.repeat(np.arange(len(CLASSES)), 20)
    models = {"one": oracle(CLASSES, truth), "<b>other": oracle(CLASSES, truth, right=0.3, seed=1)}
    comparison = compare_models(models, measured.images)
    section = sections(replace(measured, comparison=comparison))["other-models"]
    told = blocks(section, "text")[0].text
    assert told == comparison.pairs[0].sentence + "."
    assert "one is better than <b>other" in told
    table, pairs = blocks(section, "table")
    assert [row[0] for row in table.rows] == ["one", "<b>other"]
    assert [row[-1] for row in pairs.rows] == ["yes"]
    (gallery,) = blocks(section, "gallery")
    assert len(gallery.shots) == 24
    assert all(len(shot.lines) == 2 and shot.image for shot in gallery.shots)
    assert b"<b>other" not in render(page_of(replace(measured, comparison=comparison)))
