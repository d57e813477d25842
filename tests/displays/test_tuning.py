import fieldguide
from shown_html import text_of


def test_trials_choice_and_what_decided(data):
    result = fieldguide.tune(data, trials=3, folds=2, backbone="efficientnet_lite0")
    assert repr(result).startswith("3 trials finished, 0 given up early, 0 failed\nas it comes: accuracy")
    assert "linear-probe: 3 trials finished" in text_of(result._repr_html_())
    assert result.to_pandas()["state"].tolist() == ["complete"] * 3
    assert result.plot().get_xlabel() == "trial"
    assert result.plot("importances").get_title("left") == "which settings decided"
