"""How a model's heat maps come about, as plain data: for programs that compute them without this package.

With the names of a few values in the model's graph, which a session then gives as further outputs, a page
does in a hundred lines what :mod:`fieldguide.explanation.contributions` does. Nothing is said twice: the
weights of the head are not here but a value of the graph, too.
"""

from typing import Any

from fieldguide.explanation.contributions import ContributionMapper
from fieldguide.explanation.readout import FloatArray, Readout
from fieldguide.explanation.upsampling import View, move_of
from fieldguide.modelfile.artifact import ModelFile


def portable_readout(file: ModelFile) -> dict[str, Any]:
    """Say where the maps of a model file are, and how they are weighted.

    Parameters
    ----------
    file
        A checked model file; it is run once, on noise.

    Returns
    -------
    dict
        What JSON can hold. `exact` is whether maps add up to the scores; if not, `reason` says why. If so:
        `scores`, the value of the calibrated scores; `weights`, with the name of the value as `tensor`, of
        shape (n_features, n_classes) or `transposed`; `factors`, by which the weights of each class are
        multiplied, None where by 1; `bias`, for each class; `parts` of the features in order, each with the
        name of its `map`, `kind` (``mean`` or ``max``), pooled `axes` and `scale`; `views` of an image, each
        with `weight`, `down`, `across` and `mirrored`.

    Raises
    ------
    ModelFileError
        If the model cannot be run.
    """
    mapper = ContributionMapper(file, threads=1)
    if mapper.readout is None:
        return {"exact": False, "reason": mapper.why_not}
    return {"exact": True, **_head(mapper.readout), **_maps(mapper.readout, mapper.views)}


def _head(readout: Readout) -> dict[str, Any]:
    head = readout.head
    return {
        "scores": readout.logits,
        "weights": {"tensor": head.tensor, "transposed": head.transposed},
        "factors": None if (head.factors == 1).all() else _short(head.factors),
        "bias": _short(head.bias),
    }


def _short(values: FloatArray) -> list[float]:
    """As many digits as single precision has: of a thousand classes, full ones would be 20 kB."""
    return [float(f"{value:.9g}") for value in values.tolist()]


def _maps(readout: Readout, views: list[View]) -> dict[str, Any]:
    parts = [
        {"map": part.map, "kind": part.kind, "axes": list(part.axes), "scale": part.scale}
        for part in readout.parts
    ]
    weights = readout.parts[0].views or (1.0,)
    moves = [
        {"weight": weight, **move_of(view)._asdict()} for weight, view in zip(weights, views, strict=True)
    ]
    return {"parts": parts, "views": moves}
