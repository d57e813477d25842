"""A backbone as one ONNX file in the cache: exported once, found again by what went into it.

A cached file is found without importing torch or timm. It is written whole or not at all, so processes that
race write the same bytes over each other, and a damaged one is noticed by its digest and made anew.
"""

import atexit
import contextlib
import hashlib
import importlib.metadata
import json
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fieldguide.backbone_convert import Conversion, converted
from fieldguide.backbone_taps import DEFAULT_TAPS, Taps
from fieldguide.backbone_weights import fetch, file_digest
from fieldguide.backbones import Backbone, find, usable_names
from fieldguide.errors import BackboneError, OptionError
from fieldguide.files import atomic_write, cache_folder, scratch_folder
from fieldguide.preprocess import Preprocessing
from fieldguide.progress import Progress, silent

EXPORTER = 3
"""Raised whenever the exported graph changes for the same weights, so that no older cached file is used."""
SIZES = range(32, 1025)


@dataclass(frozen=True)
class ExportedBackbone:
    """A backbone ready to run: input `pixels`, outputs `features` and, exported with a head, `logits`."""

    path: Path
    """The ONNX file."""
    digest: str
    """SHA-256 of its bytes."""
    preprocessing: Preprocessing
    """How an image becomes its input; mean and standard deviation are applied inside the file."""
    name: str
    """The backbone's name."""
    licence: str
    """The licence of its weights."""
    source: str
    """Where its weights came from, for the model's card."""
    features: int
    """Width of `features`."""
    depths: tuple[tuple[str, int], ...]
    """Name and width of each part of `features`, in order, from early to late."""
    classes: tuple[str, ...] | None
    """What the columns of `logits` stand for; None without a head."""
    timm_name: str
    """The network in timm, to build it again in torch; empty for one that is not timm's."""
    weights: Path
    """The weights file that was read."""
    taps: Taps = DEFAULT_TAPS
    """Which depths were asked for."""
    parts: tuple["ExportedBackbone", ...] = ()
    """The backbones that work side by side in it; empty for a single one."""


def export(
    name: str,
    *,
    size: int | None = None,
    head: bool = False,
    weights: Path | None = None,
    taps: Taps = DEFAULT_TAPS,
    progress: Progress = silent,
) -> ExportedBackbone:
    """Return a backbone as an ONNX file, from the cache or made now.

    Parameters
    ----------
    name
        A name of the catalogue or of timm.
    size
        Side of its input in pixels, 32 to 1024; None takes the backbone's own.
    head
        Whether the network's own class scores are an output too.
    weights
        A local weights file in the layout of the Hugging Face hub, used instead of the backbone's source.
    taps
        Which depths become features.
    progress
        Told of downloads and of the export.

    Raises
    ------
    BackboneError
        If the name is unknown, the weights cannot be had or do not fit, or the network cannot be exported.
    OptionError
        If `size` is out of range.
    """
    if size is not None and size not in SIZES:
        raise OptionError(f"size: must be from {SIZES[0]} to {SIZES[-1]} pixels, got {size}")
    backbone = find(name)
    file = _weights_file(backbone, weights, progress)
    request = _Request(
        backbone, size or backbone.size, head, file, file_digest(file), taps, weights is not None
    )
    return _cached(request) or _made(request, progress)


@dataclass(frozen=True)
class _Request:
    backbone: Backbone
    size: int
    head: bool
    file: Path
    file_digest: str
    taps: Taps
    local: bool

    @property
    def key(self) -> str:
        versions = {
            package: importlib.metadata.version(package)
            for package in ("torch", "timm", "onnx", "onnxscript")
        }
        parts = [
            self.backbone.timm_name,
            self.size,
            self.head,
            self.file_digest,
            self.taps.as_dict(),
            versions,
            EXPORTER,
        ]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _weights_file(backbone: Backbone, weights: Path | None, progress: Progress) -> Path:
    if weights is not None:
        if not weights.is_file():
            raise BackboneError(f"{weights}: no such weights file")
        return weights
    try:
        return fetch(backbone.source, progress)
    except BackboneError as error:
        usable = ", ".join(usable_names()) or "none"
        raise BackboneError(
            f"{backbone.name}: {error}. Usable without a network now: {usable}. "
            f"Or fetch {backbone.source} on another machine and give the file with --weights FILE"
        ) from error


def _cached(request: _Request) -> ExportedBackbone | None:
    path = exports_folder() / f"{request.key}.onnx"
    try:
        facts = json.loads(path.with_suffix(".json").read_bytes())
        if file_digest(path) != facts["digest"]:
            return None
        return _exported(request, path, facts)
    except (OSError, ValueError, KeyError, TypeError):  # missing, or damaged in any way: made anew
        return None


def _made(request: _Request, progress: Progress) -> ExportedBackbone:
    progress(f"preparing {request.backbone.name}", 0, 1)
    model, facts = _convert(request)
    path = exports_folder() / f"{request.key}.onnx"
    with atomic_write(path) as file:
        file.write(model)
    with atomic_write(path.with_suffix(".json")) as file:
        file.write(json.dumps(facts).encode())
    progress(f"preparing {request.backbone.name}", 1, 1)
    return _exported(request, path, facts)


def _convert(request: _Request) -> tuple[bytes, dict[str, Any]]:
    return converted(
        Conversion(
            request.backbone.name, request.size, request.head, str(request.file.absolute()), request.taps
        )
    )


def _exported(request: _Request, path: Path, facts: dict[str, Any]) -> ExportedBackbone:
    stored = facts["preprocessing"]
    preprocessing = Preprocessing(**{**stored, "mean": tuple(stored["mean"]), "std": tuple(stored["std"])})
    depths = tuple((str(name), int(width)) for name, width in facts["depths"])
    return ExportedBackbone(
        path=path,
        digest=facts["digest"],
        preprocessing=preprocessing,
        name=request.backbone.name,
        licence=request.backbone.licence,
        source=f"file {request.file.name}" if request.local else str(request.backbone.source),
        features=sum(width for _, width in depths),
        depths=depths,
        classes=tuple(facts["classes"]) if facts["classes"] is not None else None,
        timm_name=request.backbone.timm_name,
        weights=request.file,
        taps=request.taps,
    )


def exports_folder() -> Path:
    """Where exports are kept: the cache, or if that cannot be written a folder for this process."""
    folder = cache_folder() / "backbones"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return _temporary_folder()
    return folder


@cache
def _temporary_folder() -> Path:
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(scratch_folder())
