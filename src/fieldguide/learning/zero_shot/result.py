"""What is asked of ``fieldguide zero-shot``, and what comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from fieldguide.data.dataset import Data
from fieldguide.errors import Refusal
from fieldguide.evaluation.result import Evaluation
from fieldguide.files import cache_folder
from fieldguide.mixins.display import DisplayMixin
from fieldguide.prediction.predictor import Predictor, load
from fieldguide.progress import Progress, silent


@dataclass(frozen=True)
class ZeroShotOptions:
    """What a person decides about ``fieldguide zero-shot``."""

    backbone: str
    """A folder that holds an encoder of images and texts, or such a name of the catalogue."""
    classes: Sequence[str]
    """Names of classes."""
    out: Path
    """The model file to write."""
    prompts: Sequence[str] = ()
    """Texts with ``{}`` for the name; none: ``a photo of a {}``."""
    photos: Sequence[str] = ()
    """Photos without labels: files, folders, globs, archives, tables."""
    labelled: Data | None = None
    """Photos with labels, in any form of DATA."""
    seed: int = 0
    """Deals folds."""
    cache: Path | None = field(default_factory=lambda: cache_folder() / "features")
    """Folder where features are kept; None keeps none."""
    progress: Progress = silent
    """Callback for progress."""


@dataclass(frozen=True, repr=False)
class ZeroShotResult(DisplayMixin):
    """What came of it."""

    out: Path
    """The model file."""
    card: dict[str, Any]
    validation: Evaluation | None
    """Of the labelled photos, where there are any; each was held out of what it measures."""
    refused: tuple[Refusal, ...]
    """Photos that could not be used."""
    notes: tuple[str, ...]
    """Sentences about the photos."""

    @cached_property
    def model(self) -> Predictor:
        """The model, ready to predict."""
        return load(self.out)

    @property
    def limits(self) -> tuple[str, ...]:
        """What the model cannot say, in sentences."""
        return tuple(self.card["limits"])

    def as_dict(self) -> dict[str, Any]:
        """What ``zero-shot --json`` writes."""
        card = self.card
        return {
            "model": str(self.out),
            "backbone": card["backbone"]["name"],
            "classes": card["classes"],
            "prompts": card["prompts"],
            "images": {"used": card["data"]["images"], "refused": len(self.refused)},
            "refused": [refusal.as_dict() for refusal in self.refused],
            "validation": None if self.validation is None else self.validation.as_dict(),
            "choices": card["choices"],
            "limits": card["limits"],
            "notes": list(self.notes),
        }
