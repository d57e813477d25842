import pytest

from fieldguide.errors import OptionError
from shown_html import text_of


def test_what_was_reached_and_chosen_is_shown(trained):
    assert repr(trained).startswith("a model in memory: linear-probe, learned from 38 images\nchosen\n")
    shown = trained._repr_html_()
    assert "1 image could not be used" in text_of(shown) and trained.choices[0] in text_of(shown)
    assert shown.count('class="plot"') == 1


def test_plots_are_matplotlib_axes(trained):
    from matplotlib.axes import Axes

    assert isinstance(trained.plot(), Axes) and trained.plot("recall").get_xlabel() == "recall"
    with pytest.raises(OptionError, match="kind: linear-probe does not train in epochs"):
        trained.plot("history")
    with pytest.raises(
        OptionError, match="kind: must be one of confusion, recall, history, precision, movement; got 'roc'"
    ):
        trained.plot("roc")
    assert trained.to_pandas()["label"].tolist() == ["blue", "green", "red"]
