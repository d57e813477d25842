"""A model for tests of reports: its answers are given beforehand, so that every figure can be known."""

from dataclasses import dataclass

import numpy as np

from fieldguide.errors import ModelFileError, Refusal
from fieldguide.prediction.predictor import PredictionInput
from fieldguide.prediction.result import DecisionRule, refused

CARD = {
    "preprocessing": {"mode": "squash", "size": 32},
    "thresholds": {"unknown": 0.01, "set": 0.2, "coverage": 0.95},
    "metrics": {"accuracy": {"value": 0.9, "low": 0.85, "high": 0.95}, "measured_on": "out-of-fold"},
    "recipe": "linear-probe",
    "preset": "fast",
    "seed": 0,
    "backbone": {"name": "tiny", "licence": "MIT"},
    "data": {"images": 30, "fingerprint": "0" * 64, "per_class": {}},
    "created": {"fieldguide": "0.1.0"},
    "choices": ["None: made by hand."],
    "history": [],
}


@dataclass
class Oracle:
    """Says of the image in place n of the stream what row n of its tables holds."""

    classes: tuple[str, ...]
    probabilities: np.ndarray
    typicality: np.ndarray
    card: dict
    digest: str = "0" * 64

    @property
    def explainer(self):
        raise ModelFileError("an oracle has no reasons")

    def seen_stream(self, sources):
        judge = DecisionRule(self.classes, 0.01, 0.2, 5)
        pixels = np.zeros((32, 32, 3), dtype=np.uint8)
        for place, source in enumerate(sources):
            if "broken" in source:
                yield PredictionInput(refused(source, "truncated", "the file ends too early"))
                continue
            row = self.probabilities[place % len(self.probabilities)]
            typicality = self.typicality[place % len(self.typicality)]
            yield PredictionInput(
                judge(source, row, np.float32(typicality)), row[:64].copy(), pixels, (40, 30)
            )

    def predict_stream(self, sources):
        for seen in self.seen_stream(sources):
            yield seen.prediction


def oracle(classes, truth, *, right=0.85, seed=0, **changes):
    """An oracle that is right in this share of images and knows how sure it may be."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(len(truth), len(classes)))
    scores[np.arange(len(truth)), truth] += np.where(rng.random(len(truth)) < right, 7, -1)
    odds = np.exp(scores)
    shares = (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)
    return Oracle(tuple(classes), shares, rng.random(len(truth)), {**CARD, **changes})


REFUSED = Refusal("x", "truncated", "the file ends too early")
