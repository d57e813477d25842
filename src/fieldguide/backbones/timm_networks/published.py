"""A timm network with the weights of any publisher: renamed, and computed as the publisher does.

The tables of `backbones/plain` know under which names timm and others keep the same layers, and what others
do otherwise: Keras pads at the end, say, and has another epsilon in its batch norms.
"""

from functools import partial
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional

from fieldguide.backbones.plain.build import form_of, publisher_of, told_otherwise
from fieldguide.backbones.plain.catalogue import ARCHITECTURES, Published
from fieldguide.backbones.plain.form import NetworkForm
from fieldguide.backbones.plain.graph import padded
from fieldguide.backbones.plain.inception import InceptionV3
from fieldguide.backbones.plain.inverted_residual import InvertedResiduals
from fieldguide.backbones.plain.layers import Layers, WeightLayout
from fieldguide.backbones.plain.names import architecture_of
from fieldguide.backbones.plain.residual import ResidualNetwork
from fieldguide.backbones.plain.tapped import Network
from fieldguide.backbones.plain.weights import read_weights
from fieldguide.errors import BackboneError

FULL_HIDDEN = 4096
"""Outputs of VGG's linear layers as published."""


def build_published(timm_name: str, weights: Path) -> nn.Module:
    """Build a network that `backbones/plain` has a table of, with the weights of a file.

    Raises
    ------
    BackboneError
        If the file cannot be read or does not fit, naming the first tensor that does not.
    """
    architecture = str(architecture_of(timm_name))
    state = read_weights(weights)
    names = frozenset(state)
    published = publisher_of(ARCHITECTURES[architecture], names)
    layers = Layers(state, published.layout, weights, architecture)
    del state  # layers lets go what is taken, to spare memory
    network = create_published(timm_name, form_of(published.layout.publisher, layers))
    timms = ARCHITECTURES[architecture][0].layout
    try:
        network.load_state_dict(_renamed(network.state_dict(), timms, layers))
        layers.finish()
    except BackboneError as error:
        raise told_otherwise(error, architecture, names) from error
    return network


def create_published(timm_name: str, form: NetworkForm) -> nn.Module:
    """Create such a network, its weights still to be filled in."""
    own, *others = ARCHITECTURES[str(architecture_of(timm_name))]
    vgg = timm_name.startswith("vgg")
    options: dict[str, Any] = {"mlp_ratio": form.hidden / FULL_HIDDEN} if vgg and form.hidden else {}
    network: Any = timm.create_model(timm_name, num_classes=form.classes, **options)
    if vgg and not form.hidden:
        network.pre_logits = nn.Identity()
    theirs = next((one for one in others if one.layout.publisher == form.publisher), own)
    _vary(network, own, theirs)
    return network  # type: ignore[no-any-return]


def _renamed(target: dict[str, Tensor], timms: WeightLayout, layers: Layers) -> dict[str, Tensor]:
    """The file's tensors under the names that timm has for them; what timm has no place for is folded in."""
    state = {name: tensor for name, tensor in target.items() if name.endswith("num_batches_tracked")}
    for place, names in timms.names.items():
        weight, bias = f"{names.layer}.weight", f"{names.layer}.bias"
        if weight not in target:
            continue
        kernel = layers.kernel(place, tuple(target[weight].shape), 0.0, bias=None)
        state[weight] = _tensor(kernel.weight)
        if bias in target:
            none = torch.zeros_like(target[bias])
            state[bias] = none if kernel.bias is None else _tensor(kernel.bias)
        if kernel.norm is None:
            continue
        norm = kernel.norm
        # A norm's mean is subtracted: less of it adds the bias that Keras's convolutions have before it.
        mean = norm.mean if bias in target or kernel.bias is None else norm.mean - kernel.bias
        words = {"weight": norm.scale, "bias": norm.shift, "running_mean": mean, "running_var": norm.variance}
        state |= {f"{names.norm}.{word}": _tensor(values) for word, values in words.items()}
    return state


def _tensor(values: Any) -> Tensor:
    return torch.from_numpy(values.copy())


def _vary(network: nn.Module, own: Published, theirs: Published) -> None:
    """Have a network compute as another publisher's does."""
    ours, other = own.network, theirs.network
    _set_epsilon(network, ours, other)
    if isinstance(other, InvertedResiduals) and isinstance(ours, InvertedResiduals):
        stem = other.stem_padding or other.padding
        for name, module in network.named_modules():
            padding = stem if name == "conv_stem" else other.padding
            if isinstance(module, nn.Conv2d) and max(module.stride) > 1 and padding != ours.padding:
                module.padding = (0, 0)
                module.register_forward_pre_hook(partial(_pad, padding))
    elif isinstance(other, ResidualNetwork) and isinstance(ours, ResidualNetwork):
        if other.stride_first != ours.stride_first:
            _move_strides(network)
    elif isinstance(other, InceptionV3) and not other.margin_counts:
        for name, module in network.named_modules():
            if name.endswith(".branch_pool"):
                module.register_forward_pre_hook(_leave_margin_out)


def _set_epsilon(network: nn.Module, ours: Network, other: Network) -> None:
    epsilon: float = getattr(other, "epsilon")  # noqa: B009 - every family has one
    if epsilon != getattr(ours, "epsilon"):  # noqa: B009
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eps = epsilon


def _move_strides(network: nn.Module) -> None:
    """Have bottlenecks take their stride in the first convolution instead of the second."""
    for block in network.modules():
        first, second = getattr(block, "conv1", None), getattr(block, "conv2", None)
        if isinstance(first, nn.Conv2d) and isinstance(second, nn.Conv2d):
            first.stride, second.stride = second.stride, first.stride


def _pad(padding: str, module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Add rows and columns of zeros as :func:`fieldguide.backbones.plain.graph.padded` says."""
    (given,) = inputs
    kernel, stride = module.kernel_size[0], module.stride[0]  # type: ignore[index]
    rows, columns = (padded(side, kernel, stride, padding) for side in given.shape[-2:])  # type: ignore[arg-type]
    return (functional.pad(given, (*columns, *rows)),)


def _leave_margin_out(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Turn means over 3 × 3 places in which zeros around the map count into such in which they do not."""
    (means,) = inputs
    rows, columns = (_shares(side, means) for side in means.shape[-2:])
    return (means / (rows[:, None] * columns),)


def _shares(side: int, like: Tensor) -> Tensor:
    """Which share of the three places around each lies on the map, of shape (side,)."""
    shares = torch.ones(side, dtype=like.dtype, device=like.device)
    if side == 1:
        return shares / 3
    edge = torch.arange(side, device=like.device)
    return torch.where((edge == 0) | (edge == side - 1), shares * 2 / 3, shares)
