"""From class names to a model file, with an encoder in miniature that knows three colours."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("tokenizers")
import fieldguide
from fieldguide.errors import BackboneError, DataError, OptionError, OutputError
from texts_made import coloured_photos, encoder_of_colours

NAMES = ["red", "green", "blue"]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return encoder_of_colours(tmp_path_factory.mktemp("encoder") / "colours")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return coloured_photos(tmp_path_factory.mktemp("photos") / "colours", 40)


def right(model, folder):
    files = sorted(folder.rglob("*.png"))
    answers = model.predict(files)
    return [answer.label for answer in answers] == [file.parent.name for file in files]


def test_names_alone_give_a_model_that_promises_nothing(tmp_path, encoder, photos):
    result = fieldguide.zero_shot(encoder, classes=NAMES, out=tmp_path / "m.onnx")
    model = fieldguide.load(tmp_path / "m.onnx")
    assert right(model, photos)
    assert model.card["recipe"] == "zero-shot" and model.card["backbone"]["licence"] == "mit"
    assert model.card["thresholds"]["set"] is None and model.card["metrics"] == {}
    for answer in model.predict([Image.new("RGB", (50, 20), "white"), Image.new("RGB", (9, 9), "red")]):
        assert answer.typicality == 1 and answer.set == (answer.label,)
        assert sum(answer.probabilities) == pytest.approx(1, abs=1e-5)
    assert "never say unknown" in result.limits[0] and "was not measured" in result.limits[1]
    assert "was not measured" in repr(result) and "was not measured" in result._repr_html_()


def test_the_same_again_gives_the_same_bytes(tmp_path, encoder, photos):
    files = [tmp_path / "a.onnx", tmp_path / "b.onnx"]
    for file in files:
        fieldguide.zero_shot(encoder, classes=NAMES, out=file, photos=photos, labelled=photos)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_photos_without_labels_make_strangers_unknown(tmp_path, encoder, photos):
    result = fieldguide.zero_shot(encoder, classes="red,green,blue", out=tmp_path / "m.onnx", photos=photos)
    white, red = result.model.predict(
        [Image.new("RGB", (40, 40), color) for color in ("white", (225, 30, 30))]
    )
    assert white.unknown and not red.unknown and right(result.model, photos)
    known = result.model.predict(sorted(photos.rglob("*.png")))
    assert np.mean([answer.unknown for answer in known]) <= 0.05
    assert result.card["data"] == {"images": 120, "note": "made of class names; no labelled photo was used"}
    assert any("typicality is measured against photos without labels" in limit for limit in result.limits)
    assert "the share of 120 photos whose answer stayed" in result.card["choices"][1]


def test_labelled_photos_calibrate_and_give_sets(tmp_path, encoder, photos):
    result = fieldguide.zero_shot(encoder, classes=NAMES, out=tmp_path / "m.onnx", labelled=photos)
    assert result.validation is not None and result.validation.accuracy.value == 1
    card = result.model.card
    assert card["thresholds"]["coverage"] == 0.95 and card["thresholds"]["set"] > 0
    assert card["data"]["per_class"] == {"blue": 40, "green": 40, "red": 40}
    assert card["metrics"]["n"] == 120 and "labelled photos count for" in card["choices"][1]
    answer = result.as_dict()
    assert answer["validation"]["n"] == answer["images"]["used"] == 120
    assert not any("was not measured" in limit for limit in result.limits)


def test_photos_teach_what_the_names_do_not_say(tmp_path, encoder):
    """Under swapped names the texts are wrong; photos outvote them."""
    folder = coloured_photos(tmp_path / "photos", 30, seed=3)
    (folder / "red").rename(folder / "x")
    (folder / "green").rename(folder / "red")
    (folder / "x").rename(folder / "green")
    result = fieldguide.zero_shot(encoder, classes=NAMES, out=tmp_path / "m.onnx", labelled=folder)
    assert result.validation.accuracy.value > 0.95 and right(result.model, folder)
    assert "labelled photos count for 0%" not in result.card["choices"][1]


def test_labels_of_a_few_classes_calibrate_without_being_learned_from(tmp_path, encoder):
    folder = coloured_photos(tmp_path / "photos", 12, names=("red", "green"))
    result = fieldguide.zero_shot(encoder, classes=NAMES, out=tmp_path / "m.onnx", labelled=folder)
    assert "class names alone decide" in result.card["choices"][1]
    assert result.validation.n == 24 and right(result.model, folder)


def test_labels_that_are_no_class_are_none_of_these_or_left_out(tmp_path, encoder):
    folder = coloured_photos(tmp_path / "photos", 10, names=(*NAMES, "grey"))
    out = tmp_path / "m.onnx"
    left_out = fieldguide.zero_shot(encoder, classes=NAMES, out=out, labelled=folder)
    assert left_out.validation.n == 30 and "10 photos left out, of no class here: 'grey'" in left_out.notes
    kept = fieldguide.zero_shot(encoder, classes=[*NAMES, "none of these"], out=out, labelled=folder)
    assert kept.validation.n == 40 and kept.card["data"]["per_class"]["none of these"] == 10


def test_a_test_split_is_never_opened(tmp_path, encoder):
    coloured_photos(tmp_path / "data" / "train", 8)
    coloured_photos(tmp_path / "data" / "test", 8, seed=9)
    result = fieldguide.zero_shot(encoder, classes=NAMES, out=tmp_path / "m.onnx", labelled=tmp_path / "data")
    assert result.validation.n == 24


def test_one_bad_photo_never_stops_the_rest(tmp_path, encoder):
    folder = coloured_photos(tmp_path / "photos", 8)
    (folder / "red" / "broken.png").write_bytes(b"no photo")
    out = tmp_path / "m.onnx"
    for given in ({"photos": folder}, {"labelled": folder}):
        result = fieldguide.zero_shot(encoder, classes=NAMES, out=out, **given)
        assert [Path(refusal.path).name for refusal in result.refused] == ["broken.png"]
        assert result.as_dict()["images"] == {"used": 24, "refused": 1}


def test_what_cannot_be_used_is_said(tmp_path, encoder, photos):
    out = tmp_path / "m.onnx"
    with pytest.raises(DataError, match=r"none of its labels \('?blue"):
        fieldguide.zero_shot(encoder, classes="oak,red oak", out=out, labelled=photos)
    with pytest.raises(OptionError, match="need two names"):
        fieldguide.zero_shot(encoder, classes="red", out=out)
    with pytest.raises(BackboneError, match="reads no texts; take siglip2_base, clip_vit"):
        fieldguide.zero_shot("efficientnet_lite0", classes=NAMES, out=out)
    with pytest.raises(OutputError, match="no such folder"):
        fieldguide.zero_shot(encoder, classes=NAMES, out=tmp_path / "none" / "m.onnx")
    one = tmp_path / "one"
    one.mkdir()
    Image.new("RGB", (40, 40)).save(one / "a.png")
    with pytest.raises(DataError, match="need two photos that can be read, got 1"):
        fieldguide.zero_shot(encoder, classes=NAMES, out=out, photos=one)
    Image.new("RGB", (40, 40)).save(one / "b.png")
    with pytest.raises(DataError, match="need two separate ones at least, got 2 that are all alike"):
        fieldguide.zero_shot(encoder, classes=NAMES, out=out, photos=one)
    assert not out.exists()


def test_parts_of_two_networks_are_not_joined(tmp_path):
    from texts_made import text_tower

    folder = encoder_of_colours(tmp_path / "e")
    text_tower(folder / "onnx" / "text_model.onnx", width=6)
    with pytest.raises(BackboneError, match="gives no vector of 6 numbers as its text part does"):
        fieldguide.zero_shot(folder, classes=NAMES, out=tmp_path / "m.onnx")
