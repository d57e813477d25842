"""Edges, texture and colour of an image, computed instead of learned, as one ONNX file like any backbone's.

Every part is what scikit-image or numpy would give (see `classical_edges`, `classical_texture` and
`classical_colour`), so what a classical model looks at can be computed again outside of it.
"""

import dataclasses
import hashlib
import importlib.metadata
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fieldguide.backbone_export import ExportedBackbone, exports_folder
from fieldguide.errors import BackboneError, OptionError
from fieldguide.files import atomic_write
from fieldguide.preprocess import Preprocessing
from fieldguide.progress import Progress, silent

if TYPE_CHECKING:
    from fieldguide.classical_network import ClassicalNetwork

NAME = "classical"
SIZE = 64
"""Side of the square in pixels: twice CIFAR's, and enough to read hand signs (docs/log.md)."""
SIZES = range(32, 257, 16)
EXPORTER = 1
"""Raised whenever the features change, so that no older cached file is used."""


def export_classical(size: int = SIZE, progress: Progress = silent) -> ExportedBackbone:
    """Return the network that computes classical features, from the cache or made now.

    Parameters
    ----------
    size
        Side of its input in pixels: a multiple of 16 from 32 to 256.
    progress
        Told of the export.

    Raises
    ------
    OptionError
        If the size is not one of these.
    BackboneError
        If torch is not installed, or cannot export it.
    """
    if size not in SIZES:
        raise OptionError(f"size: must be a multiple of 16 from {SIZES[0]} to {SIZES[-1]}, got {size}")
    path = exports_folder() / f"{_key(size)}.onnx"
    exported = _described(size, path)
    try:
        facts = json.loads(path.with_suffix(".json").read_bytes())
        if hashlib.sha256(path.read_bytes()).hexdigest() == facts["digest"]:
            return _completed(exported, facts["digest"], facts["depths"])
    except (OSError, ValueError, KeyError, TypeError):  # missing, or damaged in any way: made anew
        pass
    return _made(exported, progress)


def _made(exported: ExportedBackbone, progress: Progress) -> ExportedBackbone:
    progress("preparing classical features", 0, 1)
    network = _network(exported.preprocessing.size)
    from fieldguide.backbone_onnx import to_onnx

    content = to_onnx(network, NAME)
    digest = hashlib.sha256(content).hexdigest()
    with atomic_write(exported.path) as file:
        file.write(content)
    with atomic_write(exported.path.with_suffix(".json")) as file:
        file.write(json.dumps({"digest": digest, "depths": network.depths}).encode())
    progress("preparing classical features", 1, 1)
    return _completed(exported, digest, network.depths)


def _network(size: int) -> "ClassicalNetwork":
    try:
        from fieldguide.classical_network import ClassicalNetwork
    except ImportError as error:
        raise BackboneError(
            f'{error.name} is needed to prepare features: pip install "fieldguide[train]"'
        ) from error
    return ClassicalNetwork(size).eval()


def _described(size: int, path: Path) -> ExportedBackbone:
    # Levels are taken as they are: a mean of 0 and a deviation of 1 change nothing.
    preprocessing = Preprocessing(size, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    return ExportedBackbone(
        path=path,
        digest="",
        preprocessing=preprocessing,
        name=NAME,
        licence="MIT",
        source="computed, no weights",
        features=0,
        depths=(),
        classes=None,
        timm_name="",
        weights=path,
    )


def _completed(exported: ExportedBackbone, digest: str, depths: Iterable[Sequence[Any]]) -> ExportedBackbone:
    parts = tuple((str(name), int(width)) for name, width in depths)
    width = sum(width for _, width in parts)
    return dataclasses.replace(exported, digest=digest, depths=parts, features=width)


def _key(size: int) -> str:
    versions = {package: importlib.metadata.version(package) for package in ("torch", "onnx", "onnxscript")}
    parts = [NAME, EXPORTER, size, versions]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
