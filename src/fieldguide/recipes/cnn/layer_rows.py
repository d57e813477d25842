"""What a network's table of layers holds; torch is not needed to show one."""

from dataclasses import asdict, dataclass
from typing import Any

from fieldguide.mixins.display import DisplayMixin, TableMixin


@dataclass(frozen=True)
class LayerRow:
    """A layer, or several that follow each other."""

    name: str
    """Where it stands in the network; of several the first and the last."""
    kind: str
    """Its class; of several each one's."""
    output: tuple[int, ...] | None
    """Shape of what it gives for one image, None if it was not asked."""
    parameters: int
    """Numbers that are learned."""
    multiply_adds: int
    """For one image."""


@dataclass(frozen=True, repr=False)
class LayerTable(DisplayMixin, TableMixin):
    """A network, layer by layer."""

    architecture: str
    """Its name, or its layers in words."""
    rows: tuple[LayerRow, ...]
    size: int
    """Side of the images in pixels."""
    features: int
    """How many the network gives before the layer of class scores."""
    parameters: int
    multiply_adds: int
    """For one image, those between layers included."""

    def as_dict(self) -> dict[str, Any]:
        """What ``architecture --json`` holds."""
        return asdict(self)
