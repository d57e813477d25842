"""How far the weights of each stage of a network moved while it learned."""

from collections.abc import Iterator, Mapping

from torch import Tensor, nn

from fieldguide.recipes.training_outcome import StageMovement

MOST_STAGES = 16
"""Sequences of layers are taken apart, unless there were more stages than these."""
DIGITS = 4
"""Kept, so that the order in which a machine adds up decides nothing that is written."""
CLASSIFIER = "classifier"


def beginning_of(network: nn.Module) -> dict[str, Tensor]:
    """Copy the weights and buffers of a network that is about to learn."""
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def movements(
    network: nn.Module, body: nn.Module, beginning: Mapping[str, Tensor]
) -> tuple[StageMovement, ...]:
    """Compare the weights of each stage with where they began.

    Parameters
    ----------
    network
        After training.
    body
        The part of it whose stages are told apart; parameters elsewhere are the classifier's.
    beginning
        From :func:`beginning_of`, of the same network.

    Returns
    -------
    tuple of StageMovement
        From early to late, without stages that have no weights, or that began with all of them zero.
    """
    stages = [(name, list(map(id, parameters))) for name, parameters in _stages(body)]
    stage_of = {number: name for name, numbers in stages for number in numbers}
    squares = {name: [0.0, 0.0] for name in (*(name for name, _ in stages), CLASSIFIER)}
    for name, value in network.named_parameters():
        before = beginning[name].detach().cpu().double()
        sums = squares[stage_of.get(id(value), CLASSIFIER)]
        sums[0] += float((value.detach().cpu().double() - before).square().sum())
        sums[1] += float(before.square().sum())
    return tuple(
        StageMovement(name, float(f"{(moved / length) ** 0.5:.{DIGITS}g}"))
        for name, (moved, length) in squares.items()
        if length > 0
    )


def _stages(body: nn.Module) -> Iterator[tuple[str, list[nn.Parameter]]]:
    """Names and parameters of the parts of a network, in their order."""
    parts: list[tuple[str, nn.Module]] = [("", body)]
    while True:
        opened = [part for name, module in parts for part in _opened(name, module, body)]
        same = [name for name, _ in opened] == [name for name, _ in parts]
        if same or (len(opened) > MOST_STAGES and parts[0][1] is not body):
            break
        parts = opened
    inside = {id(value) for _, module in parts for value in module.parameters()}
    own = [(name, [value]) for name, value in body.named_parameters() if id(value) not in inside]
    yield from own
    for name, module in parts:
        if any(True for _ in module.parameters()):
            yield (f"layer {name}" if name.isdigit() else name or "body"), list(module.parameters())


def _opened(name: str, module: nn.Module, body: nn.Module) -> list[tuple[str, nn.Module]]:
    """The parts of a sequence, or of the whole; anything else is one stage."""
    children = list(module.named_children())
    if not children or not (module is body or isinstance(module, nn.Sequential | nn.ModuleList)):
        return [(name, module)]
    return [(f"{name}.{child}" if name else child, part) for child, part in children]
