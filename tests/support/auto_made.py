"""Trials of `auto` made by hand: answers without any training."""

import dataclasses
from pathlib import Path

import numpy as np
import onnx

from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.recipes.auto.trial import FittedCandidate
from fieldguide.recipes.common import Fitted, OutOfFold


def trial(name, rows, labels, right, size=64, network=False):
    """A trial whose true classes have the probability `right`, a number or one an image, of two classes."""
    labels = np.asarray(labels)
    truth = np.broadcast_to(np.asarray(right, dtype=float), labels.shape)
    probabilities = np.stack([np.where(labels == column, truth, 1 - truth) for column in (0, 1)], axis=1)
    body = ExportedBackbone(
        path=Path("none.onnx"),
        digest=name,
        preprocessing=Preprocessing(size),
        name=name,
        licence="MIT",
        source="",
        features=4,
        depths=(("final", 4),),
        classes=None,
        timm_name="",
        weights=Path("none"),
    )
    fitted = Fitted(
        body=onnx.ModelProto() if network else body,
        head=onnx.ModelProto(),
        preprocessing=Preprocessing(size),
        classes=("a", "b"),
        backbone=None,
        set_threshold=0.1,
        out_of_fold=OutOfFold(np.asarray(rows), labels, probabilities, np.ones(len(labels))),
        used=len(labels),
        fingerprint="",
        digests=(),
        refused=(),
        choices=(),
        seconds={},
    )
    return FittedCandidate(name, dataclasses.replace(fitted))


def tag_trial(name, tags, right):
    """The same of two tags; `tags` of shape (n_images, 2), `right` the probability of what is true."""
    tags = np.asarray(tags, dtype=np.int8)
    right = np.broadcast_to(np.asarray(right, dtype=float), tags.shape)
    plain = trial(name, np.arange(len(tags)), np.zeros(len(tags), np.int64), 0.5)
    held = OutOfFold(np.arange(len(tags)), tags, np.where(tags == 1, right, 1 - right), np.ones(len(tags)))
    return FittedCandidate(
        name,
        dataclasses.replace(plain.fitted, out_of_fold=held, tag_thresholds=np.array([0.5, 0.5])),
    )
