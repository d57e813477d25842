"""A search as a picture."""

from types import SimpleNamespace

import pytest
from PIL import Image

from fieldguide.experiments.study import TrialRow
from fieldguide.metrics.intervals import Interval

pytest.importorskip("matplotlib", reason="the extra report is not installed")

from fieldguide.experiments.tuning_plot import draw


def result(importances, objective="log_loss"):
    trials = [
        TrialRow(0, {}, "complete", 0.5, 0.8, 5, 1.0, None),
        TrialRow(1, {}, "pruned", 0.7, None, 2, 1.0, None),
        TrialRow(2, {}, "failed", None, None, 0, 1.0, "no"),
    ]
    default = SimpleNamespace(log_loss=0.6, accuracy=Interval(0.75, 0.7, 0.8))
    return SimpleNamespace(
        trials=trials,
        importances=importances,
        choice=SimpleNamespace(default=default),
        options=SimpleNamespace(objective=objective),
    )


@pytest.fixture
def figures(monkeypatch):
    """The figures that are saved."""
    from matplotlib.figure import Figure

    seen, real = [], Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda self, *given, **how: seen.append(self) or real(self, *given, **how)
    )
    return seen


def test_finished_and_given_up_trials_are_drawn_and_failed_ones_are_not(tmp_path, figures):
    draw(result({"size": 0.9, "shrinkage": 0.1}), tmp_path / "a.png")
    history, importances = figures[0].axes
    assert [group.get_offsets().tolist() for group in history.collections] == [[[0, 0.5]], [[1, 0.7]]]
    assert list(history.get_lines()[0].get_ydata()) == [0.6, 0.6]
    assert [bar.get_width() for bar in importances.patches] == [0.1, 0.9]
    with Image.open(tmp_path / "a.png") as opened:
        assert opened.format == "PNG"


def test_with_accuracy_the_line_is_the_share_of_wrong_answers(tmp_path, figures):
    draw(result(None, "accuracy"), tmp_path / "a.png")
    history, importances = figures[0].axes
    assert list(history.get_lines()[0].get_ydata()) == [0.25, 0.25]
    assert history.get_ylabel() == "share of wrong answers, out of fold"
    assert [text.get_text() for text in importances.texts] == ["too few finished trials to tell"]
