"""A timm network as one ONNX file in the cache: exported once, found again by what went into it.

A cached file is found without importing torch or timm. It is written whole or not at all, so processes that
race write the same bytes over each other, and a damaged one is noticed by its digest and made anew.
"""

import hashlib
import importlib.metadata
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldguide.backbones.catalogue import Backbone
from fieldguide.backbones.exported import ExportedBackbone, exports_folder
from fieldguide.backbones.taps import Taps
from fieldguide.backbones.timm_networks.convert import Conversion, converted
from fieldguide.backbones.weights import file_digest
from fieldguide.errors import BackboneError
from fieldguide.files import atomic_write
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.installation import command_for
from fieldguide.progress import Progress
from fieldguide.storage import checksummed_files

EXPORTER = 4
"""Raised whenever the exported graph changes for the same weights, so that no older cached file is used."""
LIBRARIES = ("torch", "timm", "onnxscript")
"""Packages that an export depends on."""


@dataclass(frozen=True)
class Request:
    """A network to export; what it says is all that the result depends on."""

    backbone: Backbone
    size: int
    """Side of its input in pixels."""
    head: bool
    """Whether its own class scores are an output too."""
    file: Path
    """The weights file."""
    taps: Taps
    """Which depths become features."""
    local: bool
    """Whether the weights are a file of the person's own."""

    @property
    def key(self) -> str:
        """Names the result in the cache."""
        versions = {package: importlib.metadata.version(package) for package in (*LIBRARIES, "onnx")}
        parts = [
            self.backbone.timm_name,
            self.size,
            self.head,
            file_digest(self.file),
            self.taps.as_dict(),
            versions,
            EXPORTER,
        ]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def exported(request: Request, progress: Progress) -> ExportedBackbone:
    """Return the network as an ONNX file, from the cache or made now.

    Raises
    ------
    BackboneError
        If torch or timm is missing, the weights do not fit, or the network cannot be exported.
    """
    try:
        path = exports_folder() / f"{request.key}.onnx"
    except importlib.metadata.PackageNotFoundError as error:
        raise BackboneError(
            f"{request.backbone.name}: {error.name} is needed to prepare this network, and is not "
            f"installed; run: {command_for('torch')}"
        ) from error
    return _cached(request, path) or _made(request, path, progress)


def _cached(request: Request, path: Path) -> ExportedBackbone | None:
    content = checksummed_files.read(path.with_suffix(".json"), "facts of a network")
    if content is None:
        return None
    facts = json.loads(content)
    try:
        digest = file_digest(path)
    except OSError:
        return None
    if digest != facts["digest"]:
        checksummed_files.discard(path, "weights")
        return None
    return _described(request, path, facts)


def _made(request: Request, path: Path, progress: Progress) -> ExportedBackbone:
    progress(f"preparing {request.backbone.name}", 0, 1)
    model, facts = _convert(request)
    with atomic_write(path) as file:
        file.write(model)
    checksummed_files.write(path.with_suffix(".json"), json.dumps(facts).encode())
    progress(f"preparing {request.backbone.name}", 1, 1)
    return _described(request, path, facts)


def _convert(request: Request) -> tuple[bytes, dict[str, Any]]:
    return converted(
        Conversion(
            request.backbone.name, request.size, request.head, str(request.file.absolute()), request.taps
        )
    )


def _described(request: Request, path: Path, facts: dict[str, Any]) -> ExportedBackbone:
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
        made_with=LIBRARIES,
    )
