"""What the card of a model of class names says that it was not measured."""

import dataclasses

import numpy as np
import onnx
import pytest

pytest.importorskip("tokenizers")
from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.learning.zero_shot.card import AS_FAMILIAR, NOT_MEASURED, ZeroShotFacts, zero_shot_card
from fieldguide.learning.zero_shot.prompts import class_texts
from fieldguide.modelfile.card import read_card, written

NAMES = class_texts(["oak", "ash"])
ALONE = ZeroShotFacts(onnx.ModelProto(), ("compared with texts",))


def card_of(facts, tmp_path):
    backbone = ExportedBackbone(
        tmp_path, "0" * 64, Preprocessing(32), "colours", "mit", "file", 4, (("a", 4),), None, "", tmp_path
    )
    card = zero_shot_card(facts, NAMES, backbone)
    assert read_card(written(card).encode()) == card
    return card


def test_names_alone_promise_nothing(tmp_path):
    card = card_of(ALONE, tmp_path)
    assert card["thresholds"] == {"unknown": 0.01, "coverage": None, "set": None}
    assert "never say unknown" in card["limits"][0] and card["limits"][1:] == [NOT_MEASURED]
    assert card["prompts"] == ["a photo of a ash", "a photo of a oak"]


@pytest.mark.parametrize(("photos", "said"), [(50, "never say unknown"), (150, "coarse"), (5000, None)])
def test_photos_without_labels_say_how_fine_typicality_is(tmp_path, photos, said):
    limits = card_of(dataclasses.replace(ALONE, unlabelled=photos), tmp_path)["limits"]
    assert limits[-2:] == [NOT_MEASURED, AS_FAMILIAR]
    assert (said is None) == (len(limits) == 2) and (said is None or said in limits[0])


def test_labelled_photos_are_counted_and_remembered(tmp_path):
    facts = dataclasses.replace(
        ALONE, labelled=np.array([0, 1, 1]), set_threshold=0.2, digests=("a" * 64, "b" * 64, "c" * 64)
    )
    card = card_of(facts, tmp_path)
    assert card["data"]["per_class"] == {"ash": 1, "oak": 2} and card["data"]["images"] == 3
    assert card["thresholds"]["coverage"] == 0.95 and NOT_MEASURED not in card["limits"]
    other = card_of(dataclasses.replace(facts, labelled=np.array([1, 1, 0])), tmp_path)
    assert other["data"]["fingerprint"] != card["data"]["fingerprint"]
