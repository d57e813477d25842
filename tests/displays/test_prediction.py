import numpy as np
import pytest

import fieldguide
from fieldguide.errors import OptionError
from fieldguide.prediction.result import DecisionRule
from shown_html import text_of


def test_photo_bars_and_set(trained, photos):
    path = str(photos / "red" / "001.png")
    (prediction,) = trained.model.predict([path])
    said = f"set {{{', '.join(prediction.set)}}}: {path}"
    assert repr(prediction).endswith(said) and repr(prediction).startswith("red 0.")
    shown = prediction._repr_html_()
    assert shown.count("<img") == 1 and "in the set" in text_of(shown)
    assert prediction.plot().get_title("left") == "red"
    assert prediction.to_pandas()["set"].tolist() == [prediction.set]


def test_unknown_and_refused_are_said(trained, photos):
    rule = DecisionRule(("cat", "<b>"), unknown_below=0.01, set_from=0.2, top=2)
    strange = rule("gone.jpg", np.array([0.3, 0.7], np.float32), np.float32(0.001))
    assert repr(strange).startswith("unknown (nearest label: <b>) 0.700")
    assert "unknown (nearest label: <b>)" in text_of(strange._repr_html_())  # whose file is gone
    (broken,) = trained.model.predict([photos / "red" / "broken.png"])
    assert repr(broken).startswith("refused (truncated), the PNG file ends too early")
    assert "the PNG file ends too early" in text_of(broken._repr_html_())
    with pytest.raises(OptionError, match="so there is nothing to draw"):
        broken.plot()
    assert fieldguide.Prediction is type(broken)
