"""What is tried on a fold: a way of training, which images are held out, which may be learned from."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.data.folds import Folds
from fieldguide.recipes.common import Options


@dataclass(frozen=True)
class Candidate:
    """A way of training, to be compared with others."""

    name: str
    """For a person, such as ``linear-probe balanced``; differs from all others."""
    recipe: str
    """A key of :data:`fieldguide.recipes.RECIPES`."""
    options: Options = field(default_factory=Options)
    """Backbone, preset, weights, settings and the seed of training; cache, memory and progress are those of
    the comparison."""

    def as_dict(self) -> dict[str, Any]:
        """What tells it from others, as JSON holds it."""
        options = self.options
        return {
            "name": self.name,
            "recipe": self.recipe,
            "backbone": options.backbone,
            "preset": options.preset,
            "options": dict(options.settings),
        }


@dataclass(frozen=True, eq=False)
class FoldTask:
    """One fold of one way of training."""

    candidate: Candidate
    fold: int
    """Held out: 0 to `folding.count` - 1."""
    share: NDArray[np.bool_] | None = None
    """Which images may be learned from, of shape (n_images,); None allows all."""
    timed: bool = False
    """Whether the answer to one photo is to be timed."""

    @property
    def title(self) -> str:
        """What a person calls it."""
        return f"fold {self.fold + 1} of {self.candidate.name}"

    def rows(self, folding: Folds) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Positions of the images learned from, and of those held out."""
        learned, held = folding.parts(self.fold)
        return (learned if self.share is None else learned[self.share[learned]]), held
