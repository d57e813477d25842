"""Networks of a person's own: from a readable list of layers, by the field's names, or any torch module.

    conv 32, conv 64, pool, residual 128, pool, dense 256, dropout 0.2

Each word is a layer; the first after an image is a convolution, and once there is a `dense` no convolution
follows. Maps that are left at the end are averaged. The layer that gives the class scores is added by itself.

One word that is no layer is a name, such as `resnet18`: :mod:`fieldguide.recipes.cnn.architectures`.
"""

import copy
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from fieldguide.errors import OptionError
from fieldguide.recipes.cnn import architectures
from fieldguide.recipes.cnn.architectures import MOST

LEAST = 16
"""Smallest side of images in pixels; :data:`MOST` is the largest."""


class Residual(nn.Module):
    """Two convolutions beside a short cut (He et al., "Deep Residual Learning", 2016).

    Parameters
    ----------
    channels_in, channels_out
        Of the maps.
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.layers: nn.Sequential = nn.Sequential(
            *_convolution(channels_in, channels_out),
            nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
        )
        self.short_cut: nn.Module = nn.Identity()
        if channels_in != channels_out:
            self.short_cut = nn.Conv2d(channels_in, channels_out, 1, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Map (batch, channels_in, height, width) to (batch, channels_out, height, width)."""
        return nn.functional.gelu(self.layers(maps) + self.short_cut(maps))


class Averaged(nn.Module):
    """Maps averaged over height and width."""

    def forward(self, maps: Tensor) -> Tensor:
        """Map (batch, channels, height, width) to (batch, channels)."""
        return maps.mean((2, 3))


def own_network(architecture: str | nn.Module, size: int) -> tuple[nn.Module, int]:
    """Make the network that a person asks for.

    Parameters
    ----------
    architecture
        A list of layers as above, a name of timm or torchvision, or a module from normalised images
        (batch, 3, size, size) to features (batch, n) or maps (batch, n, height, width), which are averaged.
        The module is copied.
    size
        Side of the images in pixels.

    Returns
    -------
    tuple of nn.Module and int
        From images to features, and how many features.

    Raises
    ------
    OptionError
        If a layer or a name is unknown, a layer is out of place, or images of this size come out as nothing.
    """
    if isinstance(architecture, nn.Module):
        return _to_features(copy.deepcopy(architecture), size)
    if is_name(architecture):
        return _to_features(architectures.named(architecture.strip(), size), size)
    return _to_features(from_text(architecture), size)


def sketched_network(architecture: str | nn.Module, size: int) -> tuple[nn.Module, int]:
    """Make the same network on torch's device `meta`, which computes shapes without weights: in no time.

    A module must lie there already; otherwise as :func:`own_network`.
    """
    with torch.device("meta"):
        if isinstance(architecture, str) and is_name(architecture):
            return _to_features(architectures.sketched(architecture.strip(), size), size)
        return own_network(architecture, size)


def check_architecture(architecture: str | nn.Module, size: int) -> None:
    """See that a network can be made, before anything costly is done.

    Raises
    ------
    OptionError
        As :func:`own_network`.
    """
    if isinstance(architecture, nn.Module):
        own_network(architecture, size)
    else:
        sketched_network(architecture, size)


def check_size(size: int) -> None:
    """See that a side of images in pixels is one that `cnn` takes.

    Raises
    ------
    OptionError
        If it is too small or too large.
    """
    if not LEAST <= size <= MOST:
        raise OptionError(f"size: must be {LEAST} to {MOST} pixels, got {size}; 32 to 128 is usual")


def is_name(architecture: str) -> bool:
    """Whether a text is one of the field's names (known or not), and no list of layers."""
    words = architecture.split()
    return len(words) == 1 and "," not in architecture and words[0] not in _LAYERS


def words_of(text: str) -> tuple[tuple[str, int], ...]:
    """The words of a list of layers, and how many torch layers each makes.

    Examples
    --------
    >>> words_of("conv 8, pool, dense 4")
    (('conv 8', 3), ('pool', 1), ('dense 4', 3))
    """
    return tuple((word, len(layers)) for word, layers in _made(text))


def _to_features(body: nn.Module, size: int) -> tuple[nn.Module, int]:
    output = _tried(body, size)
    if output.ndim == 4:
        body = nn.Sequential(body, Averaged())
        output = _tried(body, size)
    if output.ndim != 2:
        raise OptionError(
            f"architecture: must give features of shape (batch, n), or maps (batch, n, height, width); got "
            f"{tuple(output.shape)} for a batch of 2"
        )
    return body, output.shape[1]


def from_text(text: str) -> nn.Module:
    """Make a network from a list of layers.

    Raises
    ------
    OptionError
        If a layer is unknown or out of place.
    """
    return nn.Sequential(*(layer for _, layers in _made(text) for layer in layers))


def _made(text: str) -> Iterator[tuple[str, list[nn.Module]]]:
    """Each word with its layers."""
    channels, flat = 3, False
    for number, item in enumerate(text.split(","), start=1):
        name, *values = item.split() or [""]
        if name not in _LAYERS:
            raise OptionError(
                f"architecture: layer {number} must be one of {', '.join(_LAYERS)}; got {item.strip()!r}"
            )
        if name != "dropout" and flat and name != "dense":
            raise OptionError(f"architecture: layer {number}, {item.strip()!r}, cannot follow a dense layer")
        averaged: list[nn.Module] = [Averaged()] if name == "dense" and not flat else []
        flat = flat or name == "dense"
        made, channels = _LAYERS[name](channels, _values(name, values, number))
        yield " ".join(item.split()), averaged + made


def _values(name: str, values: list[str], number: int) -> list[float]:
    wanted = {"pool": 0}.get(name, 1)
    try:
        numbers = [float(value) for value in values]
    except ValueError:
        numbers = []
    good = len(numbers) == wanted and all(
        0 <= value < 1 if name == "dropout" else value >= 1 and value.is_integer() for value in numbers
    )
    if not good:
        raise OptionError(
            f"architecture: layer {number}: write {_EXAMPLES[name]!r}; got {' '.join((name, *values))!r}"
        )
    return numbers


def _convolution(channels_in: int, channels_out: int) -> list[nn.Module]:
    return [
        nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.GELU(),
    ]


Maker = Callable[[int, list[float]], tuple[list[nn.Module], int]]
_LAYERS: dict[str, Maker] = {
    "conv": lambda channels, values: (_convolution(channels, int(values[0])), int(values[0])),
    "residual": lambda channels, values: ([Residual(channels, int(values[0]))], int(values[0])),
    "pool": lambda channels, values: ([nn.MaxPool2d(2)], channels),
    "dropout": lambda channels, values: ([nn.Dropout(values[0])], channels),
    "dense": lambda channels, values: ([nn.Linear(channels, int(values[0])), nn.GELU()], int(values[0])),
}
_EXAMPLES = {
    "conv": "conv 64",
    "residual": "residual 128",
    "pool": "pool",
    "dropout": "dropout 0.2",
    "dense": "dense 256",
}


def _tried(body: nn.Module, size: int) -> Tensor:
    """What comes out for two grey images; the mode of the module stays as it was."""
    training = body.training
    try:
        with torch.no_grad():
            output = body.eval()(torch.zeros(2, 3, size, size))
    except (RuntimeError, ValueError, TypeError, AssertionError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise OptionError(
            f"architecture: does not take images of {size} × {size} pixels ({reason}); fewer pools, or --size"
        ) from error
    finally:
        body.train(training)
    if not isinstance(output, Tensor):
        raise OptionError(f"architecture: must give one tensor, got {type(output).__name__}")
    return output
