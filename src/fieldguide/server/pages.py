"""What can be asked about the server itself: models, health, metrics."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from fieldguide.server import schemas
from fieldguide.server.addresses import Name
from fieldguide.server.context import Context, context_of
from fieldguide.server.models import RegisteredModel
from fieldguide.server.problems import RETRY_SECONDS, Problem, encoded

router: APIRouter = APIRouter()


@router.get("/v1/models", response_model=schemas.ModelList, tags=["models"], operation_id="list_models")
async def list_models(request: Request) -> Response:
    """All models of this server."""
    return answer({"models": [_entry(place) for place in context_of(request).registry.places()]})


@router.get(
    "/v1/models/{name:model}", response_model=schemas.ModelCard, tags=["models"], operation_id="model_card"
)
async def model_card(request: Request, name: Name) -> Response:
    """What a model says of itself: recipe, classes, thresholds, metrics, data."""
    for place in context_of(request).registry.places():
        if place.name == name:
            model = place.model
            named = {"name": name, "version": model.version, "trouble": place.trouble}
            return answer({**named, "card": _without_sketch(model.predictor.card)})
    raise Problem("not_found", "there is no model of this name; GET /v1/models lists them")


def _without_sketch(card: Mapping[str, Any]) -> dict[str, Any]:
    """A card without the sketch of what the model learned from: 175 kB that only `evaluate` needs."""
    data = {name: value for name, value in card["data"].items() if name != "contents"}
    return {**card, "data": data}


@router.get("/v1/health/live", response_model=schemas.Live, tags=["health"], operation_id="live")
async def live(request: Request) -> Response:
    """Whether the process runs; a supervisor that gets no answer should start it again."""
    return answer({"live": True})


@router.get(
    "/v1/health/ready",
    response_model=schemas.Ready,
    tags=["health"],
    operation_id="ready",
    responses={503: {"model": schemas.Ready, "description": "The server is stopping."}},
)
async def ready(request: Request) -> Response:
    """Whether requests are answered, and by which version of each model."""
    context = context_of(request)
    models = [
        {"name": place.name, "version": place.model.version, "ready": True, "trouble": place.trouble}
        for place in context.registry.places()
    ]
    if context.stopping:
        headers = {"Retry-After": str(RETRY_SECONDS)}
        return answer({"ready": False, "models": models}, 503, headers)
    return answer({"ready": True, "models": models})


@router.get(
    "/metrics",
    tags=["health"],
    operation_id="metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(request: Request) -> Response:
    """Counters in Prometheus' text format."""
    return Response(context_of(request).metrics.page(), media_type=CONTENT_TYPE_LATEST)


def answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer in JSON."""
    return Response(encoded(content), status, headers, "application/json")


def watch_gauges(context: Context) -> None:
    """Have the metrics show the queue."""
    watch = context.metrics.watch
    watch("queue_images", "Images accepted and not yet answered", lambda: context.admission.waiting)
    watch("queue_limit_images", "As many may be", lambda: context.settings.queue)
    watch("buffered_bytes", "Bytes of bodies in memory", lambda: context.admission.held)


def _entry(place: RegisteredModel) -> dict[str, Any]:
    card = place.model.predictor.card
    named = {"name": place.name, "version": place.model.version}
    return {**named, "recipe": card["recipe"], "classes": len(place.model.predictor.classes)}
