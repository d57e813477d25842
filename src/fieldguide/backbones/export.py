"""A pretrained network as one ONNX file: built from a table where there is one, else by way of torch.

What `backbones/plain` has a table of is built from its weights in a fraction of a second, without torch;
other networks of timm are exported once by torch and kept in the cache (`backbones/timm_networks`).
"""

import dataclasses
from pathlib import Path

from fieldguide.backbones.catalogue import Backbone, catalogue, find, usable_names
from fieldguide.backbones.class_names import class_names
from fieldguide.backbones.encoders.export import export_encoder
from fieldguide.backbones.encoders.files import is_encoder
from fieldguide.backbones.exported import ExportedBackbone, kept
from fieldguide.backbones.plain.names import architecture_of
from fieldguide.backbones.plain.native import native_preprocessing
from fieldguide.backbones.taps import DEFAULT_TAPS, Taps
from fieldguide.backbones.timm_networks.cached import Request, exported
from fieldguide.backbones.weights import PublishedEncoder, fetch, fetch_texts
from fieldguide.errors import BackboneError, OptionError
from fieldguide.progress import Progress, silent

SIZES = range(32, 1025)


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
        A name of the catalogue or of timm; or the path of a published encoder, an ``.onnx`` file or a folder.
    size
        Side of its input in pixels, 32 to 1024; None takes the backbone's own.
    head
        Whether the network's own class scores are an output too.
    weights
        A local weights file in the layout of the Hugging Face hub, used instead of the backbone's source.
    taps
        Which depths become features.
    progress
        Callback for progress: downloads and of the export.

    Raises
    ------
    BackboneError
        If the name is unknown, the weights cannot be had or do not fit, or the network cannot be exported.
    OptionError
        If `size` is out of range.
    """
    if size is not None and size not in SIZES:
        raise OptionError(f"size: must be from {SIZES[0]} to {SIZES[-1]} pixels, got {size}")
    if is_encoder(name):
        _check_alone(name, head, weights)
        return export_encoder(Path(name), size)
    backbone = find(name)
    if not backbone.can_learn:
        _check_alone(name, head, weights)
        return _published(backbone, size, progress)
    file = _weights_file(backbone, weights, progress)
    request = Request(backbone, size or backbone.size, head, file, taps, weights is not None)
    architecture = architecture_of(backbone.timm_name)
    return exported(request, progress) if architecture is None else _built(request, architecture)


def folder_with_texts(name: str, progress: Progress = silent) -> Path:
    """Find an encoder of images and texts; a name of the catalogue is downloaded where it is not at hand.

    Parameters
    ----------
    name
        A folder in the layout of transformers.js, or a name of the catalogue.
    progress
        Callback for progress: downloads.

    Raises
    ------
    BackboneError
        If there is no such network, or it reads no texts.
    """
    if is_encoder(name):
        return Path(name)
    backbone = find(name)
    if not isinstance(backbone.source, PublishedEncoder) or not _reads_texts(backbone):
        known = ", ".join(one.name for one in catalogue() if _reads_texts(one))
        raise BackboneError(f"{name}: reads no texts; take {known}, or a folder with a slash in its name")
    return fetch_texts(backbone.source, progress)


def _reads_texts(backbone: Backbone) -> bool:
    source = backbone.source
    return isinstance(source, PublishedEncoder) and "vision_model" in source.graph


def _check_alone(name: str, head: bool, weights: Path | None) -> None:
    if head or weights is not None:
        raise OptionError(f"{name}: an encoder brings its own weights and has no classes; give it alone")


def _published(backbone: Backbone, size: int | None, progress: Progress) -> ExportedBackbone:
    folder = _weights_file(backbone, None, progress)
    encoder = export_encoder(folder, size)
    return dataclasses.replace(
        encoder, name=backbone.name, licence=backbone.licence, source=str(backbone.source)
    )


def _built(request: Request, architecture: str) -> ExportedBackbone:
    from fieldguide.backbones.plain.build import build  # loads onnx

    backbone = request.backbone
    preprocessing = native_preprocessing(backbone.timm_name, request.size, request.head)
    built = build(architecture, request.file, preprocessing, taps=request.taps, head=request.head)
    path, digest = kept(built.model)
    return ExportedBackbone(
        path=path,
        digest=digest,
        preprocessing=built.preprocessing,
        name=backbone.name,
        licence=backbone.licence,
        source=f"file {request.file.name}" if request.local else str(backbone.source),
        features=sum(width for _, width in built.depths),
        depths=built.depths,
        classes=None if built.classes is None else class_names(backbone.name, built.classes),
        timm_name=backbone.timm_name,
        weights=request.file,
        taps=request.taps,
        form=built.form,
    )


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
            f"{backbone.name}: {error}. Usable offline now: {usable}. "
            f"Or fetch {backbone.source} on another machine and give the {_how(backbone)}"
        ) from error


def _how(backbone: Backbone) -> str:
    return "file with --weights FILE" if backbone.can_learn else "folder with --backbone FOLDER"
