"""The Open Inference Protocol, version 2, over HTTP: health, metadata, infer.

An image goes in as BYTES (an image file; what a client with photos has) or as UINT8 pixels (what the model
file itself takes). Metadata can state only one of the two for a name, and states BYTES.
"""

import json
from typing import Any

from fastapi import APIRouter, Request, Response

from fieldguide.errors import Refusal
from fieldguide.server import exchange as exchanges
from fieldguide.server.addresses import Deadline, Name, Version
from fieldguide.server.batching import OutputRow
from fieldguide.server.context import context_of
from fieldguide.server.inference_protocol import schemas
from fieldguide.server.inference_protocol.tensors import LENGTH_HEADER, WEIGHT_OF_JSON, answer_of, request_in
from fieldguide.server.models import Model
from fieldguide.server.pages import answer
from fieldguide.server.predict import WEIGHT_OF_NUMBER, answers, body_of, count_outcomes, row_of
from fieldguide.server.problems import RETRY_SECONDS, Problem
from fieldguide.tasks.task import Task

router: APIRouter = APIRouter(tags=["Open Inference Protocol"])

ALTERNATIVE = "UINT8 of shape [-1, -1, -1, 3] is taken as well: RGB pixels, upright, one size in a request"


@router.get("/v2", response_model=schemas.ServerMetadata, operation_id="v2_server")
async def server_metadata(request: Request) -> Response:
    """The server's name, version and extensions."""
    extensions = ["binary_tensor_data"]
    return answer({"name": "fieldguide", "version": request.app.version, "extensions": extensions})


@router.get("/v2/health/live", response_model=schemas.ServerLive, operation_id="v2_live")
async def server_live(request: Request) -> Response:
    """Whether the process runs."""
    return answer({"live": True})


@router.get(
    "/v2/health/ready",
    response_model=schemas.ServerReady,
    operation_id="v2_ready",
    responses={503: {"model": schemas.ServerReady, "description": "The server is stopping."}},
)
async def server_ready(request: Request) -> Response:
    """Whether requests are answered."""
    if context_of(request).stopping:
        return answer({"ready": False}, 503, {"Retry-After": str(RETRY_SECONDS)})
    return answer({"ready": True})


@router.get("/v2/models/{name:model}", response_model=schemas.ModelMetadata, operation_id="v2_model")
async def model_metadata(request: Request, name: Name) -> Response:
    """The model's versions and tensors."""
    return answer(_metadata(context_of(request).registry.get(name)))


@router.get(
    "/v2/models/{name:model}/versions/{version}",
    response_model=schemas.ModelMetadata,
    operation_id="v2_model_version",
)
async def version_metadata(request: Request, name: Name, version: Version) -> Response:
    """The same, for the version that answers now."""
    return answer(_metadata(_of_version(context_of(request).registry.get(name), version)))


@router.get("/v2/models/{name:model}/ready", response_model=schemas.ModelReady, operation_id="v2_model_ready")
async def model_ready(request: Request, name: Name) -> Response:
    """Whether the model answers."""
    return answer({"name": context_of(request).registry.get(name).name, "ready": True})


@router.get(
    "/v2/models/{name:model}/versions/{version}/ready",
    response_model=schemas.ModelReady,
    operation_id="v2_model_version_ready",
)
async def version_ready(request: Request, name: Name, version: Version) -> Response:
    """Whether this version of the model answers."""
    return answer({"name": _of_version(context_of(request).registry.get(name), version).name, "ready": True})


@router.post("/v2/models/{name:model}/infer", response_model=schemas.InferAnswer, operation_id="v2_infer")
async def infer(request: Request, name: Name, deadline: Deadline = None) -> Response:
    """Probabilities, typicality, embedding and label of images; one unreadable image refuses the request."""
    return await _inferred(request, context_of(request).registry.get(name), deadline)


@router.post(
    "/v2/models/{name:model}/versions/{version}/infer",
    response_model=schemas.InferAnswer,
    operation_id="v2_infer_version",
)
async def infer_version(
    request: Request, name: Name, version: Version, deadline: Deadline = None
) -> Response:
    """The same, from the version that answers now and from no other."""
    return await _inferred(request, _of_version(context_of(request).registry.get(name), version), deadline)


async def _inferred(request: Request, model: Model, deadline: int | None) -> Response:
    context, exchange = context_of(request), exchanges.of(request.scope)
    exchange.notes |= {"model": model.name, "version": model.version}
    _check_media(exchange.header("content-type"))
    with model.used():
        body = await body_of(request, context)
        length, most = exchange.header(LENGTH_HEADER.lower()), context.settings.images
        weight = len(body) * (WEIGHT_OF_JSON if length is None else 1)
        asked, images = await context.admission.parsed(lambda: request_in(body, length, most), weight)
        rows = await answers(request, model, images, deadline)
        judge = model.predictor.judge(1)
        predictions = [row_of(judge, row) for row in rows]
        count_outcomes(context, model, predictions)
        labels = {id(row): prediction["label"] for row, prediction in zip(rows, predictions, strict=True)}
        whole = _all_answered(rows, predictions)
        named = (model.name, model.version)
        content, json_length = await context.admission.parsed(
            lambda: answer_of(asked, whole, lambda row: labels[id(row)], named),
            len(rows) * (len(model.predictor.classes) + model.features) * WEIGHT_OF_NUMBER,
        )
    if json_length is None:
        return Response(content, media_type="application/json")
    return Response(content, headers={LENGTH_HEADER: str(json_length)}, media_type="application/octet-stream")


def _check_media(kind: str | None) -> None:
    name = (kind or "application/json").partition(";")[0].strip().lower()
    if name not in ("application/json", "application/octet-stream"):
        raise Problem(
            "unsupported_media", "the Content-Type must be application/json or application/octet-stream"
        )


def _all_answered(rows: list[OutputRow | Refusal], predictions: list[dict[str, Any]]) -> list[OutputRow]:
    """The rows, or the Problem of the first image without one: a tensor has no room for a refusal."""
    for place, prediction in enumerate(predictions):
        error = prediction["error"]
        if error is not None and error["code"] == "no_answer":
            raise Problem("no_answer", f"image {place}: {error['message']}")
        if error is not None:
            raise Problem("refused_image", f"image {place}: {error['message']} ({error['code']})")
    return [row for row in rows if isinstance(row, OutputRow)]


def _of_version(model: Model, version: str) -> Model:
    if version != model.version:
        raise Problem(
            "not_found", "this version of the model is not served; the model's metadata name the one that is"
        )
    return model


def _metadata(model: Model) -> dict[str, Any]:
    classes = len(model.predictor.classes)
    features = model.features
    return {
        "name": model.name,
        "versions": [model.version],
        "platform": "onnx_onnxv1",
        "inputs": [{"name": "image", "datatype": "BYTES", "shape": [-1]}],
        "outputs": [
            {"name": "label", "datatype": "BYTES", "shape": [-1]},
            {"name": "probabilities", "datatype": "FP32", "shape": [-1, classes]},
            {"name": "typicality", "datatype": "FP32", "shape": [-1]},
            {"name": "embedding", "datatype": "FP32", "shape": [-1, features]},
        ],
        "parameters": {
            "image": "each element is an image file; in JSON, in base64",
            "image.also": ALTERNATIVE,
            **_of_tags(model),
        },
    }


def _of_tags(model: Model) -> dict[str, str]:
    """What a client must know of a model of tags: which probability of each is enough, and the names."""
    if model.predictor.task is not Task.MULTIPLE:
        return {}
    card = model.predictor.card
    return {
        "task": str(Task.MULTIPLE),
        "tags": json.dumps(card["classes"]),
        "thresholds": json.dumps(card["thresholds"]["tags"]),
    }
