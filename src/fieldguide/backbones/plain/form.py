"""The form in which a file holds a network: by whom it was published, and how much of its end is there.

A module of its own, since facts about a network are read where nothing is built.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class NetworkForm:
    """What must be known of a file to build the same network in torch, before its weights are filled in."""

    publisher: str
    """As :attr:`fieldguide.backbones.plain.layers.WeightLayout.publisher`."""
    classes: int
    """Of its own classifier; 0 where the file has none."""
    hidden: int = 0
    """Outputs of VGG's first linear layer; 0 where the file or the network has none."""
