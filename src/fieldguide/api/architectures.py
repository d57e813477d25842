"""Networks that `cnn` can learn, from a script: `architecture`."""

from collections.abc import Callable
from typing import Any, TypeAlias

from fieldguide.api.values import whole_number
from fieldguide.errors import OptionError
from fieldguide.installation import command_for
from fieldguide.recipes import has_torch
from fieldguide.recipes.cnn.layer_rows import LayerTable

Network: TypeAlias = str | Callable[..., Any]
"""A name such as resnet18, layers in words, or a `torch.nn.Module`."""
USUAL_SIZE = 64
"""Side of the images in pixels where none is given; the next that the network takes."""


def architecture(
    architecture: Network, *, size: int | None = None, classes: int | None = None, all: bool = False
) -> LayerTable:
    """Show the layers of a network that the recipe ``cnn`` can learn; nothing is trained or downloaded.

    Parameters
    ----------
    architecture : str or torch.nn.Module
        A name such as resnet18, which ``fieldguide architecture --list`` has all of; layers such as
        ``"conv 32, pool, dense 64"``; or a module.
    size : int, optional
        Side of the images in pixels; None takes 64, or the next that the network takes.
    classes : int, optional
        With the layer of class scores for so many classes.
    all : bool, default=False
        Each layer by itself, instead of stages.

    Returns
    -------
    LayerTable
        ``rows``, ``parameters``, ``multiply_adds`` and ``features``; ``as_dict()`` is what
        ``fieldguide architecture --json`` writes.

    Raises
    ------
    OptionError
        If there is no such network, it does not take images of that size, or torch is not installed.

    Examples
    --------
    >>> import fieldguide
    >>> table = fieldguide.architecture("conv 8, pool, dense 4", size=32, classes=2)
    >>> table.features, table.parameters
    (4, 278)
    """
    require_torch()
    from fieldguide.recipes.cnn.layer_table import layer_table
    from fieldguide.recipes.cnn.layers import check_size

    side = _usual_size(architecture) if size is None else whole_number("size", size, 1)
    check_size(side)
    scores = None if classes is None else whole_number("classes", classes, 1)
    network: Any = architecture
    return layer_table(network, side, scores, whole=all)


def require_torch() -> None:
    """See that torch is there.

    Raises
    ------
    OptionError
        If it is not; the message says how to install it.
    """
    if not has_torch():
        raise OptionError(
            "architecture: networks that learn need torch, and that is not installed; run: "
            f"{command_for('torch')}"
        )


def _usual_size(architecture: Network) -> int:
    from fieldguide.recipes.cnn.architectures import next_size
    from fieldguide.recipes.cnn.layers import is_name

    named = isinstance(architecture, str) and is_name(architecture)
    return next_size(str(architecture), USUAL_SIZE) if named else USUAL_SIZE
