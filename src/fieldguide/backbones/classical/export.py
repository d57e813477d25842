"""Edges, texture and colour of an image, computed instead of learned, as one ONNX file like any backbone's.

Every part is what scikit-image or numpy would give (see `edges`, `texture` and `colour`), so what a classical
model looks at can be computed again outside of it.
"""

from fieldguide.backbones.classical.graph import classical_graph
from fieldguide.backbones.exported import ExportedBackbone, kept
from fieldguide.errors import OptionError
from fieldguide.images.preprocessing import Preprocessing

NAME = "classical"
SIZE = 64
"""Side of the square in pixels: twice CIFAR's, and enough to read hand signs (docs/log.md)."""
SIZES = range(32, 257, 16)


def export_classical(size: int = SIZE) -> ExportedBackbone:
    """Return the network that computes classical features.

    It is built anew each time, in some 20 ms, and the file is written where it is not there as it should be.

    Parameters
    ----------
    size
        Side of its input in pixels: a multiple of 16 from 32 to 256.

    Raises
    ------
    OptionError
        If the size is not one of these.
    """
    if size not in SIZES:
        raise OptionError(f"size: must be a multiple of 16 from {SIZES[0]} to {SIZES[-1]}, got {size}")
    graph = classical_graph(size)
    content: bytes = graph.model.SerializeToString(deterministic=True)
    path, digest = kept(content)
    return ExportedBackbone(
        path=path,
        digest=digest,
        # Levels are taken as they are: a mean of 0 and a deviation of 1 change nothing.
        preprocessing=Preprocessing(size, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0)),
        name=NAME,
        licence="MIT",
        source="computed, no weights",
        features=sum(width for _, width in graph.depths),
        depths=graph.depths,
        classes=None,
        timm_name="",
        weights=path,
    )
