"""Reads the pickled part of torch's files of weights as data, without ever unpickling.

A pickle is a program for a small stack machine, and Python's runs whatever function it names. This reader
knows some thirty of its instructions and the handful of names that state dicts of tensors are made of; a
tensor becomes a note of where its numbers lie, and everything else is refused by its name.
"""

import math
import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

MAX_INSTRUCTIONS = 1_000_000

BFLOAT16 = "bfloat16"
STORAGES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "BFloat16Storage": BFLOAT16,
    "LongStorage": "<i8",
}
"""torch's kinds of storage → numpy's names of their elements, and torch's own where numpy has none."""


class NotTensors(Exception):
    """What a file holds besides tensors and plain values, in words."""


class Damaged(Exception):
    """What of a file is missing or contradicts itself, in words."""


@dataclass(frozen=True)
class Storage:
    """A run of numbers that lies elsewhere in the file."""

    key: str
    kind: str
    """One of the values of :data:`STORAGES`."""
    elements: int


@dataclass(frozen=True)
class StoredTensor:
    """A tensor as a view of a storage."""

    storage: Storage
    offset: int
    """Of its first element."""
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    """In elements."""


@dataclass(frozen=True)
class Pickled:
    """What a pickle says."""

    value: Any
    """Put together of dict, list, tuple, str, int, float, bool, None, :class:`Storage` and
    :class:`StoredTensor`; no tensor reaches beyond its storage."""
    storages: dict[str, Storage]
    """All storages by key."""


def itemsize(kind: str) -> int:
    """Bytes of a number of this kind."""
    return 2 if kind == BFLOAT16 else np.dtype(kind).itemsize


def read_pickle(stream: IO[bytes]) -> Pickled:
    """Read one pickle of plain values and tensors.

    Parameters
    ----------
    stream
        At the beginning of a pickle; afterwards at its end.

    Raises
    ------
    NotTensors
        If anything but tensors and plain values is named, called or asked for.
    Damaged
        If it is cut off, or no pickle.
    """
    machine = _Machine()
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
            if count > MAX_INSTRUCTIONS:
                raise NotTensors(f"a pickle of more than {MAX_INSTRUCTIONS:,} instructions")
            if opcode.name == "STOP":
                return Pickled(machine.stack.pop(), machine.storages)
            machine.step(opcode.name, argument)
    except (ValueError, IndexError, KeyError, TypeError, OverflowError) as error:
        raise Damaged(f"its pickle: {str(error)[:100] or type(error).__name__}") from error
    raise Damaged("its pickle has no end")


@dataclass(frozen=True)
class _Global:
    """Something that the pickle names, one of the few that are known; never imported."""

    name: str


class _Machine:
    """The stack machine of the pickle format, as far as state dicts need it."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        self.storages: dict[str, Storage] = {}

    def step(self, instruction: str, argument: Any) -> None:
        if instruction in _VALUES:
            self.stack.append(argument)
        elif instruction in _FRESH:
            self.stack.append(_FRESH[instruction]())
        elif instruction in _STEPS:
            _STEPS[instruction](self, argument)
        else:
            raise NotTensors(f"the instruction {instruction}")

    def mark(self, argument: Any) -> None:
        self._marks.append(len(self.stack))

    def memoize(self, argument: Any) -> None:
        self._memo[len(self._memo) if argument is None else argument] = self.stack[-1]

    def recall(self, argument: Any) -> None:
        self.stack.append(self._memo[argument])

    def name(self, argument: Any) -> None:
        module, _, name = argument.rpartition(" ")
        self._named(module, name)

    def name_from_stack(self, argument: Any) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self._named(module, name)

    def tuple_of(self, count: int) -> None:
        self.stack.append(tuple(self.last(count)))

    def tuple_from_mark(self, argument: Any) -> None:
        self.stack.append(tuple(self.since_mark()))

    def append(self, items: list[Any]) -> None:
        _expect(self.stack[-1], list, "a list").extend(items)

    def set_items(self, items: list[Any]) -> None:
        target = _expect(self.stack[-1], dict, "a dict")
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[_key(key)] = value

    def call(self, argument: Any) -> None:
        arguments, called = self.stack.pop(), self.stack.pop()
        if not isinstance(called, _Global) or called.name not in _CALLS:
            raise NotTensors(f"a call of {called.name if isinstance(called, _Global) else 'a value'}")
        self.stack.append(_CALLS[called.name](_expect(arguments, tuple, "arguments")))

    def set_state(self, argument: Any) -> None:
        """Attributes of a dict (a state dict's versions) or of a parameter: nothing that is needed."""
        self.stack.pop()
        _expect(self.stack[-1], (dict, StoredTensor), "a dict or tensor")

    def stored(self, argument: Any) -> None:
        """A storage: ("storage", kind, key, device, elements), in older files with a view, which is None."""
        kind, named, key, _, elements, *view = _expect(self.stack.pop(), tuple, "a storage")
        if kind != "storage" or not isinstance(named, _Global) or view not in ([], [None]):
            raise NotTensors("a persistent object that is not a plain storage")
        numbers = STORAGES.get(named.name.removeprefix("torch."))
        if numbers is None:
            raise NotTensors(f"a storage of {named.name}")
        storage = Storage(_expect(key, str, "a key"), numbers, _natural(elements))
        if self.storages.setdefault(storage.key, storage) != storage:
            raise Damaged(f"it describes its storage {storage.key!r} in two ways")
        self.stack.append(storage)

    def _named(self, module: Any, name: Any) -> None:
        full = f"{module}.{name}"[:200]
        if full not in _CALLS and not (module == "torch" and name in STORAGES):
            raise NotTensors(full)
        self.stack.append(_Global(full))

    def since_mark(self) -> list[Any]:
        return self.last(len(self.stack) - self._marks.pop())

    def last(self, count: int) -> list[Any]:
        if not 0 <= count <= len(self.stack):
            raise IndexError("its stack is empty")
        start = len(self.stack) - count
        taken = self.stack[start:]
        del self.stack[start:]
        return taken


def _ordered_dict(arguments: tuple[Any, ...]) -> dict[Any, Any]:
    """Python 2 wrote the items as an argument; Python 3 sets them one by one."""
    items = [_expect(item, (list, tuple), "an item") for item in arguments[0]] if arguments else []
    return {_key(key): value for key, value in items}


def _tensor(arguments: tuple[Any, ...]) -> StoredTensor:
    """Of what torch gives `_rebuild_tensor`, the first four; the others are about gradients."""
    storage, offset, shape, strides = arguments[:4]
    sides = tuple(_natural(side) for side in _expect(shape, tuple, "a shape"))
    steps = tuple(_natural(step) for step in _expect(strides, tuple, "strides"))
    tensor = StoredTensor(_expect(storage, Storage, "a storage"), _natural(offset), sides, steps)
    if len(sides) != len(steps) or len(sides) > _MAX_AXES:
        raise Damaged(f"a tensor has {len(sides)} axes and {len(steps)} strides")
    last = tensor.offset + sum((side - 1) * step for side, step in zip(sides, steps, strict=True))
    if math.prod(sides) > storage.elements or (0 not in sides and last >= storage.elements):
        raise Damaged(f"a tensor of shape {sides} reaches beyond its {storage.elements} numbers")
    return tensor


def _parameter(arguments: tuple[Any, ...]) -> StoredTensor:
    tensor: StoredTensor = _expect(arguments[0], StoredTensor, "a tensor")
    return tensor


def _expect(value: Any, kinds: type | tuple[type, ...], what: str) -> Any:
    if not isinstance(value, kinds):
        raise NotTensors(f"{type(value).__name__.lstrip('_')} where {what} belongs")
    return value


def _natural(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value < 2**48:
        raise Damaged("a size or offset is not a natural number")
    return value


def _key(value: Any) -> str | int:
    key: str | int = _expect(value, (str, int), "a name")
    return key


_MAX_AXES = 8
_CALLS: dict[str, Callable[[tuple[Any, ...]], Any]] = {
    "collections.OrderedDict": _ordered_dict,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": _parameter,
    "torch.nn.parameter.Parameter": _parameter,
}
"""What a state dict calls, by name, and what is done instead. The first version of `_rebuild_tensor` and
`Parameter` stand in files of before torch 0.4, among them torchvision's first."""

_INTEGERS = ("BININT", "BININT1", "BININT2", "LONG1")
_TEXTS = ("BINUNICODE", "SHORT_BINUNICODE", "BINSTRING", "SHORT_BINSTRING")
_VALUES = frozenset((*_INTEGERS, *_TEXTS, "BINFLOAT"))
"""Instructions whose argument is a value."""
_FRESH: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
}
_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    "PROTO": lambda machine, _: None,
    "FRAME": lambda machine, _: None,
    "MARK": _Machine.mark,
    "BINPUT": _Machine.memoize,
    "LONG_BINPUT": _Machine.memoize,
    "MEMOIZE": _Machine.memoize,
    "BINGET": _Machine.recall,
    "LONG_BINGET": _Machine.recall,
    "GLOBAL": _Machine.name,
    "STACK_GLOBAL": _Machine.name_from_stack,
    "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2),
    "TUPLE3": lambda machine, _: machine.tuple_of(3),
    "TUPLE": _Machine.tuple_from_mark,
    "APPEND": lambda machine, _: machine.append(machine.last(1)),
    "APPENDS": lambda machine, _: machine.append(machine.since_mark()),
    "SETITEM": lambda machine, _: machine.set_items(machine.last(2)),
    "SETITEMS": lambda machine, _: machine.set_items(machine.since_mark()),
    "REDUCE": _Machine.call,
    "BUILD": _Machine.set_state,
    "BINPERSID": _Machine.stored,
}
