"""A pretrained network as an ONNX model: from a table of stages and a file of weights, without torch.

    built = build("tf_efficientnet_lite0", path, preprocessing)

The model has the input `pixels`, uint8 of shape (batch, size, size, 3), and the outputs `features` and, with
a head, `logits` before it: what an export of the same network by way of torch and timm has, to the last bit
where ONNX Runtime is given the same operators.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from fieldguide.backbones.plain.catalogue import ARCHITECTURES, Published
from fieldguide.backbones.plain.form import NetworkForm
from fieldguide.backbones.plain.graph import GraphBuilder
from fieldguide.backbones.plain.layers import CLASSIFIER, Layers
from fieldguide.backbones.plain.tapped import features, logits, normalised
from fieldguide.backbones.plain.vgg import HIDDEN
from fieldguide.backbones.plain.weights import read_weights
from fieldguide.backbones.taps import DEFAULT_TAPS, Taps
from fieldguide.errors import BackboneError
from fieldguide.images.preprocessing import Preprocessing


@dataclass(frozen=True)
class BuiltNetwork:
    """A network ready to run."""

    model: bytes
    """The ONNX model."""
    depths: tuple[tuple[str, int], ...]
    """Name and width of each part of `features`, in order, from early to late."""
    classes: int | None
    """Columns of `logits`; None without a head."""
    preprocessing: Preprocessing
    """As asked for, but for what the weights' publisher does otherwise: mean, standard deviation, filter."""
    form: NetworkForm
    """Of the file."""


def build(
    architecture: str,
    weights: Path,
    preprocessing: Preprocessing,
    *,
    taps: Taps = DEFAULT_TAPS,
    head: bool = False,
) -> BuiltNetwork:
    """Build a network from a file of weights.

    Raises
    ------
    BackboneError
        If there is no such network, the file cannot be read, or it does not fit, naming the first tensor
        that does not.
    """
    if architecture not in ARCHITECTURES:
        raise BackboneError(
            f"{architecture}: is not built without torch; allowed are {', '.join(ARCHITECTURES)}"
        )
    state = read_weights(weights)
    names = frozenset(state)
    published = publisher_of(ARCHITECTURES[architecture], names)
    layers = Layers(state, published.layout, weights, architecture)
    try:
        prepared = published.prepared(preprocessing, state, weights)
        del state  # layers lets go what is taken, to spare memory
        return assembled(published, layers, prepared, taps, head)
    except BackboneError as error:
        raise told_otherwise(error, architecture, names) from error


def told_otherwise(error: BackboneError, architecture: str, names: AbstractSet[str]) -> BackboneError:
    """Add to an error which network a file holds, where that is another one."""
    found = looks_like(names)
    if not found or architecture in found:
        return error
    return BackboneError(f"{error}. The file looks like {' or '.join(found)}: give that name")


def looks_like(names: AbstractSet[str]) -> tuple[str, ...]:
    """Which architectures a file may hold, by the names of its tensors; several where they share names."""
    weights = {name for name in names if name.endswith(_WEIGHTS)}
    fitting = (
        architecture
        for architecture, publishers in ARCHITECTURES.items()
        for published in publishers
        if weights
        and {name for name in weights if not name.startswith(published.layout.unused)}
        == _named_weights(published)
    )
    return tuple(dict.fromkeys(fitting))


def _named_weights(published: Published) -> set[str]:
    layout = published.layout
    norms = {f"{names.norm}.{layout.words.norm[0]}" for names in layout.names.values() if names.norm}
    return {name for name in layout.tensors | norms if name.endswith(_WEIGHTS)}


_WEIGHTS = (".weight", ".kernel")


def form_of(publisher: str, layers: Layers) -> NetworkForm:
    """Tell the form of a file from its layers, before they are taken.

    Raises
    ------
    BackboneError
        If a linear layer has a shape that no layer has.
    """
    classes, hidden = (layers.width(place) if layers.has(place) else 0 for place in (CLASSIFIER, HIDDEN[0]))
    return NetworkForm(publisher, classes, hidden)


def publisher_of(published: Sequence[Published], names: AbstractSet[str]) -> Published:
    """Whose layout most of a file's names belong to; the first where none does."""
    return max(published, key=lambda one: len(one.layout.tensors & names))


def assembled(
    published: Published, layers: Layers, preprocessing: Preprocessing, taps: Taps, head: bool
) -> BuiltNetwork:
    """Build a network from its layers; as :func:`build`."""
    form = form_of(published.layout.publisher, layers)
    graph = GraphBuilder(preprocessing.size)
    image = normalised(graph, preprocessing.mean, preprocessing.std)
    passage = published.network.run(graph, layers, image)
    depths = features(graph, passage, taps)
    classes = logits(graph, passage, layers) if head else None
    if classes is None:
        layers.leave_out(CLASSIFIER)
    layers.finish()
    outputs = {} if classes is None else {"logits": classes}
    model = graph.model(outputs | {"features": sum(width for _, width in depths)})
    return BuiltNetwork(model.SerializeToString(deterministic=True), depths, classes, preprocessing, form)
