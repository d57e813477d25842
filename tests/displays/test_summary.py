"""A measurement as a page of text."""

from fieldguide.displays import summary


def test_the_page_of_a_measurement_names_weak_classes_and_mix_ups():
    share = {"value": 0.5, "low": 0.25, "high": 0.75}
    keys = ("accuracy", "balanced_accuracy", "macro_f1", "macro_precision", "macro_recall")
    answer = {
        "n": 4,
        **dict.fromkeys(keys, share),
        "top5": None,
        "log_loss": 0.3,
        "ece": 0.02,
        "coverage": 0.95,
        "mean_set_size": 1.25,
        "unknown_rate": 0.01,
        "per_class": [
            {"label": "hat", "n": 2, "precision": 0.5, "recall": 0.5, "f1": 0.5},
            {"label": "cap", "n": 2, "precision": 1.0, "recall": 1.0, "f1": 1.0},
        ],
        "confusion": {"labels": ["hat", "cap"], "matrix": [[1, 1], [0, 2]]},
    }
    page = "\n".join(summary.lines(answer))
    assert "0.500  (0.250 to 0.750)" in page
    assert "hat: F1 0.50" in page
    assert "cap: F1" not in page
    assert "hat taken for cap: 1" in page
    assert "top-5" not in page
