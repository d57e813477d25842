"""A pretrained network in two parts: layers that stay as they are, and layers that go on learning.

What the first part makes of an image never changes, so it need be computed only once; the second part is what
training runs. Batch normalisation keeps its statistics and dropout stays off in both: batches of a few dozen
images, of one kind of photo, measure a mean and a variance worse than the million photos before did.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from fieldguide.backbones.timm_networks.tapped_network import TappedNetwork

Steps = tuple[tuple[str, ...], ...]
"""A network as a sequence of steps, each the names of modules or methods that follow each other."""
SHARED = "norm"
"""A transformer's last norm, which taps of all its blocks share."""
TOLERANCE = 1e-5


def steps_of(network: nn.Module, size: int) -> Steps | None:
    """Write a timm network's ``forward_features`` as a sequence of steps.

    Known are networks built like EfficientNet or MobileNet, ResNet, Inception V3, ConvNeXt and
    ViT. Whether the sequence
    gives the same as the network is tried on one image.

    Parameters
    ----------
    network
        In inference mode.
    size
        Side of its input in pixels.

    Returns
    -------
    tuple or None
        None if the network is built in another way.
    """
    steps = _candidate(network)
    if steps is None:
        return None
    image = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        whole: Tensor = network.forward_features(image)  # type: ignore[operator]
        parts = run_steps(network, steps, image)
    alike = whole.shape == parts.shape and torch.allclose(whole, parts, rtol=TOLERANCE, atol=TOLERANCE)
    return steps if alike else None


def run_steps(network: nn.Module, steps: Steps, values: Tensor) -> Tensor:
    """Pass values through some consecutive steps."""
    for step in steps:
        for name in step:
            values = _named(network, name)(values)
    return values


def _candidate(network: nn.Module) -> Steps | None:
    if hasattr(network, "conv_stem"):  # EfficientNet; MobileNetV3 has its last convolution behind the pooling
        last = _present(network, "conv_head", "bn2") if hasattr(network, "bn2") else ()
        return (("conv_stem", "bn1"), *_members(network, "blocks"), *((last,) if last else ()))
    if hasattr(network, "layer4"):
        stages = tuple((name,) for name in _present(network, "layer1", "layer2", "layer3", "layer4"))
        return (_present(network, "conv1", "bn1", "act1", "maxpool"), *stages)
    if hasattr(network, "Mixed_7c"):  # Inception V3
        return _inception(network)
    if hasattr(network, "stages") and hasattr(network, "stem"):
        return (("stem",), *_members(network, "stages"), _present(network, "norm_pre"))
    if hasattr(network, "_pos_embed") and hasattr(network, "blocks"):
        first = _present(network, "patch_embed", "_pos_embed", "patch_drop", "norm_pre")
        return (first, *_members(network, "blocks"), (SHARED,))
    return None


def _inception(network: nn.Module) -> Steps:
    names = [name for name, _ in network.named_children() if name.startswith(("Conv2d_", "Pool", "Mixed_"))]
    start = next(place for place, name in enumerate(names) if name.startswith("Mixed_"))
    return (tuple(names[:start]), *((name,) for name in names[start:]))


def _present(network: nn.Module, *names: str) -> tuple[str, ...]:
    return tuple(name for name in names if hasattr(network, name))


def _members(network: nn.Module, name: str) -> Steps:
    return tuple((f"{name}.{index}",) for index, _ in network.get_submodule(name).named_children())


def _named(network: nn.Module, name: str) -> Callable[[Tensor], Tensor]:
    found: Any = getattr(network, name) if "." not in name else network.get_submodule(name)
    return found  # type: ignore[no-any-return]


class InFloat32:
    """Mixed into a convolution: on a CPU it works in float32, whatever the precision around it."""

    def forward(self, values: Tensor) -> Tensor:
        """Convolve; what comes in bfloat16 goes out in it."""
        whole: Callable[[Tensor], Tensor] = super().forward  # type: ignore[misc]
        if values.device.type != "cpu" or not torch.is_autocast_enabled("cpu"):
            return whole(values)
        with torch.autocast("cpu", enabled=False):
            return whole(values.float()).to(values.dtype)


def depthwise_in_float32(network: nn.Module) -> None:
    """Have a network's depthwise convolutions work in float32 on CPUs.

    Their forward pass takes as long as in bfloat16 there, their gradients a fourth to a twelfth of the time
    (docs/log.md).
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.groups == module.in_channels > 1:
            kind = type(module)
            module.__class__ = type(f"{kind.__name__}InFloat32", (InFloat32, kind), {})


class Adapted(nn.Module):
    """A backbone from normalised images to features, some of its first steps frozen.

    Parameters
    ----------
    tapped
        The backbone.
    trained
        Share of its steps that learns, more than 0 and at most 1; where the steps are not known, all of it
        learns.
    """

    def __init__(self, tapped: TappedNetwork, trained: float) -> None:
        super().__init__()
        self.tapped = tapped
        self.steps: Steps | tuple[()] = steps_of(tapped.network, tapped.size) or ()
        tapped.passed()  # forget what the taps took of the image that was tried
        learning = max(1, round(trained * len(self.steps)))
        self.frozen_steps: int = max(0, len(self.steps) - learning)
        depthwise_in_float32(tapped.network)
        tapped.requires_grad_(requires_grad=False)
        for parameter in self._learning():
            parameter.requires_grad_(True)

    def train(self, mode: bool = True) -> "Adapted":
        """Stay in inference mode: statistics of batch normalisation are not learned, nothing is dropped."""
        return super().train(mode=False)

    def forward(self, images: Tensor) -> Tensor:
        """Map normalised images (batch, 3, size, size) to features (batch, n_features)."""
        final = self.tapped.network.forward_features(images)
        return self._joined({**self.tapped.passed(), **self.tapped.pool_final(final)})

    def first(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Run the frozen steps.

        Returns
        -------
        tuple of tensors
            What the other steps start from, and the features that stand already (batch, n_early).
        """
        values = run_steps(self.tapped.network, self.steps[: self.frozen_steps], images)
        early = self.tapped.passed()
        return values, self._joined(early) if early else values.new_zeros((len(values), 0))

    def rest(self, values: Tensor, early: Tensor) -> Tensor:
        """Run the learning steps on what :meth:`first` gave, to all features."""
        final = run_steps(self.tapped.network, self.steps[self.frozen_steps :], values)
        late = self._joined({**self.tapped.passed(), **self.tapped.pool_final(final)})
        return torch.cat([early.to(late.dtype), late], dim=1)

    def _joined(self, parts: dict[str, Tensor]) -> Tensor:
        return torch.cat([parts[name] for name, _ in self.tapped.depths if name in parts], dim=1)

    def _learning(self) -> Sequence[nn.Parameter]:
        if not self.frozen_steps:
            return list(self.tapped.network.parameters())
        # The shared norm also makes features of frozen blocks, which are computed only once.
        names = [name for step in self.steps[self.frozen_steps :] for name in step if name != SHARED]
        return [value for name in names for value in self.tapped.network.get_submodule(name).parameters()]

    def summary(self) -> str:
        """A sentence on what learns."""
        if not self.frozen_steps:
            return "all layers learn"
        of = len(self.steps)
        return f"the last {of - self.frozen_steps} of {of} stages learn, the others stay as they are"
