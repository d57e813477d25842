"""What the card of a model says that was made of class names."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.evaluation.result import Evaluation
from fieldguide.heads.promises import COVERAGE
from fieldguide.learning.card import UNKNOWN_THRESHOLD, common_card, metrics_summary, set_by_class
from fieldguide.learning.zero_shot.prompts import ClassTexts
from fieldguide.modelfile.contents import ContentSketch
from fieldguide.modelfile.limits import limits_of
from fieldguide.recipes.labelled_features import card_of

RECIPE = "zero-shot"
NOT_MEASURED = (
    "no photo with a label was used: how often this model is right was not measured, its probabilities are "
    "not calibrated, and prediction sets hold the most probable class alone; `--labelled` mends that"
)
AS_FAMILIAR = (
    "typicality is measured against photos without labels, which may have shown other things as well"
)


@dataclass(frozen=True)
class ZeroShotFacts:
    """What was made, and from what."""

    head: onnx.ModelProto
    """From `features` to the outputs of the contract."""
    choices: tuple[str, ...]
    """A sentence for each automatic choice."""
    unlabelled: int = 0
    """Photos without labels that were looked at."""
    labelled: NDArray[np.int64] | None = None
    """Class numbers of the labelled photos."""
    set_threshold: float | None = None
    """Classes at least this probable belong to the prediction set."""
    class_set_thresholds: NDArray[np.float64] | None = None
    """The same for each class by itself, of shape (n_classes,)."""
    measured: Evaluation | None = None
    digests: tuple[str, ...] = ()
    """SHA-256 of each labelled photo."""


def zero_shot_card(facts: ZeroShotFacts, names: ClassTexts, backbone: ExportedBackbone) -> dict[str, Any]:
    """The card; it says what was not measured, and why."""
    labelled = facts.labelled is not None
    card = {
        **common_card(names.classes, backbone.preprocessing, (*backbone.made_with, "tokenizers")),
        "recipe": RECIPE,
        "backbone": card_of(backbone),
        "prompts": list(names.flat()),
        "thresholds": {
            "unknown": UNKNOWN_THRESHOLD,
            "coverage": COVERAGE if labelled else None,
            "set": facts.set_threshold,
            **set_by_class(facts.class_set_thresholds),
        },
        "metrics": {} if facts.measured is None else metrics_summary(facts.measured),
        "data": _data(facts, names),
        "choices": list(facts.choices),
    }
    return card | {"limits": list(_limits(card, facts))}


def _data(facts: ZeroShotFacts, names: ClassTexts) -> dict[str, Any]:
    if facts.labelled is None:
        return {"images": facts.unlabelled, "note": "made of class names; no labelled photo was used"}
    counts = np.bincount(facts.labelled, minlength=len(names.classes))
    lines = sorted(f"{digest} {number}" for digest, number in zip(facts.digests, facts.labelled, strict=True))
    return {
        "images": len(facts.labelled),
        "note": "made of class names; labelled photos calibrated it",
        "per_class": dict(zip(names.classes, counts.tolist(), strict=True)),
        "fingerprint": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
        "contents": ContentSketch.of(facts.digests).as_dict(),
    }


def _limits(card: dict[str, Any], facts: ZeroShotFacts) -> tuple[str, ...]:
    seen = facts.unlabelled or (0 if facts.labelled is None else len(facts.labelled))
    said = limits_of(card | ({"metrics": {"n": seen}} if seen else {"recipe": "pretrained"}))
    measured = () if facts.labelled is not None else (NOT_MEASURED,)
    return (*said, *measured, *((AS_FAMILIAR,) if facts.unlabelled else ()))
