import pytest
from PIL import Image

import fieldguide
from fieldguide.errors import OptionError
from shown_html import text_of


def test_the_map_lies_over_the_photo(trained, photos):
    photo = photos / "red" / "001.png"
    result = fieldguide.explain(trained, photo)
    assert repr(result).startswith("answer: red, typicality")
    shown = result._repr_html_()
    assert shown.count("<img") == 2 and "Orange places speak for" in text_of(shown)
    assert result.plot().get_title("left").startswith("red: probability")
    plain = trained.model.explain(photo)
    assert plain._repr_html_().count("<img") == 2


def test_pixels_that_are_not_at_hand_are_said(trained, photos):
    with Image.open(photos / "red" / "001.png") as photo:
        result = trained.model.explain(photo)
    assert "<img" not in result._repr_html_()
    with pytest.raises(OptionError, match="the photo is not at hand"):
        result.plot()


def test_a_small_photo_is_enlarged_and_training_photos_like_it_are_shown(trained, photos, data):
    result = fieldguide.explain(trained, photos / "red" / "001.png", train=data)
    shown = result._repr_html_()
    assert shown.count("<img") == 2 + len(result.nearest) and 'width="260"' in shown
    assert "training photos that it is most like" in text_of(shown)
