"""A network as a table: which layers, what each gives, its parameters and multiply-adds.

Looked at on torch's device `meta`, which computes shapes and nothing else: any network takes a fraction of a
second and no memory.
"""

import copy
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from fieldguide.recipes.cnn.layer_rows import LayerRow, LayerTable
from fieldguide.recipes.cnn.layers import is_name, sketched_network, words_of

MOST_ROWS = 24
"""Of a table in stages: what a screen shows."""
SCORES = "scores"
"""Name of the layer of class scores."""
_SEQUENCES = (nn.Sequential, nn.ModuleList)


def layer_table(
    architecture: str | nn.Module, size: int, classes: int | None = None, *, whole: bool = False
) -> LayerTable:
    """Describe a network.

    Parameters
    ----------
    architecture
        A name, a list of layers or a module, as :func:`fieldguide.recipes.cnn.layers.own_network` takes it.
    size
        Side of the images in pixels.
    classes
        How many the layer of class scores is for; without, it is left out.
    whole
        Each layer by itself, instead of stages that a screen shows.

    Raises
    ------
    OptionError
        If there is no such network, or it does not take images of that size.

    Examples
    --------
    >>> table = layer_table("conv 8, pool, dense 4", 32, classes=2)
    >>> table.features, table.parameters
    (4, 278)
    >>> [(row.kind, row.output) for row in table.rows][-1]
    ('Linear', (2,))
    """
    words: tuple[tuple[str, int], ...] = ()
    name = type(architecture).__name__ if isinstance(architecture, nn.Module) else architecture.strip()
    if isinstance(architecture, nn.Module):
        architecture = copy.deepcopy(architecture).to("meta")
    elif not is_name(architecture):
        words = words_of(architecture)
    body, features = sketched_network(architecture, size)
    network = nn.Sequential()
    network.add_module("body", body)
    if classes is not None:
        network.add_module(SCORES, nn.Linear(features, classes, device="meta"))
    looked = _Look(network, size)
    parts = looked.leaves() if whole else looked.words(words) if words else looked.stages()
    return LayerTable(
        name, tuple(looked.rows(parts)), size, features, looked.parameters, looked.multiply_adds("")
    )


@dataclass(frozen=True)
class _Part:
    """What becomes a row: modules that follow each other, or the parameters that a module holds itself."""

    paths: tuple[str, ...]
    own: bool = False
    label: str | None = None


class _Look:
    """One look of a network at one image, with what each of its modules gave and cost."""

    def __init__(self, network: nn.Module, size: int) -> None:
        self._learned = {id(value) for value in network.parameters() if value.requires_grad}
        # The counter follows gradients where there are any, and stumbles over some networks' views.
        self._network = network.eval().requires_grad_(False)
        self._shapes: dict[str, tuple[int, ...]] = {}
        named = [(name, module) for name, module in network.named_modules() if name]
        hooks = [module.register_forward_hook(self._hook(name)) for name, module in named]
        with FlopCounterMode(display=False) as counted, torch.no_grad(), torch.device("meta"):
            network(torch.zeros(1, 3, size, size))
        for hook in hooks:
            hook.remove()
        self._counts = counted.get_flop_counts()
        self._places = {name: place for place, name in enumerate(self._shapes)}

    @property
    def parameters(self) -> int:
        """All that is learned."""
        return sum(value.numel() for value in self._network.parameters() if id(value) in self._learned)

    def multiply_adds(self, path: str) -> int:
        """Of a module and all within it, in one image; the network's own path is empty."""
        full = ".".join(filter(None, (type(self._network).__name__, path)))
        if path and path not in self._shapes:  # a list of modules is never called itself
            return sum(self.multiply_adds(f"{path}.{name}") for name, _ in self._children(path))
        # The counter counts a multiplication and an addition as two.
        return int(sum(self._counts.get(full, {}).values())) // 2

    def leaves(self) -> list[_Part]:
        """Each layer."""
        found: list[_Part] = []
        for path in [name for name, _ in self._network.named_modules()]:
            inner = self._inner(path)
            found += [part for part in inner if part.own or not self._children(part.paths[0])]
        return self._ordered(found)

    def stages(self) -> list[_Part]:
        """As many parts as a screen shows: sequences are opened as long as all of them fit."""
        parts = self._inner("")
        while True:
            opened = self._ordered([inner for part in parts for inner in self._opened(part, len(parts) == 1)])
            if opened == parts:
                return parts
            if len(opened) > MOST_ROWS:
                return self._in_runs(parts)
            parts = opened

    def words(self, words: Sequence[tuple[str, int]]) -> list[_Part]:
        """A part for each word of a list of layers, and one for what follows."""
        body = "body.0" if isinstance(self._module("body.0"), nn.Sequential) else "body"
        layers = [f"{body}.{name}" for name, _ in self._children(body)]
        parts = []
        for word, count in words:
            parts.append(_Part(tuple(layers[:count]), label=word))
            layers = layers[count:]
        if body == "body.0":
            parts.append(_Part(("body.1",), label="average"))
        return parts + [part for part in self._inner("") if part.paths == (SCORES,)]

    def rows(self, parts: Sequence[_Part]) -> Iterator[LayerRow]:
        """What is shown of each part; parameters that several share are counted in the first."""
        counted: set[int] = set()
        for part in parts:
            values = {id(value): value.numel() for value in self._values(part) if id(value) in self._learned}
            parameters = sum(count for key, count in values.items() if key not in counted)
            counted |= set(values)
            cost = 0 if part.own else sum(self.multiply_adds(path) for path in part.paths)
            output = None if part.own else self._shape(part.paths[-1])
            yield LayerRow(self._label(part), self._kind(part), output, parameters, cost)

    def _hook(self, name: str) -> Any:
        def look(module: nn.Module, given: Any, output: Any) -> None:
            first = next((one for one in _flat(output) if isinstance(one, Tensor)), None)
            if first is not None:
                self._shapes.setdefault(name, tuple(first.shape[1:]))

        return look

    def _module(self, path: str) -> nn.Module | None:
        return dict(self._network.named_modules()).get(path)

    def _children(self, path: str) -> list[tuple[str, nn.Module]]:
        module = self._module(path)
        return list(module.named_children()) if module is not None else []

    def _inner(self, path: str) -> list[_Part]:
        """The parts of a module, but for those that do nothing."""
        module = self._network.get_submodule(path)
        own = [_Part((path,), own=True)] if list(module.parameters(recurse=False)) else []
        if not self._children(path):
            return []
        named = [(".".join(filter(None, (path, name))), child) for name, child in self._children(path)]
        return own + [_Part((name,)) for name, child in named if not self._is_nothing(name, child)]

    def _is_nothing(self, path: str, module: nn.Module) -> bool:
        if next(module.parameters(), None) is not None:
            return False
        return isinstance(module, nn.Identity) or self._shape(path) is None

    def _opened(self, part: _Part, alone: bool) -> list[_Part]:
        sequence = alone or part.paths == ("body",) or isinstance(self._module(part.paths[0]), _SEQUENCES)
        inner = self._inner(part.paths[0]) if sequence and not part.own else []
        return inner or [part]

    def _in_runs(self, parts: list[_Part]) -> list[_Part]:
        """Open sequences that change height and width into runs that do not, where these fit."""
        for part in parts:
            if part.own or not isinstance(self._module(part.paths[0]), _SEQUENCES):
                continue
            inner = [one.paths[0] for one in self._inner(part.paths[0])]
            runs = itertools.groupby(inner, lambda path: (self._shape(path) or ())[1:])
            opened = [_Part(tuple(run)) for _, run in runs]
            if len(parts) + len(opened) - 1 <= MOST_ROWS and len(opened) > 1:
                place = parts.index(part)
                parts = [*parts[:place], *opened, *parts[place + 1 :]]
        return parts

    def _ordered(self, parts: list[_Part]) -> list[_Part]:
        """As an image meets them; what a module holds itself comes first."""
        return sorted(parts, key=lambda part: (self._place(part.paths[0]), not part.own))

    def _place(self, path: str) -> int:
        """When a module gives its first result; one that is never called has the place of what holds it."""
        inside = [
            place for name, place in self._places.items() if not path or f"{name}.".startswith(f"{path}.")
        ]
        return min(inside) if inside else self._place(path.rpartition(".")[0])

    def _shape(self, path: str) -> tuple[int, ...] | None:
        if path in self._shapes:
            return self._shapes[path]
        return next(
            (self._shapes[name] for name in reversed(self._shapes) if name.startswith(f"{path}.")), None
        )

    def _values(self, part: _Part) -> Iterator[nn.Parameter]:
        for path in part.paths:
            yield from self._network.get_submodule(path).parameters(recurse=not part.own)

    def _label(self, part: _Part) -> str:
        if part.label is not None:
            return part.label
        first, last = part.paths[0], part.paths[-1]
        if part.own:
            module = self._network.get_submodule(first)
            names = ", ".join(name for name, _ in module.named_parameters(recurse=False))
            return ".".join(filter(None, (_short(first), names)))
        return _short(first) if first == last else f"{_short(first)} to {last.rpartition('.')[2]}"

    def _kind(self, part: _Part) -> str:
        if part.own:
            return "parameters"
        kinds = [type(self._network.get_submodule(path)).__name__ for path in part.paths]
        return ", ".join(dict.fromkeys(kinds))


def _short(path: str) -> str:
    return path.removeprefix("body").removeprefix(".")


def _flat(output: Any) -> Iterator[Any]:
    """What a module gave, where it gave several."""
    if isinstance(output, dict):
        output = tuple(output.values())
    if isinstance(output, tuple | list):
        for one in output:
            yield from _flat(one)
    else:
        yield output
