"""The model file's graph: preprocessing, network and head joined into one, with the card beside them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.checker
import onnx.compose
import onnx.parser
from numpy.typing import NDArray

from fieldguide.images.preprocessing import Preprocessing
from fieldguide.modelfile.artifact import CARD_KEY, PRODUCER, seal
from fieldguide.modelfile.card import written
from fieldguide.modelfile.operators import IR_VERSION, OPSET
from fieldguide.modelfile.preprocessing_graph import preprocessing_model
from fieldguide.tasks.task import Task


@dataclass(frozen=True)
class Distance:
    """How far features lie from those of the known classes, everything float32."""

    columns: NDArray[np.int64]
    """Features that the distance looks at, of shape (n_columns,)."""
    mean: NDArray[np.float32]
    """Of those columns, of shape (n_columns,)."""
    scale: NDArray[np.float32]
    """Of those columns, of shape (n_columns,)."""
    directions: NDArray[np.float32]
    """Of shape (n_columns, n_directions)."""
    evenness: float
    """Weight of the plain squared distance."""
    centres: NDArray[np.float32]
    """Class means, standardised, of shape (n_classes, n_columns)."""
    reference: NDArray[np.float32]
    """Held-out distances, of shape (n_reference,)."""


@dataclass(frozen=True)
class Ranking:
    """How typicality ranks images by features, scores and probabilities together, everything float32."""

    directions: NDArray[np.float32]
    """Of scores, of shape (n_classes, n_classes)."""
    centres: NDArray[np.float32]
    """Of classes in these directions, of shape (n_known_classes, n_classes)."""
    knots: tuple[NDArray[np.float32], ...]
    """Of the surprisals of features, scores and entropy, each of shape (n_knots,)."""
    slopes: tuple[NDArray[np.float32], ...]
    """What each slope grows by at each knot, each of shape (n_knots,)."""
    least_probability: float
    """In the entropy."""
    reference: NDArray[np.float32]
    """Of held-out images, of shape (n_reference,)."""


@dataclass(frozen=True)
class Head(Distance):
    """A linear classifier and a distance on the features of a network."""

    weights: NDArray[np.float32]
    """Of shape (n_features, n_classes); the temperature is in them."""
    bias: NDArray[np.float32]
    """Of shape (n_classes,); the class shares are in it."""


_OUTPUTS = """(
    float[batch, {classes}] probabilities, float[batch] typicality, float[batch, {features}] embedding
)"""

_LINEAR = """
<ir_version: {ir_version}, opset_import: ["" : {opset}]>
head (float[batch, {features}] features) => OUTPUTS {{
    embedding = Identity (features)
    logits = Gemm (features, weights, bias)
DISTANCE
}}
"""

_SCORED = """
<ir_version: {ir_version}, opset_import: ["" : {opset}]>
head (float[batch, {classes}] scores, float[batch, {features}] features) => OUTPUTS {{
    embedding = Identity (features)
    tempered = Div (scores, temperature)
    logits = Add (tempered, log_priors)
DISTANCE
}}
"""

_ANSWERS = {
    Task.SINGLE: "probabilities = Softmax <axis: int = 1> (logits)",
    Task.MULTIPLE: "probabilities = Sigmoid (logits)",
}
"""How scores become probabilities, in the last step."""

_DISTANCE = """
    ANSWER

    deep = Gather <axis: int = 1> (features, columns)
    moved = Sub (deep, mean)
    standard = Div (moved, scale)
    along = MatMul (standard, directions)
    along_squared = Mul (along, along)
    standard_squared = Mul (standard, standard)
    along_norm = ReduceSum <keepdims: int = 1> (along_squared, last_axis)
    standard_norm = ReduceSum <keepdims: int = 1> (standard_squared, last_axis)
    even_norm = Mul (standard_norm, evenness)
    norm = Add (along_norm, even_norm)
    along_products = MatMul (along, centres_along)
    standard_products = MatMul (standard, centres_even)
    products = Add (along_products, standard_products)
    minus_products = Sub (centre_norms, products)
    distances = Add (norm, minus_products)
    nearest = ReduceMin <keepdims: int = 1> (distances, last_axis)
    RANKED
    at_least = GreaterOrEqual (reference, nonconformity)
    ones = Cast <to: int = 1> (at_least)
    count = ReduceSum <keepdims: int = 0> (ones, last_axis)
    one_more = Add (count, one)
    typicality = Mul (one_more, share)"""

_BY_DISTANCE = "nonconformity = Identity (nearest)"
_BY_ALL = """
    scores_along = MatMul (logits, score_directions)
    scores_squared = Mul (scores_along, scores_along)
    score_norm = ReduceSum <keepdims: int = 1> (scores_squared, last_axis)
    score_products = MatMul (scores_along, score_centres)
    score_differences = Sub (score_centre_norms, score_products)
    nearest_scores = ReduceMin <keepdims: int = 1> (score_differences, last_axis)
    score_distance = Add (score_norm, nearest_scores)
    kept = Max (probabilities, least_probability)
    log_kept = Log (kept)
    informative = Mul (probabilities, log_kept)
    minus_entropy = ReduceSum <keepdims: int = 1> (informative, last_axis)
    entropy = Mul (minus_entropy, minus_one)
    moved0 = Sub (nearest, knots0)
    above0 = Relu (moved0)
    surprisal0 = MatMul (above0, slopes0)
    moved1 = Sub (score_distance, knots1)
    above1 = Relu (moved1)
    surprisal1 = MatMul (above1, slopes1)
    moved2 = Sub (entropy, knots2)
    above2 = Relu (moved2)
    surprisal2 = MatMul (above2, slopes2)
    surprisal01 = Add (surprisal0, surprisal1)
    nonconformity = Add (surprisal01, surprisal2)"""

_PRETRAINED = """
<ir_version: {ir_version}, opset_import: ["" : {opset}]>
head (float[batch, {classes}] logits, float[batch, {features}] features) => (
    float[batch, {classes}] probabilities, float[batch] typicality, float[batch, {features}] embedding
) {{
    embedding = Identity (features)
    probabilities = Softmax <axis: int = 1> (logits)
    highest = ReduceMax <keepdims: int = 0> (probabilities, last_axis)
    nothing = Mul (highest, zero)
    typicality = Add (nothing, one)
}}
"""


def head_model(head: Head, task: Task = Task.SINGLE, ranking: Ranking | None = None) -> onnx.ModelProto:
    """Build the model from `features` to the three outputs of the contract.

    Parameters
    ----------
    head
        Classifier and distance.
    task
        Whether the probabilities of all classes add up to 1 or each stands by itself.
    ranking
        What typicality ranks by; None: the distance alone.
    """
    constants = _typicality_constants(head, ranking) | {"weights": head.weights, "bias": head.bias}
    features, classes = head.weights.shape
    return _parsed(_whole(_LINEAR, task, ranking), constants, features=features, classes=classes)


def scored_head_model(
    distance: Distance,
    features: int,
    temperature: float | NDArray[np.float64],
    log_priors: NDArray[np.float64],
    task: Task = Task.SINGLE,
    ranking: Ranking | None = None,
) -> onnx.ModelProto:
    """Build the model from a classifier's `scores`, and the `features` that it saw, to the three outputs.

    Parameters
    ----------
    distance
        On the features.
    features
        How many there are.
    temperature
        Divides the scores; more than 0, or of shape (n_classes,).
    log_priors
        Added to the tempered scores, of shape (n_classes,).
    task
        Whether the probabilities of all classes add up to 1 or each stands by itself.
    ranking
        What typicality ranks by; None: the distance alone.
    """
    constants = _typicality_constants(distance, ranking) | {
        "temperature": np.array(temperature, dtype=np.float32),
        "log_priors": log_priors.astype(np.float32),
    }
    return _parsed(_whole(_SCORED, task, ranking), constants, features=features, classes=len(log_priors))


def _whole(text: str, task: Task, ranking: Ranking | None) -> str:
    ranked = _BY_DISTANCE if ranking is None else _BY_ALL
    parts = {"OUTPUTS": _OUTPUTS, "DISTANCE": _DISTANCE, "ANSWER": _ANSWERS[task], "RANKED": ranked}
    for name, part in parts.items():
        text = text.replace(name, part)
    return text


def _typicality_constants(distance: Distance, ranking: Ranking | None) -> dict[str, NDArray[Any]]:
    constants = _distance_constants(distance)
    if ranking is None:
        return constants | _reference(distance.reference)
    surprisals = zip(ranking.knots, ranking.slopes, strict=True)
    for number, (knots, slopes) in enumerate(surprisals):
        constants |= {f"knots{number}": knots[None], f"slopes{number}": np.ascontiguousarray(slopes[:, None])}
    return constants | {
        "score_directions": ranking.directions,
        "score_centres": np.ascontiguousarray(2 * ranking.centres.T),
        "score_centre_norms": (ranking.centres**2).sum(1).astype(np.float32),
        "least_probability": np.array(ranking.least_probability, dtype=np.float32),
        "minus_one": np.array(-1.0, dtype=np.float32),
        **_reference(ranking.reference),
    }


def _reference(held_out: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    return {"reference": held_out, "share": np.array(1.0 / (1 + len(held_out)), dtype=np.float32)}


def _distance_constants(distance: Distance) -> dict[str, NDArray[Any]]:
    along = (distance.centres @ distance.directions).astype(np.float32)
    even = (distance.centres * np.float32(distance.evenness)).astype(np.float32)
    norms = (along**2).sum(1) + (even * distance.centres).sum(1)
    return {
        "columns": distance.columns,
        "mean": distance.mean,
        "scale": distance.scale,
        "directions": distance.directions,
        "evenness": np.array(distance.evenness, dtype=np.float32),
        "centres_along": np.ascontiguousarray(2 * along.T),
        "centres_even": np.ascontiguousarray(2 * even.T),
        "centre_norms": norms.astype(np.float32),
        "last_axis": np.array([1], dtype=np.int64),
        "one": np.array(1.0, dtype=np.float32),
    }


def pretrained_head_model(classes: int, features: int) -> onnx.ModelProto:
    """Build the model from a network's own `logits` to the outputs.

    It knows of no held-out images, so typicality is 1 for every image.
    """
    constants: dict[str, NDArray[Any]] = {
        "last_axis": np.array([1], dtype=np.int64),
        "one": np.array(1.0, dtype=np.float32),
        "zero": np.array(0.0, dtype=np.float32),
    }
    return _parsed(_PRETRAINED, constants, features=features, classes=classes)


def join(first: onnx.ModelProto, second: onnx.ModelProto, names: tuple[str, ...]) -> onnx.ModelProto:
    """Feed the outputs `names` of one model into the inputs of the same names of another."""
    unique = onnx.compose.add_prefix(
        second, f"{second.graph.name}/", rename_inputs=False, rename_outputs=False
    )
    joined = onnx.compose.merge_models(first, unique, io_map=[(name, name) for name in names])
    joined.graph.name = second.graph.name
    return joined


def name_operators_once(model: onnx.ModelProto) -> None:
    """Have a joined model name each set of operators once: onnx keeps those of both, which some refuse."""
    named = {entry.domain: entry.version for entry in model.opset_import}
    del model.opset_import[:]
    model.opset_import.extend(onnx.helper.make_opsetid(*one) for one in sorted(named.items()))


def model_file(network: onnx.ModelProto, preprocessing: Preprocessing, card: Mapping[str, Any]) -> bytes:
    """Join preprocessing and network, add the card and seal the bytes.

    Parameters
    ----------
    network
        From `pixels` to the three outputs of the contract.
    preprocessing
        How an image of any size becomes `pixels`.
    card
        What ``metadata_props["fieldguide"]`` says.

    Returns
    -------
    bytes
        The whole file: the same for the same input.
    """
    start = onnx.compose.add_prefix(
        preprocessing_model(preprocessing), "preprocessing/", rename_inputs=False, rename_outputs=False
    )
    model = onnx.compose.merge_models(start, network, io_map=[("pixels", "pixels")])
    name_operators_once(model)
    model.graph.name = "fieldguide"
    model.producer_name, model.producer_version, model.doc_string = PRODUCER, "", ""
    del model.metadata_props[:]
    model.metadata_props.add(key=CARD_KEY, value=written(card))
    onnx.checker.check_model(model)
    return seal(model.SerializeToString(deterministic=True))


def read_model(path: Path) -> onnx.ModelProto:
    """Read a graph that fieldguide itself exported into its cache."""
    return onnx.load_model(path, load_external_data=False)


def _parsed(text: str, constants: Mapping[str, NDArray[Any]], **sizes: int) -> onnx.ModelProto:
    model = onnx.parser.parse_model(text.format(ir_version=IR_VERSION, opset=OPSET, **sizes))
    for name, value in constants.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(value, name))
    onnx.checker.check_model(model)
    return model
