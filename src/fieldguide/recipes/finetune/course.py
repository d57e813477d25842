"""How much of the network learns, how often and at which sizes: what the time allows, measured once."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from fieldguide.recipes.finetune.network import FineTuned
from fieldguide.recipes.finetune.presets import FinetunePreset
from fieldguide.recipes.finetune.task import usual_batch
from fieldguide.recipes.networks.images import Images
from fieldguide.recipes.networks.run import MOST_LEARNED

STAGES = ((0.6, 0.55), (1.0, 0.78))
"""Until which share of training images have which share of the side. What learns from three quarters of it
does best on the whole (Touvron et al., 2019), and takes 40 % less memory and time."""
SMALLEST, STEP = 128, 32
"""Sides in pixels: at least, and in steps of."""
FEWEST_PASSES = 4
"""All layers learn if there is time for so many passes, else the last ones."""
LAST_LAYERS = 0.4
"""Share of the network that learns where there is no time for all of it."""
LOOKS = 5
"""Times that the trained network looks at the images held out, to be mixed with what it started from."""
TIMED, TRIES = 8, 2
"""Images of a step that is timed, and how often."""


@dataclass(frozen=True)
class Course:
    """How a network learns, as the clock or a person decided."""

    layers: float
    """Share of the network that learns."""
    variants: int
    """Augmented variants of each image that frozen layers are run on; 0: images are augmented anew."""
    epochs: int
    """Passes, at most."""
    most_steps: int | None = None
    """Of a pass, where there is no time for all images in each."""
    stages: tuple[tuple[float, int], ...] = ()
    """Until which share of training images have which side in pixels; none: always the whole."""

    @classmethod
    def kept(cls, decided: Mapping[str, Any]) -> "Course":
        """Read what was kept as JSON."""
        stages = tuple((float(until), int(side)) for until, side in decided["stages"])
        return cls(**{**decided, "stages": stages})


@dataclass(frozen=True)
class Prices:
    """Seconds for one image, on this machine as it is now."""

    look: float
    """Forward, at the whole size."""
    step: Callable[[int], float]
    """Forward and back through all layers, at a side in pixels."""
    last_step: float
    """Forward and back through the last layers alone, at the whole size."""


def stages_for(size: int) -> tuple[tuple[float, int], ...]:
    """Choose the sides in pixels of growing images.

    Examples
    --------
    >>> stages_for(288)
    ((0.6, 160), (1.0, 224))
    >>> stages_for(128)
    ()
    """
    sides = [(until, max(SMALLEST, STEP * round(share * size / STEP))) for until, share in STAGES]
    return tuple((until, side) for until, side in sides if side < size)


def course_by_hand(preset: FinetunePreset, size: int, epochs: int) -> Course:
    """Where a person gave the passes: no clock decides."""
    layers = preset.layers or 1.0
    whole = layers >= 1
    return Course(
        layers, 0 if whole else min(preset.variants, epochs), epochs, stages=stages_for(size) if whole else ()
    )


def seconds_after(images: Images, prices: Prices) -> float:
    """Return the seconds that choosing among points and calibrating take once training is over."""
    return prices.look * (LOOKS * len(images.held) + min(len(images.learn), MOST_LEARNED))


def course_for(preset: FinetunePreset, images: Images, size: int, seconds: float, prices: Prices) -> Course:
    """Choose what learns, from all layers down, by what there is time for.

    Parameters
    ----------
    preset
        Its `layers`, where given, are not changed; its passes are the most.
    images
        Learned from and held out.
    size
        Side of the network's input in pixels.
    seconds
        That training may take.
    prices
        Measured.
    """
    learn, held = len(images.learn), len(images.held)
    stages = stages_for(size)
    if preset.layers is None or preset.layers >= 1:
        price = _mean_price(stages, size, prices.step)
        passes = min(preset.epochs, int(seconds / (learn * price + held * prices.look)))
        if passes >= FEWEST_PASSES:
            return Course(1.0, 0, passes, stages=stages)
        if preset.layers is not None:
            return Course(1.0, 0, FEWEST_PASSES, _steps(seconds, held * prices.look, price, learn), stages)
    layers = LAST_LAYERS if preset.layers is None else preset.layers
    part = prices.last_step / prices.step(size)
    for variants in range(max(preset.variants, 1), 0, -1):
        rest = seconds - prices.look * (variants * learn + held)
        passes = min(preset.epochs, int(rest / (learn * prices.last_step + held * prices.look * part)))
        if passes >= max(variants, FEWEST_PASSES) or (variants == 1 and passes >= 1):
            return Course(layers, min(variants, passes), passes)
    image = prices.look + prices.last_step
    return Course(layers, 0, FEWEST_PASSES, _steps(seconds, held * prices.look, image, learn))


def _steps(seconds: float, looking: float, image: float, learn: int) -> int:
    """Steps of a pass where a pass has no time for all images; at least one."""
    return max(1, int((seconds / FEWEST_PASSES - looking) / (usual_batch(learn) * image)))


def measured(whole: FineTuned, last: FineTuned, size: int) -> Prices:
    """Time a look and steps of a few grey images, each a few times; the least counts.

    Parameters
    ----------
    whole, last
        Two networks, all and the last of whose layers learn; they stay as they are.
    size
        Side of the network's input in pixels.
    """
    known: dict[int, float] = {}

    def step(side: int) -> float:
        if side not in known:
            known[side] = _least(lambda: _step(whole, whole.body.frozen_steps > 0, side))
        return known[side]

    with torch.no_grad():
        look = _least(lambda: whole(_grey(size)))
    frozen = last.body.frozen_steps > 0
    return Prices(look, step, _least(lambda: _step(last, frozen, size)) if frozen else step(size))


def _step(network: FineTuned, frozen: bool, side: int) -> float:
    inputs: tuple[torch.Tensor, ...] = (_grey(side),)
    if frozen:
        with torch.no_grad():
            inputs = network.body.first(*inputs)
    started = time.perf_counter()
    loss = nn.functional.cross_entropy(network(*inputs), torch.zeros(TIMED, dtype=torch.int64))
    torch.autograd.backward(loss)
    taken = time.perf_counter() - started
    network.zero_grad(set_to_none=True)
    return taken


def _grey(side: int) -> torch.Tensor:
    images = torch.zeros(TIMED, 3, side, side)
    return images.contiguous(memory_format=torch.channels_last)


def _least(work: Callable[[], Any]) -> float:
    """Seconds for an image; what the work returns as seconds, where it does, else what it took."""
    times = []
    for _ in range(1 + TRIES):
        started = time.perf_counter()
        own = work()
        times.append(own if isinstance(own, float) else time.perf_counter() - started)
    return min(times[1:]) / TIMED


def _mean_price(stages: tuple[tuple[float, int], ...], size: int, step: Callable[[int], float]) -> float:
    """Of an image in a pass, over all of training."""
    total, before = 0.0, 0.0
    for until, side in stages or ((1.0, size),):
        total += (until - before) * step(side)
        before = until
    return total
