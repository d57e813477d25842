"""Which depths of a backbone become features, and how they are pooled; the one place to change that."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Pooling = Literal["mean", "max"]


@dataclass(frozen=True)
class Taps:
    """A choice of depths; part of every cache key.

    Examples
    --------
    >>> Taps(since=0.8, pooling=("mean",))  # later depths only, mean-pooled
    Taps(since=0.8, pooling=('mean',), final_pooling=('mean', 'max'), channels=5120)
    """

    since: float = 0.42
    """Share of the network's depth, 0 to 1, that is passed before the first tap: of the stages of
    convolutional networks (stage 3 of EfficientNet's 0 to 6), of the blocks of transformers."""
    pooling: tuple[Pooling, ...] = ("mean", "max")
    """How the positions of a tapped map become one vector; several are concatenated."""
    final_pooling: tuple[Pooling, ...] = ("mean", "max")
    """The same for the last map; "mean" stands for the network's own pooling, whatever that is."""
    channels: int = 5120
    """The earliest depths are dropped while those left are wider than this, times the kinds of `pooling`."""

    def as_dict(self) -> dict[str, Any]:
        """The fields as cache keys hold them."""
        return asdict(self)


DEFAULT_TAPS = Taps()
