"""Puts the server together: routes, the shape of errors, the document, and the guard in front."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from importlib.metadata import version
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from fieldguide.server import document, exchange, pages, predict
from fieldguide.server.admission import Admission
from fieldguide.server.bodies import sentence_of
from fieldguide.server.context import Context
from fieldguide.server.inference_protocol import routes
from fieldguide.server.logs import event
from fieldguide.server.metrics import Metrics
from fieldguide.server.middleware import Middleware
from fieldguide.server.models import ModelRegistry
from fieldguide.server.problems import Problem, body_of
from fieldguide.server.settings import Settings


def make_context(paths: Mapping[str, Path], settings: Settings) -> Context:
    """Load the models and make what the routes share.

    Raises
    ------
    ModelFileError
        If a model file cannot be used.
    """
    metrics = Metrics()

    def on_end(code: int | None) -> None:
        metrics.decoders.labels("hung" if code is None else "crashed").inc()
        event("decoder_ended", logging.WARNING, code=code)

    context = Context(settings, metrics, Admission(settings, on_end), ModelRegistry(paths, settings, metrics))
    pages.watch_gauges(context)
    return context


def make_app(context: Context) -> ASGIApp:
    """The whole server as one ASGI application.

    Parameters
    ----------
    context
        From :func:`make_context`; the application closes it when it ends.
    """
    app = FastAPI(
        title="fieldguide",
        version=version("fieldguide"),
        lifespan=_lifespan,
        docs_url=None,  # its page would load scripts from the network
        redoc_url=None,
        redirect_slashes=False,  # a redirect repeats the Host header
        exception_handlers={
            Problem: _on_problem,
            HTTPException: _on_http,
            RequestValidationError: _on_invalid,
            Exception: _on_mistake,
        },
    )
    app.state.context = context
    for router in (predict.router, pages.router, routes.router):
        app.include_router(router)
    document.install(app, context)
    return Middleware(app, context)


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    context: Context = app.state.context
    watching = asyncio.create_task(context.registry.watch())
    try:
        yield
    finally:
        watching.cancel()
        context.admission.close()
        context.registry.close()


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    about = exchange.of(request.scope)
    about.notes["code"] = error.code
    body = body_of(error, about.id, request.scope["path"])
    return Response(body, error.status, error.headers, "application/json")


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        message = "this address does not allow the method; the Allow header names those that it does"
        return await _on_problem(request, Problem("method_not_allowed", message, error.headers))
    if error.status_code == 404:
        return await _on_problem(
            request,
            Problem("not_found", "there is nothing at this address; /openapi.json lists all addresses"),
        )
    return await _on_problem(request, Problem("malformed", "the request cannot be understood"))


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return await _on_problem(request, Problem("malformed", sentence_of(error.errors())))


async def _on_mistake(request: Request, error: Exception) -> Response:
    """Only answers: Starlette raises the error again, and the guard logs it."""
    return await _on_problem(
        request, Problem("internal", "an error in the server; its log has more under this request's id")
    )
