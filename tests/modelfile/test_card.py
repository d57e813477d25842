"""The card, read as data from a stranger: every field that is wrong is named."""

import json

import pytest

from fieldguide.errors import ModelFileError
from fieldguide.modelfile.artifact import seal
from fieldguide.modelfile.card import MAX_CLASSES, may_be_class, read_card, written
from model_made import load
from tiny_model import PREPROCESSING, card, tag_card, tiny_model, tiny_proto, with_card


def deep(levels):
    return "[" * levels + "]" * levels


def changed_preprocessing(**changes):
    return card(preprocessing=PREPROCESSING.as_dict() | changes)


def without(key):
    return {name: value for name, value in card().items() if name != key}


CARDS = {
    "no JSON": ("{", "not readable JSON"),
    "not an object": ("[]", "not a JSON object"),
    "deep": (json.dumps(card(data={}))[:-1] + ', "x": ' + deep(12) + "}", "nested more than 12"),
    "very deep": ('{"x": ' + deep(100_000) + "}", "not readable JSON"),
    "too large": (json.dumps(card(data={"x": "y" * 16_000_000})), "bytes, allowed are"),
    "NaN": (json.dumps(card(data={"x": float("nan")})), "NaN is not a number"),
    "a name twice": (json.dumps(card())[:-1] + ', "spec": 1}', "stands twice"),
    "not UTF-8": (b"\xff", None),
    "no spec": (without("spec"), "spec must be a whole number"),
    "spec true": (card(spec=True), "spec must be a whole number"),
    "spec as text": (card(spec="1"), "spec must be a whole number"),
    "newer": (card(spec=4), "newer fieldguide .spec 4, .*pip install --upgrade fieldguide"),
    "another task": (tag_card(task="both"), "task must be one of single, multiple"),
    "tags of the first version": (tag_card(spec=1), "spec must be 3 where task is multiple"),
    "no thresholds of tags": (card(spec=3, task="multiple"), "thresholds.tags must be a list of 3 numbers"),
    "too few thresholds of tags": (
        tag_card(thresholds={"unknown": 0.01, "tags": [0.5, 0.5]}),
        "thresholds.tags must be a list of 3 numbers",
    ),
    "a threshold of tags above 1": (
        tag_card(thresholds={"unknown": 0.01, "tags": [0.5, 0.5, 1.5]}),
        "thresholds.tags must be a list of 3 numbers from 0 to 1",
    ),
    "thresholds of tags in a model of labels": (
        card(thresholds={"unknown": 0.01, "tags": [0.5, 0.5, 0.5]}),
        "thresholds.tags must be absent in a model of single labels",
    ),
    "no classes": (without("classes"), "classes must be a list"),
    "classes as text": (card() | {"classes": "red"}, "classes must be a list"),
    "one class": (card(classes=["red"]), "classes must be a list of 2"),
    "too many classes": (card(classes=list(map(str, range(MAX_CLASSES + 1)))), "classes must be a list of 2"),
    "two classes": (card(classes=["red", "green"]), "columns of probabilities.*must be 2; the graph says 3"),
    "empty name": (card(classes=["red", "", "blue"]), "text of 1 to 1,000"),
    "long name": (card(classes=["red", "x" * 1001, "blue"]), "text of 1 to 1,000"),
    "name not text": (card(classes=["red", 3, "blue"]), "text of 1 to 1,000"),
    "name with NUL": (card(classes=["red", "a\0b", "blue"]), "text of 1 to 1,000"),
    "half a character": (card(classes=["red", "\ud800", "blue"]), "text of 1 to 1,000"),
    "same name twice": (card(classes=["red", "red", "blue"]), "different from one another"),
    "no preprocessing": (without("preprocessing"), "preprocessing must be an object"),
    "size of terabytes": (changed_preprocessing(size=10**6), "size must be a whole number from 1 to 2048"),
    "size a fraction": (changed_preprocessing(size=16.0), "size must be a whole number"),
    "unknown mode": (changed_preprocessing(mode="../x"), "mode must be one of squash, crop"),
    "filter unhashable": (changed_preprocessing(interpolation=[]), "interpolation must be one of"),
    "mean of two": (changed_preprocessing(mean=[0, 0]), "mean must be three numbers"),
    "std zero": (changed_preprocessing(std=[1, 1, 0]), "std must be above 0"),
    "no thresholds": (without("thresholds"), "thresholds must be an object"),
    "threshold 2": (card(thresholds={"unknown": 2}), "thresholds.unknown must be a number from 0 to 1"),
    "set as text": (card(thresholds={"unknown": 0.01, "set": "0"}), "thresholds.set must be a number"),
    "a threshold a class of two": (
        card(thresholds={"unknown": 0.01, "set": 0.1, "set_by_class": [0.1, 0.2]}),
        "thresholds.set_by_class must be a list of 3 numbers",
    ),
    "a threshold a class without the common one": (
        card(thresholds={"unknown": 0.01, "set": None, "set_by_class": [0.1, 0.2, 0.3]}),
        "thresholds.set_by_class must be absent without `thresholds.set`",
    ),
    "a threshold a class for sets of tags": (
        tag_card(thresholds={**tag_card()["thresholds"], "set_by_class": [0.1, 0.2, 0.3]}),
        "thresholds.set_by_class must be absent",
    ),
    "recipe a list": (card(recipe=[]), "recipe must be text"),
    "no licence": (card(backbone={"name": "x"}), "backbone.licence must be text"),
    "metrics a list": (card(metrics=[]), "metrics must be an object"),
    "accuracy a number": (card(metrics={"accuracy": 0.9}), "accuracy must be an object"),
    "accuracy without range": (
        card(metrics={"accuracy": {"value": 1}}),
        "metrics.accuracy must be an object",
    ),
    "accuracy of 2": (
        card(metrics={"accuracy": {"value": 2, "low": 0, "high": 1}}),
        "metrics.accuracy.value must be a number from 0 to 1",
    ),
    "a range as text": (
        card(metrics={"top5": {"value": 1, "low": "0", "high": 1}}),
        "metrics.top5.low must be a number from 0 to 1",
    ),
    "infinite": (
        json.dumps(card(metrics={"ece": 7777})).replace("7777", "1e999"),
        "metrics.ece must be a finite",
    ),
    "infinite inside": (
        json.dumps(card(metrics={"x": [7777]})).replace("7777", "-1e999"),
        "metrics.x must be of finite numbers",
    ),
    "images a fraction": (card(data={"images": 0.5}), "data.images must be a whole number"),
    "images below nothing": (card(data={"images": -1}), "data.images must be a whole number"),
    "images that JSON does not hold exactly": (card(data={"images": 2**53}), "data.images must be a whole"),
    "images true": (card(data={"images": True}), "data.images must be a whole number"),
    "refused a list": (card(data={"refused": []}), "data.refused must be a whole number"),
    "fingerprint a number": (card(data={"fingerprint": 1}), "data.fingerprint must be text"),
    "counts a list": (card(data={"per_class": [1]}), "data.per_class must be an object of the classes"),
    "counts of others": (card(data={"per_class": {"mauve": 1}}), "data.per_class must be an object of the"),
    "counts as text": (card(data={"per_class": {"red": "1"}}), "data.per_class must be of whole numbers"),
    "data infinite": (json.dumps(card(data={"x": 7777})).replace("7777", "1e999"), "data must be of finite"),
    "choices text": (card(choices="a"), "choices must be a list"),
    "choices numbers": (card(choices=[1]), "choices must be of text"),
    "a choice too long": (card(choices=["x" * 10_001]), "choices must be of text of up to 10,000"),
    "too many choices": (card(choices=["x"] * 1001), "choices must be a list of up to 1000"),
    "history an object": (card(history={}), "history must be a list"),
    "history of numbers": (card(history=[1]), "history must be a list of small objects"),
    "history with text": (card(history=[{"epoch": "1"}]), "history.epoch must be a finite number"),
    "history with infinity": (
        json.dumps(card(history=[{"train_loss": 7777}])).replace("7777", "1e999"),
        "history.train_loss must be a finite number",
    ),
    "preset a number": (card(preset=3), "preset must be text"),
    "seed text": (card(seed="0"), "seed must be a whole"),
    "created a number": (card(created={"numpy": 2}), "created.numpy must be text"),
}


@pytest.mark.parametrize("name", CARDS)
def test_a_card_that_is_not_one_is_refused_with_the_field_named(name, tmp_path):
    content, words = CARDS[name]
    if isinstance(content, bytes):
        model = with_card(tiny_proto(), "?!").replace(b"?!", content + b"!")
        words = "not readable JSON"
    else:
        model = with_card(tiny_proto(), content)
    with pytest.raises(ModelFileError, match=words):
        load(tmp_path, seal(model))


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "<img src=x onerror=alert(1)>", "=cmd()", "a\nb", "猫", "bad\udcff", "x" * 1000],
)
def test_class_names_are_kept_exactly_and_mean_nothing(name, tmp_path):
    model = load(tmp_path, tiny_model(classes=[name, "green", "blue"]))
    assert model.classes == (name, "green", "blue")


def test_unknown_fields_of_a_card_are_kept_and_ignored(tmp_path):
    assert load(tmp_path, tiny_model(auto_map={"x": "evil.py"})).card["auto_map"] == {"x": "evil.py"}


def test_a_model_without_backbone_or_promises_is_allowed(tmp_path):
    model = load(tmp_path, tiny_model(backbone=None, thresholds={"unknown": 0.01, "set": None}))
    assert model.card["backbone"] is None


def test_the_ends_of_what_is_allowed_are_allowed():
    given = card(
        metrics={"accuracy": {"value": 1, "low": 0, "high": 1}},
        data={"images": 2**53 - 1},
        x=json.loads(deep(11)),
    )
    assert read_card(json.dumps(given).encode()) == given


def test_two_cards_or_none_are_refused(tmp_path):
    proto = tiny_proto()
    with pytest.raises(ModelFileError, match="no card"):
        load(tmp_path, seal(proto.SerializeToString()))
    proto.metadata_props.add(key="fieldguide", value=json.dumps(card()))
    proto.metadata_props.add(key="fieldguide", value=json.dumps(card()))
    with pytest.raises(ModelFileError, match="same key"):
        load(tmp_path, seal(proto.SerializeToString()))


def test_a_card_is_written_the_same_whatever_its_order():
    text = written(card())
    assert text == written(dict(reversed(card().items())))
    assert read_card(text.encode()) == card()


def test_names_that_are_no_utf8_are_escaped_in_ascii():
    assert "ä" in written({"classes": ["ä"]})
    text = written({"classes": ["ä", "caf\udce9"]})
    assert text == '{"classes": ["\\u00e4", "caf\\udce9"]}'
    assert json.loads(text)["classes"][1] == "caf\udce9"


@pytest.mark.parametrize(
    ("name", "allowed"), [("x" * 1000, True), ("x" * 1001, False), ("a\0", False), (None, False)]
)
def test_what_may_be_a_class(name, allowed):
    assert may_be_class(name) is allowed
