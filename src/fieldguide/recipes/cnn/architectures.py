"""The field's architectures by name, untrained: whatever timm or torchvision can build.

A network is first built on torch's device `meta`, which computes shapes and nothing else. So that a name or a
size is wrong is known in a fraction of a second, before any weight is drawn.
"""

import copy
import difflib
import functools
import importlib
import textwrap
from dataclasses import dataclass
from typing import Any

import timm
import torch
import torchvision  # type: ignore[import-untyped]
from torch import Tensor, nn

from fieldguide.errors import OptionError

MOST = 512
"""Largest side of images in pixels that is tried."""
EXAMPLE = "conv 32, pool, residual 64, pool, dense 128"
_WITHOUT_AUXILIARY = {"googlenet": {"aux_logits": False, "init_weights": True}}
_SIZED = {"vit": "image_size", "maxvit": "input_size"}
"""How torchvision's builders are told of the image size, by the family; others need not know."""
_SCORES = 1000
"""Class scores of torchvision's networks, whose layer is taken out."""
_PATCHES = (12, 14, 16)
"""Sides of images that networks of patches and windows take are usually multiples of one of these."""


@dataclass(frozen=True)
class Architecture:
    """A name that can be built."""

    name: str
    library: str
    """`timm` or `torchvision`."""


@functools.cache
def architectures() -> tuple[Architecture, ...]:
    """All there are, by name; timm's where both libraries have one.

    Examples
    --------
    >>> [one.library for one in architectures() if one.name in ("googlenet", "resnet18")]
    ['torchvision', 'timm']
    """
    own = timm.list_models()
    others = set(torchvision.models.list_models(module=importlib.import_module("torchvision.models")))
    made = [Architecture(name, "timm") for name in own]
    made += [Architecture(name, "torchvision") for name in others - set(own)]
    return tuple(sorted(made, key=lambda one: one.name))


def find(name: str) -> Architecture:
    """Return the architecture of that name.

    Raises
    ------
    OptionError
        If there is none; the nearest names are told.
    """
    known = {one.name: one for one in architectures()}
    wanted = name.lower()
    if wanted in known:
        return known[wanted]
    plain, dot, _ = wanted.partition(".")
    if dot and plain in known:
        raise OptionError(
            f"architecture: {name!r} names pretrained weights, and this network learns from scratch; "
            f"take {plain!r}, or --recipe finetune --backbone {name}"
        )
    near = difflib.get_close_matches(wanted, known, 3, 0.6)
    nearest = f"; the nearest names are {', '.join(near)}" if near else ""
    raise OptionError(
        f"architecture: must be a name of timm or torchvision (`fieldguide architecture --list`) or a list "
        f"of layers such as {EXAMPLE!r}; got {name!r}{nearest}"
    )


def named(name: str, size: int) -> nn.Module:
    """Build an untrained network without its layer of class scores.

    Parameters
    ----------
    name
        Of timm or torchvision.
    size
        Side of the images in pixels.

    Returns
    -------
    nn.Module
        From images (batch, 3, size, size) to features (batch, n), or maps.

    Raises
    ------
    OptionError
        If there is no such network, or it does not take images of that size.
    """
    architecture = find(name)
    check(name, size)
    return _built(architecture, size)


def check(name: str, size: int) -> None:
    """See that a network takes images of a size; costs a fraction of a second.

    Raises
    ------
    OptionError
        If there is no such network, or it does not take images of that size.
    """
    architecture = find(name)
    reason = _refused(architecture, size)
    if reason is None:
        return
    fitting = _next(architecture, size + 1)
    if fitting is None:
        raise OptionError(
            f"architecture: {architecture.name} cannot be trained on images of {size} × {size} pixels "
            f"({reason}), nor on any larger that was tried, up to {MOST}; choose another"
        )
    raise OptionError(
        f"architecture: {architecture.name} does not take images of {size} × {size} pixels ({reason}); "
        f"the next that it takes: --size {fitting}"
    )


def sketched(name: str, size: int) -> nn.Module:
    """Build a network as :func:`named` does, on the device `meta`: shapes without weights.

    Raises
    ------
    OptionError
        If there is no such network, or it does not take images of that size.
    """
    architecture = find(name)
    check(name, size)
    return copy.deepcopy(_sketched(architecture, size if _is_sized(architecture) else None)).eval()


def next_size(name: str, least: int) -> int:
    """The smallest side of images, from `least` on, that a network takes.

    Raises
    ------
    OptionError
        If there is no such network, or it takes none up to 512 pixels.

    Examples
    --------
    >>> next_size("inception_v3", 32), next_size("resnet18", 32)
    (75, 32)
    """
    fitting = _next(find(name), least)
    if fitting is None:
        check(name, least)
        raise AssertionError(f"{name}: takes {least} pixels after all")
    return fitting


def _next(architecture: Architecture, least: int) -> int | None:
    """The smallest size from `least` on that a network takes, None if it takes none that is tried."""
    near = range(least, min(least + 16, MOST + 1))
    far = [size for size in range(least + 16, MOST + 1) if any(size % patch == 0 for patch in _PATCHES)]
    tried: list[int] = [*near, *far]
    place = next((place for place, size in enumerate(tried) if _refused(architecture, size) is None), None)
    if place is None:
        return None
    if place == 0 or _is_sized(architecture):  # the latter are made anew for each size, and for multiples
        return tried[place]
    between = range(tried[place - 1] + 1, tried[place] + 1)
    return next(size for size in between if _refused(architecture, size) is None)


@functools.lru_cache(maxsize=256)
def _refused(architecture: Architecture, size: int) -> str | None:
    """Why a network does not take images of a size, None if it does."""
    # Libraries raise whatever comes to hand where a size is impossible.
    try:
        network = _sketched(architecture, size if _is_sized(architecture) else None)
        with torch.no_grad():
            output = network(torch.zeros(2, 3, size, size, device="meta"))
    except Exception as error:
        return textwrap.shorten((str(error).splitlines() or [type(error).__name__])[0].rstrip("."), 120)
    if not isinstance(output, Tensor) or output.ndim not in (2, 4):
        return "it gives neither features nor maps"
    patch = _patch(network)
    if size % patch:
        return f"its patches of {patch} × {patch} pixels leave a rest"
    return None


@functools.lru_cache(maxsize=4)
def _sketched(architecture: Architecture, size: int | None) -> nn.Module:
    """A network without weights, as it is in training; `size` is None where it need not be known."""
    try:
        with torch.device("meta"):
            network = _built(architecture, size)
    except NotImplementedError:  # some read tables of numbers back that torch made for them
        with torch.device("cpu"):
            network = _built(architecture, size)
    return network.to("meta").train()


def _patch(network: nn.Module) -> int:
    """Side of the patches that a transformer cuts images into, 1 where there are none."""
    side = getattr(getattr(network, "patch_embed", None), "patch_size", 1)
    largest = max(side) if isinstance(side, tuple | list) else side
    return int(largest) if isinstance(largest, int) else 1


def _is_sized(architecture: Architecture) -> bool:
    """Whether a network is made for one size of image."""
    if architecture.library == "torchvision":
        return _SIZED.get(architecture.name.partition("_")[0]) is not None
    configuration = timm.models.get_pretrained_cfg(architecture.name)
    return configuration is not None and bool(configuration.fixed_input_size)


def _built(architecture: Architecture, size: int | None) -> nn.Module:
    """Build on the current device; `size` is needed only where the network is made for one."""
    name, sized = architecture.name, _is_sized(architecture)
    if architecture.library == "timm":
        known: dict[str, Any] = {"img_size": size} if sized else {}
        network: nn.Module = timm.create_model(name, pretrained=False, num_classes=0, **known)
        return network
    settings: dict[str, Any] = dict(_WITHOUT_AUXILIARY.get(name, {}))
    if sized:
        keyword = _SIZED[name.partition("_")[0]]
        settings[keyword] = (size, size) if keyword == "input_size" else size
    return _without_scores(torchvision.models.get_model(name, weights=None, **settings))


def _without_scores(network: nn.Module) -> nn.Module:
    """Take the layer of class scores out of one of torchvision's networks."""
    path = [
        path
        for path, layer in network.named_modules()
        if _SCORES in (getattr(layer, "out_features", None), getattr(layer, "out_channels", None))
    ][-1]
    parent, _, last = path.rpartition(".")
    network.get_submodule(parent).register_module(last, nn.Identity())
    return network
