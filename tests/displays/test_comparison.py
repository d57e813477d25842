import pytest

import fieldguide
from fieldguide.errors import OptionError
from shown_html import text_of


@pytest.fixture(scope="module")
def result(data):
    return fieldguide.compare(data, recipes=["linear-probe", "svm"], presets=["fast"], folds=2, curve=True)


def test_a_row_a_way_of_training_and_what_is_recommended(result):
    assert "linear-probe fast: accuracy" in repr(result) and "recommended: " in repr(result)
    shown = result._repr_html_()
    assert f"Recommended: {result.recommended}" in text_of(shown) and shown.count("<tr>") == 3


def test_rows_and_plots(result):
    frame = result.to_pandas()
    assert (
        set(frame["recipe"]) == {"linear-probe", "svm"} and (frame["accuracy_low"] < frame["accuracy"]).all()
    )
    assert result.plot().get_xlabel() == "accuracy"
    assert result.plot("curve").get_xlabel() == "images learned from"


def test_a_curve_has_to_be_asked_for(data):
    plain = fieldguide.compare(data, recipes=["svm"], presets=["fast"], folds=2)
    with pytest.raises(OptionError, match="compare with curve=True"):
        plain.plot("curve")
