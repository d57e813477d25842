"""From a published encoder to a backbone like any other."""

from pathlib import Path

from fieldguide.backbones.encoders.files import EncoderFiles, read_files
from fieldguide.backbones.exported import ExportedBackbone, kept
from fieldguide.errors import BackboneError

POOLED = ("image_embeds", "pooler_output")
"""Outputs that lie in one space with the vectors of texts."""
_WORDS = {
    "vector": "as it is",
    "class": "class token",
    "patches": "mean of the patches",
    "mean": "mean of the map",
    "max": "largest values of the map",
}


def export_encoder(path: Path, size: int | None = None) -> ExportedBackbone:
    """Make an encoder on this machine into a backbone.

    Parameters
    ----------
    path
        An ``.onnx`` file, or a folder in the layout of transformers.js, Optimum, fastembed or OpenCLIP.
    size
        Side of its input in pixels; None takes the graph's or the publisher's own.

    Returns
    -------
    ExportedBackbone
        Its `depths` name what the features are of.

    Raises
    ------
    BackboneError
        If it cannot be read, does not run at that size, or gives nothing that can become features.
    """
    from fieldguide.backbones.encoders.graph import assembled, read_graph, size_of

    files = read_files(path)
    model = read_graph(files.graph)
    own = size_of(model, files.size)
    fixed = model.graph.input[0].type.tensor_type.shape.dim[2].dim_value
    if size is not None and fixed and size != fixed:
        raise BackboneError(
            f"{files.graph}: takes images of {fixed} pixels only, got {size}; leave the size out"
        )
    preprocessing = files.preprocessing(size or own)
    content, parts = assembled(model, preprocessing, files.graph)
    file, digest = kept(content)
    depths = tuple((f"{part.output.partition('/')[2]}: {_WORDS[part.kind]}", part.width) for part in parts)
    return ExportedBackbone(
        path=file,
        digest=digest,
        preprocessing=preprocessing,
        name=files.name,
        licence=files.licence,
        source=_source(files),
        features=sum(part.width for part in parts),
        depths=depths,
        classes=None,
        timm_name="",
        weights=files.graph,
    )


def columns_beside_texts(exported: ExportedBackbone, width: int) -> slice:
    """Which of an encoder's features lie in one space with the vectors of texts.

    Parameters
    ----------
    exported
        From :func:`export_encoder`.
    width
        Of the vectors of texts.

    Raises
    ------
    BackboneError
        If there are none of this width.
    """
    start = 0
    for name, numbers in exported.depths:
        if name in [f"{output}: {_WORDS['vector']}" for output in POOLED] and numbers == width:
            return slice(start, start + width)
        start += numbers
    found = ", ".join(f"{name} ({numbers})" for name, numbers in exported.depths)
    raise BackboneError(
        f"{exported.weights}: gives no vector of {width} numbers as its text part does, but {found}; take "
        "both parts of one network (vision_model.onnx and text_model.onnx)"
    )


def _source(files: EncoderFiles) -> str:
    return f"file {files.graph.name}" + ("" if files.said else ", mean and deviation of ImageNet taken")
