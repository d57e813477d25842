"""Quick candidates that need no torch, and comparisons without what the clock says, for tests of folds."""

from fieldguide.cluster.features import features_on_cluster
from fieldguide.experiments.compare import compare
from fieldguide.experiments.fold_task import Candidate
from fieldguide.recipes.common import Options

SVM = Candidate("svm", "svm", Options(preset="fast"))
TREES = Candidate("trees", "extra-trees", Options(settings={"trees": 10}))
WRONG = Candidate("wrong", "svm", Options(settings={"cost": -1}))


def without_times(result):
    """Everything that a comparison found but what depends on the clock."""
    found = result.as_dict()
    for row in found["candidates"]:
        row.pop("seconds", None)
    for name in ("recommended", "reason", "folds_from_earlier_runs"):
        found.pop(name)
    return found


def compared(ray, monkeypatch, photos, candidates, **given):
    """A comparison on a Ray of plain calls."""
    monkeypatch.setitem(__import__("sys").modules, "ray", ray)
    with features_on_cluster("local"):
        return compare(photos, candidates, **given)
