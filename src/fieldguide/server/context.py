"""What the routes of one server share."""

from dataclasses import dataclass

from fastapi import Request

from fieldguide.server.admission import Admission
from fieldguide.server.metrics import Metrics
from fieldguide.server.models import ModelRegistry
from fieldguide.server.settings import Settings


@dataclass
class Context:
    """The parts of a running server."""

    settings: Settings
    """Its limits."""
    metrics: Metrics
    """Its counters."""
    admission: Admission
    """Its bounded queue."""
    registry: ModelRegistry
    """Its models."""
    stopping: bool = False
    """Whether it was told to stop; it is then no longer ready."""


def context_of(request: Request) -> Context:
    """The context of the server that a request came to."""
    context: Context = request.app.state.context
    return context
