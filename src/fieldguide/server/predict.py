"""``POST /v1/models/{name}:predict``, and how any route gets answers for images."""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Request, Response
from starlette.types import Receive

from fieldguide.errors import Refusal
from fieldguide.prediction.predictor import ImageSource, judged
from fieldguide.prediction.result import DecisionRule
from fieldguide.server import exchange as exchanges
from fieldguide.server.addresses import Deadline, Name
from fieldguide.server.batching import OutputRow
from fieldguide.server.bodies import images_in
from fieldguide.server.context import Context, context_of
from fieldguide.server.models import Model
from fieldguide.server.problems import Problem, encoded
from fieldguide.server.schemas import PredictAnswer

router: APIRouter = APIRouter(tags=["predict"])

Top = Annotated[int, Query(ge=0, le=1000, description="How many of the most probable classes to list.")]

Result = TypeVar("Result")

WEIGHT_OF_NUMBER = 50
"""What a number of an answer costs, measured in bytes of files taken apart."""


@router.post("/v1/models/{name:model}:predict", response_model=PredictAnswer, operation_id="predict")
async def predict(request: Request, name: Name, top: Top = 5, deadline: Deadline = None) -> Response:
    """Say what is on images: files in a multipart form, or base64 in JSON, one or many.

    An image that cannot be read has its `error` set; it never stops the others.
    """
    context, exchange = context_of(request), exchanges.of(request.scope)
    with context.registry.get(name).used() as model:
        exchange.notes |= {"model": name, "version": model.version}
        body = await body_of(request, context)
        kind, most = exchange.header("content-type"), context.settings.images
        images = await context.admission.parsed(lambda: images_in(kind, body, most), len(body))
        rows = await answers(request, model, images, deadline)
        judge = model.predictor.judge(top)
        version = {"name": name, "version": model.version}

        def written() -> bytes:
            predictions = [row_of(judge, row) for row in rows]
            count_outcomes(context, model, predictions)
            return encoded({"model": version, "predictions": predictions})

        numbers = len(rows) * (len(model.predictor.classes) + top)
        content = await context.admission.parsed(written, numbers * WEIGHT_OF_NUMBER)
    return Response(content, media_type="application/json")


async def body_of(request: Request, context: Context) -> bytes:
    """A request's body, whole and within the limits."""
    exchange = exchanges.of(request.scope)
    return await exchanges.read_body(
        request.receive, exchange, context.admission, context.settings.body_bytes
    )


async def answers(
    request: Request, model: Model, images: Sequence[ImageSource], deadline: int | None
) -> list[OutputRow | Refusal]:
    """Have images answered by the network, as long as the client waits and the deadline allows.

    Raises
    ------
    Problem
        ``overloaded``, ``deadline``, ``client_gone``, ``no_memory`` or ``no_answer``.
    """
    context, exchange = context_of(request), exchanges.of(request.scope)
    exchange.notes["images"] = len(images)
    left = exchange.begun + seconds_for(context, deadline) - time.monotonic()
    with context.admission.seats(len(images)):
        try:
            return await _unless_gone(context.admission.answer(model, images), request.receive, left)
        except Problem:
            raise
        except MemoryError as error:
            raise Problem("no_memory", "there is not enough memory for this request now") from error
        except Exception as error:
            raise Problem(
                "no_answer", "the model gave no usable answer; the server's log says more"
            ) from error


def seconds_for(context: Context, deadline: int | None) -> float:
    """Seconds that a request may take: the server's own, or less where the client asks for less."""
    own = context.settings.deadline
    return own if deadline is None else min(own, deadline / 1000)


async def _unless_gone(work: Coroutine[Any, Any, Result], receive: Receive, seconds: float) -> Result:
    """Wait for work, but not for longer than the client does."""
    working, gone = asyncio.ensure_future(work), asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait({working, gone}, timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        if gone.done():
            raise Problem("client_gone", "the client closed the connection")
        raise Problem("deadline", "the deadline passed before the images were answered; send fewer, or later")
    finally:
        for task in (working, gone):
            if not task.done():
                task.cancel()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def row_of(judge: DecisionRule, row: OutputRow | Refusal) -> dict[str, Any]:
    """The prediction for one image as JSON holds it."""
    if isinstance(row, Refusal):
        prediction = judge.refused(None, row.code, row.message)
    else:
        prediction = judged(judge, None, row.probabilities, row.typicality)
    cells = prediction.as_dict()
    del cells["path"]  # there is none: an image is known by its place in the request
    return {"label": cells.pop("label"), "answer": prediction.answer, **cells}


def count_outcomes(context: Context, model: Model, predictions: list[dict[str, Any]]) -> None:
    """Tell the metrics what became of images."""
    for prediction in predictions:
        error, unknown = prediction["error"], prediction["unknown"]
        outcome = "refused" if error else "unknown" if unknown else "known"
        context.metrics.images.labels(model.name, outcome).inc()
