import pytest

import fieldguide
from fieldguide.errors import OptionError
from shown_html import text_of


@pytest.fixture(scope="module")
def measured(trained, data):
    return fieldguide.evaluate(trained, data)


def test_headline_pictures_and_the_surest_mistakes(measured):
    shown = measured._repr_html_()
    assert "learned from" in text_of(shown) and "the surest mistakes" in text_of(shown)
    assert shown.count('class="plot"') == 2 and "data:image/svg+xml" in shown
    assert "accuracy" in repr(measured) and repr(measured).startswith("the model that is held in memory on")


def test_plots_draw_on_the_axes_that_are_given(measured):
    from matplotlib import pyplot as plt

    _, axes = plt.subplots()
    assert measured.plot("reliability", ax=axes) is axes and axes.get_title("left") == "Reliability"
    assert measured.plot().get_ylabel() == "true class"
    assert measured.plot("recall").get_yticklabels()[0].get_text() == "green"  # the lowest first


def test_reliability_needs_the_answers(trained):
    with pytest.raises(OptionError, match="reliability needs the answers themselves"):
        trained.validation.plot("reliability")


def test_without_matplotlib_figures_are_shown_all_the_same(measured, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    shown = measured._repr_html_()
    assert 'class="plot"' not in shown and "balanced accuracy" in text_of(shown)
    with pytest.raises(OptionError, match="plot: needs Matplotlib, which is not installed; run: pip install"):
        measured.plot()


def test_foreign_photos_and_other_models_stand_in_the_notebook_too(trained, data, photos, tmp_path):
    other = fieldguide.train(data, recipe="svm", preset="fast", out=tmp_path / "other.onnx")
    measured = fieldguide.evaluate(trained, data, foreign=photos / "green", against=[other])
    shown = text_of(measured._repr_html_())
    assert "13 foreign photos" in shown and "AUROC of typicality" in shown
    assert "models compared" in shown and "other" in shown
    assert measured.against.pairs[0].sentence in shown
