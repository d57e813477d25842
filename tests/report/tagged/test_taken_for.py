"""Which tags are taken for which."""

import dataclasses

import numpy as np

from fieldguide.report.tagged.taken_for import section
from report_made import blocks


def test_pairs_are_those_of_the_evaluation(tagged):
    made, pairs = section(tagged), tagged.evaluation.confused()
    assert blocks(made, "picture")[0].numbers.rows == tuple(pairs)
    assert [row[:3] for row in blocks(made, "table")[0].rows] == pairs
    assert f"{pairs[0][0]} missed and {pairs[0][1]} given" in blocks(made, "picture")[0].alt


def test_where_no_tag_was_taken_for_another_it_says_so(tagged):
    clean = dataclasses.replace(tagged.evaluation, confusion=np.zeros((4, 4), np.int64))
    made = section(dataclasses.replace(tagged, evaluation=clean))
    assert "On no photo" in blocks(made, "text")[0].text
    assert len(made.blocks) == 1
