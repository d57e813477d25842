"""The parts of an address that vary, a model's name and its version, and a header that routes share."""

from typing import Annotated

from fastapi import Header, Path
from starlette.convertors import StringConvertor, register_url_convertor

from fieldguide.server.models import NAME


class _Name(StringConvertor):
    """A model's name in an address: without the colon that begins a verb."""

    regex = "[^/:]+"


# Routes are compiled where they are declared, so Starlette must know the word `model` by then.
register_url_convertor("model", _Name())

Name = Annotated[str, Path(description="As GET /v1/models lists it.", pattern=f"^{NAME.pattern}$")]
Version = Annotated[str, Path(pattern="^[0-9a-f]{1,64}$", description="As the model's metadata lists it.")]
Deadline = Annotated[
    int | None,
    Header(
        alias="X-Deadline-Ms",
        ge=1,
        le=3_600_000,
        description="Milliseconds after which the answer is of no use; the server's own deadline holds, too.",
    ),
]
