"""Reads Keras's files through h5py, layer by layer: those of weights, and the weights in ``.keras`` files.

``.h5`` files name the layers in an attribute, ``layer_names``, and the tensors of each in ``weight_names``;
``.weights.h5`` files (Keras 3) have a group ``vars`` for each layer, whose tensors are numbered, and count
layers by class: ``layers/conv2d_1/vars/0``. Most say the layer's own name there, too.

Layers that their network gives no name are counted by Keras, from the first layer of the session on: two
networks made one after the other differ in their names. So they are counted anew here, from zero.

HDF5 can point to other files and make much of little (links, external storage, virtual data sets,
compression). None of these is in a file that Keras writes, and all are refused.
"""

import contextlib
import importlib
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from numpy.typing import NDArray

from fieldguide.errors import BackboneError

Arrays = dict[str, NDArray[Any]]

_NORM = ("gamma", "beta", "moving_mean", "moving_variance")
_UNSCALED = _NORM[1:]
"""Of a batch norm without a scale."""
_STANDARDISED = ("mean", "variance", "count")
"""Of a layer that standardises pixels; it counts what it has learned from."""
_LINEAR = ("kernel", "bias")
_IN_ZIP = "model.weights.h5"
"""Where a ``.keras`` file has its weights."""
_COUNTED = re.compile(r"(conv2d|normalization|batch_normalization)(?:_(\d{1,9}))?")
"""What Keras calls layers that have no name; of numbers without end, Python makes none."""
COUNTED = "layers/"
"""Before the number of a layer in a file that says no names."""
_FOLDERS = ("layers", "_layer_checkpoint_dependencies")
"""Where the layers lie in ``.weights.h5``; the second in TensorFlow 2.12 and 2.13."""


class _Unreadable(Exception):
    """What is wrong with a file, in words."""


def read_keras(path: Path) -> Arrays:
    """Read the weights of a Keras model.

    Returns
    -------
    dict of str to ndarray
        By the layer's name and one of ``kernel``, ``bias``, ``gamma``, ``beta``, ``moving_mean`` and
        ``moving_variance``; ``mean`` and ``variance`` of a layer that standardises pixels. Where the file
        has no names, the layer is called by its class and number: ``layers/conv2d_1``.

    Raises
    ------
    BackboneError
        If h5py is missing, or the file is damaged, points to others, or holds no layers.
    """
    try:
        h5py = _h5py()
    except ImportError:
        raise BackboneError(f"{path}: h5py is needed to read it: pip install h5py") from None
    try:
        with _opened(path) as content, h5py.File(content, "r") as file:
            size = path.stat().st_size
            layers = {name: [_array(one, size) for one in found] for name, found in _layers(file)}
    except _Unreadable as reason:
        raise BackboneError(f"{path}: is not a weights file written by Keras ({reason})") from reason
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise BackboneError(
            f"{path}: is not a readable file of Keras ({type(error).__name__}); "
            "where it is cut off, fetch it again"
        ) from error
    names = _from_zero(layers)
    return {
        f"{names[layer]}.{word}": one for layer, found in layers.items() for word, one in _named(layer, found)
    }


def _from_zero(layers: Iterable[str]) -> dict[str, str]:
    """What layers are called: those that Keras counted are counted anew, by the order of their numbers."""
    names = {layer: layer for layer in layers}
    numbers: dict[str, list[tuple[int, str]]] = {}
    for layer in names:
        if found := _COUNTED.fullmatch(layer):
            numbers.setdefault(found[1], []).append((int(found[2] or 0), layer))
    for kind, members in numbers.items():
        for at, (_, layer) in enumerate(sorted(members)):
            names[layer] = f"{kind}_{at}" if at else kind
    return names


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The file, or the weights in a ``.keras`` file, which is a zip of settings and weights."""
    with path.open("rb") as file:
        if not zipfile.is_zipfile(file):
            file.seek(0)
            yield file
            return
        with zipfile.ZipFile(file) as archive:
            info = archive.getinfo(_IN_ZIP)
            if info.compress_type != zipfile.ZIP_STORED or info.file_size > path.stat().st_size:
                raise _Unreadable(f"its member {_IN_ZIP} is compressed")
            with archive.open(info) as member:
                yield member


def _h5py() -> Any:
    """h5py, which is optional; it has no types."""
    return importlib.import_module("h5py")


def _layers(file: Any) -> Iterator[tuple[str, list[Any]]]:
    root = _item(file, "model_weights") if "model_weights" in file else file
    if any(name.startswith("layer_names") for name in root.attrs):
        for layer in _texts(root, "layer_names"):
            group = _item(root, layer)
            found = [_item(group, name) for name in _texts(group, "weight_names")]
            if found:
                yield layer, found
        return
    folder = _item(root, next((name for name in _FOLDERS if name in root), _FOLDERS[0]))
    for layer in folder:
        group = _item(folder, layer)
        numbered = _item(group, "vars") if "vars" in group else None
        if numbered is not None and len(numbered):
            yield (
                str(numbered.attrs.get("name", COUNTED + layer)),
                [_item(numbered, str(n)) for n in range(len(numbered))],
            )


def _texts(group: Any, name: str) -> list[str]:
    """A list of names, which Keras cuts into several attributes where it is long."""
    whole = [name] if name in group.attrs else []
    cut = [f"{name}{number}" for number in range(len(group.attrs)) if f"{name}{number}" in group.attrs]
    texts = [text for key in whole or cut for text in group.attrs[key]]
    return [text.decode() if isinstance(text, bytes) else str(text) for text in texts]


def _item(group: Any, name: str) -> Any:
    """A member of a group that lies in the same file."""
    h5py = _h5py()
    for part in name.split("/"):
        if not isinstance(group, h5py.Group):
            raise _Unreadable(f"{part[:60]!r} lies in no group")
        if not isinstance(group.get(part, getlink=True), h5py.HardLink):
            raise _Unreadable(f"{part[:60]!r} is missing or a link")
        group = group[part]
    return group


def _array(found: Any, size: int) -> NDArray[Any]:
    counter = isinstance(found, _h5py().Dataset) and found.dtype.kind in "iu" and found.shape == ()
    if not isinstance(found, _h5py().Dataset) or not (found.dtype.kind == "f" or counter):
        raise _Unreadable(f"{found.name} holds no floating-point numbers")
    if found.external or found.is_virtual or found.id.get_storage_size() != found.nbytes:
        raise _Unreadable(f"{found.name} is kept in another file, or compressed")
    if found.nbytes > size:
        raise _Unreadable(f"{found.name} is larger than the file")
    values: NDArray[Any] = found[()]
    return values


def _named(layer: str, found: list[NDArray[Any]]) -> Iterator[tuple[str, NDArray[Any]]]:
    """The tensors of a layer, which stand in Keras's order: their own names were others in older versions."""
    if len(found) == len(_NORM):
        yield from zip(_NORM, found, strict=True)
    elif len(found) == len(_STANDARDISED):
        standardises = found[-1].ndim == 0
        words = _STANDARDISED if standardises else _UNSCALED
        yield from list(zip(words, found, strict=True))[: 2 if standardises else None]
    elif len(found) <= len(_LINEAR):
        yield from zip(_LINEAR, found, strict=False)
    else:
        raise BackboneError(f"layer {layer} has {len(found)} tensors, which no layer of these networks has")
