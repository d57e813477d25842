"""A backbone as a torch module: uint8 pixels in, pooled features of several depths out."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from fieldguide.backbones.taps import Pooling, Taps

_POOL: dict[Pooling, Callable[[Tensor, tuple[int, ...]], Tensor]] = {"mean": torch.mean, "max": torch.amax}


@dataclass(frozen=True)
class _Tap:
    name: str
    """Of the module whose output is pooled."""
    width: int | None
    """Channels of that output; None where they are known to come first."""
    depth: float
    """Share of the network that lies before the module, 0 to 1."""


class TappedNetwork(nn.Module):
    """Normalises pixels, runs a timm network once and pools what chosen modules give.

    Parameters
    ----------
    network
        A timm network in inference mode.
    taps
        Which depths to pool and how.
    normalisation
        Mean and standard deviation of red, green and blue, on the scale 0 to 1.
    size
        Side of the input, in pixels.
    head
        Whether the network's own class scores are given too.
    """

    network: Any  # a timm network; nn.Module says nothing of forward_features and forward_head
    scale: Tensor
    shift: Tensor

    def __init__(
        self,
        network: nn.Module,
        taps: Taps,
        normalisation: tuple[tuple[float, ...], tuple[float, ...]],
        size: int,
        head: bool = False,
    ) -> None:
        super().__init__()
        self.network = network
        self.taps: Taps = taps
        self.size: int = size
        self.head: bool = head
        mean, std = (torch.tensor(values, dtype=torch.float64).view(1, 3, 1, 1) for values in normalisation)
        self.register_buffer("scale", (1 / (255 * std)).float())
        self.register_buffer("shift", (-mean / std).float())
        self._taken: dict[str, Tensor] = {}
        self._chosen: tuple[_Tap, ...] = ()
        self.depths: tuple[tuple[str, int], ...] = self._choose()

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """Map uint8 pixels of shape (batch, size, size, 3) to features, or to logits and features."""
        final, parts = self._run(pixels)
        features = torch.cat([parts[name] for name, _ in self.depths], dim=1)
        if not self.head:
            return (features,)
        return self.network.forward_head(final), features

    def passed(self) -> dict[str, Tensor]:
        """Pool what the taps have taken since the last call, by name: those of the layers that ran."""
        taps = [tap for tap in self._chosen if tap.name in self._taken]
        parts = {f"{tap.name}:{kind}": part for tap in taps for kind, part in self._pool(tap)}
        self._taken.clear()
        return parts

    def pool_final(self, final: Tensor) -> dict[str, Tensor]:
        """What the network's own classifier would see, and with "max" the maximum of the map behind it."""
        return dict(self._pool_final(final))

    def _run(self, pixels: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        final = self._forward_features(pixels)
        return final, {**self.passed(), **self.pool_final(final)}

    def _forward_features(self, pixels: Tensor) -> Tensor:
        images = pixels.permute(0, 3, 1, 2).float() * self.scale + self.shift
        result: Tensor = self.network.forward_features(images)
        return result

    def _pool(self, tap: _Tap) -> Iterator[tuple[str, Tensor]]:
        """Pool one tapped output over space; tokens before the patches give their class token too."""
        output = self._taken[tap.name]
        if output.ndim == 4:
            yield from self._pool_over(output, _space(output, tap.width))
            return
        tokens = self._normalised(output)
        prefix = _prefix_tokens(self.network, tokens.shape[1])
        if prefix:
            yield "class", tokens[:, 0]
        yield from self._pool_over(tokens[:, prefix:], (1,))

    def _pool_over(self, values: Tensor, axes: tuple[int, ...]) -> Iterator[tuple[str, Tensor]]:
        yield from ((kind, _POOL[kind](values, axes)) for kind in self.taps.pooling)

    def _pool_final(self, final: Tensor) -> Iterator[tuple[str, Tensor]]:
        for kind in self.taps.final_pooling:
            if kind == "mean":
                yield "final", self.network.forward_head(final, pre_logits=True)
            elif final.ndim == 4:
                yield f"final:{kind}", _POOL[kind](final, _space(final, self.network.num_features))

    def _normalised(self, tokens: Tensor) -> Tensor:
        # Inner blocks of a transformer have no norm of their own; its last one makes depths comparable
        # (as DINOv2's linear evaluation does, https://arxiv.org/abs/2304.07193).
        norm = getattr(self.network, "norm", None)
        return (
            norm(tokens)
            if isinstance(norm, nn.LayerNorm) and norm.normalized_shape == tokens.shape[-1:]
            else tokens
        )

    def _choose(self) -> tuple[tuple[str, int], ...]:
        """Hook the taps on, look at what they give for one image, and keep what is usable."""
        candidates = [tap for tap in find_taps(self.network) if tap.depth >= self.taps.since]
        for tap in candidates:
            self.network.get_submodule(tap.name).register_forward_hook(partial(self._keep, tap.name))
        image = torch.randint(
            0, 256, (1, self.size, self.size, 3), generator=torch.Generator().manual_seed(0)
        )
        with torch.inference_mode():
            self._forward_features(image)
            self._chosen = tuple(tap for tap in candidates if _poolable(self._taken.get(tap.name), tap))
            _, parts = self._run(image)
        limit = self.taps.channels * len(self.taps.pooling)
        depths = _narrowed([(name, part.shape[1]) for name, part in _without_repeats(parts).items()], limit)
        self._chosen = tuple(
            t for t in self._chosen if any(name.startswith(f"{t.name}:") for name, _ in depths)
        )
        return depths

    def _keep(self, name: str, module: nn.Module, arguments: Any, output: Any) -> None:
        # Hooked on as a bound method, not a closure: a deep copy of the network then keeps its own.
        self._taken[name] = output


def find_taps(network: nn.Module) -> list[_Tap]:
    """List the modules of a timm network that can be tapped, from input to output.

    Networks of the EfficientNet family give every block of every stage; others give what timm records as
    their feature levels: stages of convolutional networks, blocks of transformers.
    """
    blocks = getattr(network, "blocks", None)
    if hasattr(network, "conv_stem") and isinstance(blocks, nn.Sequential):
        return [
            _Tap(f"blocks.{stage}.{index}", None, stage / len(blocks))
            for stage, members in enumerate(blocks.children())
            for index, _ in enumerate(members.children())
        ]
    levels = [level for level in getattr(network, "feature_info", ()) if level.get("module")]
    return [_Tap(level["module"], level["num_chs"], i / len(levels)) for i, level in enumerate(levels)]


def _space(output: Tensor, width: int | None) -> tuple[int, int]:
    """The axes of height and width of a map; channels come first unless only the last axis fits them."""
    return (2, 3) if width is None or output.shape[1] == width else (1, 2)


def _prefix_tokens(network: nn.Module, tokens: int) -> int:
    """How many tokens stand before the patches; some networks add theirs only after the tapped block."""
    prefix = int(getattr(network, "num_prefix_tokens", 0) or 0)
    patches = tokens - prefix
    return prefix if patches > 0 and math.isqrt(patches) ** 2 == patches else 0


def _poolable(output: Any, tap: _Tap) -> bool:
    if not isinstance(output, Tensor) or output.ndim not in (3, 4):
        return False
    return (output.ndim == 4 and tap.width in (None, output.shape[1])) or output.shape[-1] == tap.width


def _without_repeats(parts: dict[str, Tensor]) -> dict[str, Tensor]:
    """Leave out the final vector where it repeats a tap, as a ResNet's repeats the mean of its last stage."""
    taps = [part for name, part in parts.items() if not name.startswith("final")]
    return {
        name: part
        for name, part in parts.items()
        if not name.startswith("final")
        or not any(part.shape == tap.shape and torch.allclose(part, tap, atol=1e-6) for tap in taps)
    }


def _narrowed(depths: list[tuple[str, int]], limit: int) -> tuple[tuple[str, int], ...]:
    """Drop the earliest parts while all together are wider than `limit`; the last always stays."""
    while len(depths) > 1 and sum(width for _, width in depths) > limit:
        depths = depths[1:]
    return tuple(depths)
