"""Photos to look at."""

import numpy as np

from fieldguide.report.tagged.photos import closest, examples, mistakes
from report_made import blocks
from tag_report_made import tag_material, with_answers


def test_the_surest_mistake_comes_first(tagged):
    out = tagged.outcomes
    probabilities = out.probabilities.copy()
    probabilities[3] = (0.99, 0.01, 0.99, 0.01)  # it has ant and bee
    given = probabilities >= np.array(tagged.thresholds, np.float32)
    made = with_answers(tagged, probabilities=probabilities, given=given)
    first = blocks(mistakes(made), "gallery")[0].shots[0]
    assert first.title == "ant and bee → ant and cow"
    assert first.lines[0] in ("bee missed, 1\xa0%", "cow given, 99\xa0%")
    assert first.file.endswith("3.png")


def test_without_mistakes_it_says_so(tmp_path):
    made = tag_material(tmp_path / "photos", 40, right=1.0)
    assert "There are none" in blocks(mistakes(made), "text")[0].text


def test_the_closest_call_names_the_tag_and_its_threshold(tagged):
    out = tagged.outcomes
    probabilities = np.where(out.shown, 0.9, 0.1).astype(np.float32)
    probabilities[5, 1] = 0.39  # it has ant and cow; bee is given from 0.4 on
    given = probabilities >= np.array(tagged.thresholds, np.float32)
    made = with_answers(tagged, probabilities=probabilities, given=given)
    first = blocks(closest(made), "gallery")[0].shots[0]
    assert first.title == "ant and cow"
    assert first.lines[0] == "bee 39\xa0%, given from 40\xa0% on"


def test_where_nothing_is_right_no_photo_is_close(tagged):
    assert closest(with_answers(tagged, given=~tagged.outcomes.shown)) is None


def test_each_tag_has_two_examples(tagged):
    shots = blocks(examples(tagged), "gallery")[0].shots
    assert [shot.title for shot in shots] == [name for name in tagged.classes for _ in range(2)]
    assert "most typical" in shots[0].lines[0] and "least typical" in shots[1].lines[0]
    nothing = dataclasses_without_photos(tagged)
    assert examples(nothing) is None


def dataclasses_without_photos(made):
    """The same, had no photo any tag."""
    import dataclasses

    scores = dataclasses.replace(made.evaluation.per_class, support=np.zeros(4, np.int64))
    return dataclasses.replace(made, evaluation=dataclasses.replace(made.evaluation, per_class=scores))
