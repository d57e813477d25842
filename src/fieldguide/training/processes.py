"""Processes that train one network together: what they tell each other.

The first leads. It alone reads the data, decides, validates and writes; the others are given the images once,
work on their share of every batch, and end with it. What they are told is numbers, text and arrays, of which
nothing is ever executed.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import distributed

from fieldguide.large_arrays import in_file
from fieldguide.training.devices import Place
from fieldguide.training.share import BatchShare

PATIENCE = timedelta(days=7)
"""For what another process is to say: the first may take hours over its photos. One that ends is noticed at
once, by its connection."""
IN_MEMORY_BYTES = 1_000_000_000
BLOCK_BYTES = 1 << 26
"""Of an array that are sent at once."""


@dataclass(frozen=True)
class TaskDescription:
    """What a process needs to make the task that another one has."""

    recipe: str
    """A key of :data:`fieldguide.recipes.RECIPES`."""
    facts: Mapping[str, Any]
    """Whatever JSON can say; the recipe reads it."""
    arrays: Mapping[str, NDArray[Any]]
    """What else it needs, such as the pixels."""


class Processes:
    """A process among those that train together.

    Parameters
    ----------
    place
        Which it is, of how many; None: it is alone.
    """

    def __init__(self, place: Place | None = None) -> None:
        self.place: Place = place or Place()
        self.are_left: bool = False
        """Whether the first process stopped in the middle of a step, of which others still wait."""

    @property
    def leads(self) -> bool:
        """Whether it reads, decides and writes."""
        return self.place.rank == 0

    @property
    def alone(self) -> bool:
        """Whether there are no others."""
        return self.place.size == 1

    @property
    def share(self) -> BatchShare:
        """Its share of every batch."""
        return BatchShare(self.place.rank, self.place.size)

    def meet(self, where: str) -> None:
        """Wait until all are there.

        Parameters
        ----------
        where
            A URL as torch's ``init_process_group`` takes it.
        """
        if self.place.on_gpu:
            torch.cuda.set_device(self.place.local_rank)
        distributed.init_process_group(
            "cpu:gloo,cuda:nccl" if self.place.on_gpu else "gloo",
            init_method=where,
            rank=self.place.rank,
            world_size=self.place.size,
            timeout=PATIENCE,
        )

    def part(self) -> None:
        """Leave the others; they notice."""
        if distributed.is_initialized():
            distributed.destroy_process_group()

    def mean(self, value: float) -> float:
        """The mean over all processes, the same number in each."""
        if self.alone:
            return value
        total = torch.tensor([value], dtype=torch.float64)
        distributed.all_reduce(total)
        return float(total) / self.place.size

    def agreed(self, value: bool) -> bool:
        """What the first process says."""
        return value if self.alone else self.told(bytes([value])) == b"\x01"

    def told(self, content: bytes) -> bytes:
        """What the first process says; what others give is not heard."""
        if self.alone:
            return content
        length = torch.tensor([len(content)])
        distributed.broadcast(length, 0)
        heard = np.zeros(int(length), np.uint8)
        if self.leads:
            heard[:] = np.frombuffer(content, np.uint8)
        self._filled(heard)
        return heard.tobytes()

    def told_json(self, value: Any) -> Any:
        """The same of anything that JSON can say."""
        return value if self.alone else json.loads(self.told(json.dumps(value).encode()))

    def told_task(
        self, described: TaskDescription | None, folder: Path | None = None
    ) -> TaskDescription | None:
        """The task of the first process; None where there is no more to do.

        Parameters
        ----------
        described
            Of the first process; what others give is not heard.
        folder
            Where arrays may lie that are too large for memory.
        """
        said = b""
        if described is not None:
            shapes = {name: [array.shape, array.dtype.str] for name, array in described.arrays.items()}
            said = json.dumps([described.recipe, described.facts, shapes]).encode()
        said = self.told(said)
        if not said:
            return None
        recipe, facts, shapes = json.loads(said)
        if self.leads and described is not None:
            for array in described.arrays.values():
                self._filled(array)
            return described
        arrays = {name: _room(tuple(shape), np.dtype(kind), folder) for name, (shape, kind) in shapes.items()}
        return TaskDescription(recipe, facts, {name: self._filled(array) for name, array in arrays.items()})

    def _filled(self, array: NDArray[Any]) -> NDArray[Any]:
        """Send the first process's array into those of the others, a block after the other."""
        flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        for start in range(0, len(flat), BLOCK_BYTES):
            block = torch.from_numpy(np.array(flat[start : start + BLOCK_BYTES]))
            distributed.broadcast(block, 0)
            if not self.leads:
                flat[start : start + BLOCK_BYTES] = block.numpy()
        return array


ALONE = Processes()
_USED: ContextVar[Processes] = ContextVar("processes", default=ALONE)


@contextlib.contextmanager
def used(processes: Processes) -> Iterator[None]:
    """Have whatever trains within the ``with`` block train on these processes."""
    token = _USED.set(processes)
    try:
        yield
    finally:
        _USED.reset(token)


def in_use() -> Processes:
    """The processes of :func:`used`, or this one alone."""
    return _USED.get()


def _room(shape: tuple[int, ...], kind: np.dtype[Any], folder: Path | None) -> NDArray[Any]:
    if int(np.prod(shape)) * kind.itemsize <= IN_MEMORY_BYTES:
        return np.zeros(shape, kind)
    return in_file(shape, kind, folder, "images")


def of_connections(error: RuntimeError) -> bool:
    """Whether gloo or NCCL say that another process cannot be reached any more."""
    return any(word in str(error).lower() for word in ("connection", "gloo", "nccl"))
