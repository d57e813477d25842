"""What training did to a network's weights, and which point on the way was handed back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

NAMED = 2
"""Stages that moved most, which a sentence names."""
MOST_READ, LONGEST, MOST_MOVED = 1000, 40, 1e9
"""Stages of a card, characters of a name, and numbers that are read."""


@dataclass(frozen=True)
class StageMovement:
    """How far the weights of a stage moved from where they began."""

    stage: str
    """Its name in the network; `classifier` is the layer of class scores."""
    moved: float
    """Length of the difference over length of the weights at the beginning; 0 where the stage was frozen."""


@dataclass(frozen=True)
class HandedBack:
    """The point between probe and network that a model is made of."""

    point: str
    """In words."""
    way: float
    """Share of the way from the weights at the start to those at the end; 0: the linear probe."""
    weight: float
    """Of the network's answers in a pool with those at the start; 1: no pool."""
    log_loss: float
    """On the images held out."""


@dataclass(frozen=True)
class TrainingOutcome:
    """What training did to a network."""

    stages: tuple[StageMovement, ...]
    """From early to late."""
    handed_back: HandedBack | None = None
    """None where the trained network itself is handed back, whatever came of it."""

    def as_dict(self) -> dict[str, Any]:
        """As card and JSON hold it."""
        return {
            "stages": [asdict(stage) for stage in self.stages],
            "handed_back": None if self.handed_back is None else asdict(self.handed_back),
        }

    @classmethod
    def read(cls, found: Any) -> "TrainingOutcome | None":
        """Read what :meth:`as_dict` gave; None where it is something else.

        Examples
        --------
        >>> TrainingOutcome.read({"stages": [{"stage": "blocks.0", "moved": 0.02}]}).stages[0].moved
        0.02
        >>> TrainingOutcome.read({"stages": 3}) is None
        True
        """
        try:
            stages = tuple(_stage(row) for row in found["stages"][:MOST_READ])
            point = found.get("handed_back")
            return cls(stages, None if point is None else _point(point)) if stages else None
        except (AttributeError, KeyError, TypeError, ValueError):
            return None

    def summary(self) -> str:
        """Which stages moved most, in a sentence.

        Examples
        --------
        >>> TrainingOutcome((StageMovement("stem", 0.0), StageMovement("classifier", 0.35))).summary()
        'weights moved by at most 35 % of their length in classifier, and by 0 % in stem'
        """
        ranked = sorted(self.stages, key=lambda stage: stage.moved, reverse=True)
        first, *others = ranked[:NAMED]
        said = [f"weights moved by at most {_percent(first.moved)} of their length in {first.stage}"]
        said += [f"by {_percent(stage.moved)} in {stage.stage}" for stage in others]
        if len(ranked) > NAMED:
            said.append(f"by {_percent(ranked[-1].moved)} at least, in {ranked[-1].stage}")
        return ", ".join(said[:-1]) + f", and {said[-1]}" if len(said) > 1 else said[0]


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _stage(row: Mapping[str, Any]) -> StageMovement:
    return StageMovement(str(row["stage"])[:LONGEST], _number(row["moved"]))


def _point(row: Mapping[str, Any]) -> HandedBack:
    return HandedBack(str(row["point"]), *(_number(row[name]) for name in ("way", "weight", "log_loss")))


def _number(value: Any) -> float:
    """A number from 0 on that can be drawn; a card may come from anywhere."""
    number = float(value)
    if not 0 <= number <= MOST_MOVED:
        raise ValueError(value)
    return number
