"""Every result that shows itself has a module that does it."""

import importlib
import sys

import pytest

from fieldguide.errors import OptionError
from fieldguide.mixins.display import DISPLAYS, DisplayMixin, PlotMixin, TableMixin

HOMES = {
    "Findings": "audit.run",
    "Comparison": "experiments.comparison",
    "Dataset": "data.dataset",
    "DealtSplits": "data.holding_out",
    "Evaluation": "evaluation.result",
    "Explanation": "explanation.explainer",
    "LayerTable": "recipes.cnn.layer_rows",
    "LeaveOneClassOut": "experiments.leave_one_class_out",
    "Prediction": "prediction.result",
    "Predictions": "prediction.predictions",
    "Predictor": "prediction.predictor",
    "RateSweep": "recipes.rate_sweep",
    "TagEvaluation": "evaluation.tag_result",
    "Suggestions": "prediction.active_learning",
    "TrainResult": "learning.train",
    "TuneResult": "experiments.tune",
    "ZeroShotResult": "learning.zero_shot.result",
}


def test_every_display_is_a_classes():
    assert DISPLAYS.keys() == HOMES.keys()


@pytest.mark.parametrize("name", DISPLAYS)
def test_a_result_has_what_its_module_shows(name):
    kind = getattr(importlib.import_module(f"fieldguide.{HOMES[name]}"), name)
    module = importlib.import_module(f"fieldguide.displays.{DISPLAYS[name]}")
    assert issubclass(kind, DisplayMixin) and callable(module.lines) and callable(module.html)
    assert not issubclass(kind, PlotMixin) or all(map(callable, module.PLOTS.values()))
    assert not issubclass(kind, TableMixin) or callable(module.rows)


def test_without_pandas_its_installation_is_named(monkeypatch):
    from fieldguide.prediction.predictions import Predictions

    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(OptionError, match=r"to_pandas: needs pandas, .* run: pip install pandas"):
        Predictions().to_pandas()
