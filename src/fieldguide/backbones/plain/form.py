"""The form in which a file holds a network: by whom it was published, and how much of its end is there."""

from dataclasses import dataclass

from fieldguide.backbones.plain.layers import CLASSIFIER, Layers
from fieldguide.backbones.plain.vgg import HIDDEN


@dataclass(frozen=True)
class NetworkForm:
    """What must be known of a file to build the same network in torch, before its weights are filled in."""

    publisher: str
    """As :attr:`fieldguide.backbones.plain.layers.WeightLayout.publisher`."""
    classes: int
    """Of its own classifier; 0 where the file has none."""
    hidden: int = 0
    """Outputs of VGG's first linear layer; 0 where the file or the network has none."""


def form_of(publisher: str, layers: Layers) -> NetworkForm:
    """Tell the form of a file from its layers, before they are taken.

    Raises
    ------
    BackboneError
        If a linear layer has a shape that no layer has.
    """
    classes, hidden = (layers.width(place) if layers.has(place) else 0 for place in (CLASSIFIER, HIDDEN[0]))
    return NetworkForm(publisher, classes, hidden)
