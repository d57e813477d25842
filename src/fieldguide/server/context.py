"""What the routes of one server share."""

from dataclasses import dataclass

from fastapi import Request

from fieldguide.server.desk import Desk
from fieldguide.server.metrics import Metrics
from fieldguide.server.models import Shelf
from fieldguide.server.settings import Settings


@dataclass
class Context:
    """The parts of a running server."""

    settings: Settings
    """Its limits."""
    metrics: Metrics
    """Its counters."""
    desk: Desk
    """Its bounded queue."""
    shelf: Shelf
    """Its models."""
    stopping: bool = False
    """Whether it was told to stop; it is then no longer ready."""


def context_of(request: Request) -> Context:
    """The context of the server that a request came to."""
    context: Context = request.app.state.context
    return context
