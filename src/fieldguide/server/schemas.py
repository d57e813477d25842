"""The JSON of the first version of the API, as the document at ``/openapi.json`` describes it."""

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

BASE64 = r"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
"""Of a text that is standard base64 with padding."""


class ErrorDetail(BaseModel):
    """Why there is no answer."""

    code: str = Field(description="A short stable word; docs/serve.md lists them.", examples=["malformed"])
    message: str = Field(description="One sentence for a person.")
    request_id: str = Field(description="The same as in the X-Request-Id header and in the server's log.")


class Error(BaseModel):
    """The answer to a request that cannot be served."""

    error: ErrorDetail


class PredictRequest(BaseModel):
    """Images as JSON."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)

    images: Annotated[
        list[Annotated[str, Field(json_schema_extra={"pattern": BASE64, "contentEncoding": "base64"})]],
        Field(fail_fast=True),
    ]
    """Image files (JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF) in standard base64."""


class Share(BaseModel):
    """A class and its probability."""

    label: str
    probability: float = Field(ge=0, le=1)


class RefusedImage(BaseModel):
    """Why one image could not be read."""

    code: str = Field(
        description="A short stable word; docs/images.md lists them, docs/serve.md has one more.",
        examples=["truncated"],
    )
    message: str


class PredictionRow(BaseModel):
    """What the model says of one image; where it was refused, `error` says why and the rest is empty."""

    label: str | None = Field(description="The most probable class or tag.")
    answer: str = Field(
        description="What a person would count: the label, or tags joined by |, `unknown` or `refused`."
    )
    labels: list[str] | None = Field(
        default=None, description="The tags given; only there in a model of tags. None is an answer."
    )
    probability: float | None = Field(description="Of `label`, calibrated.")
    typicality: float | None = Field(description="How familiar the image looks, from 0 to 1.")
    unknown: bool | None = Field(description="Whether it looks like none of the classes.")
    set: list[str] = Field(description="Holds the true class with the coverage that the card states.")
    top: list[Share] = Field(description="The most probable classes, descending.")
    error: RefusedImage | None


class ModelName(BaseModel):
    """Which model answered."""

    name: str
    version: str = Field(description="The first 16 digits of the model file's SHA-256.")


class PredictAnswer(BaseModel):
    """One prediction an image, in the order of the request."""

    model: ModelName
    predictions: list[PredictionRow]


class ModelEntry(ModelName):
    """A model in a list."""

    recipe: str
    classes: int = Field(description="How many it knows.")


class ModelList(BaseModel):
    """All models of this server."""

    models: list[ModelEntry]


class ModelCard(ModelName):
    """A model with its card."""

    trouble: str | None = Field(description="Why a replaced file is not the one that answers.")
    card: dict[str, Any] = Field(
        description="What the model file says of itself, but for `data.contents`; docs/artifact.md."
    )


class Live(BaseModel):
    """The process runs."""

    live: bool


class ReadyModel(ModelName):
    """Whether a model answers, and whether it is the one whose file lies there now."""

    ready: bool
    trouble: str | None


class Ready(BaseModel):
    """Whether requests are answered."""

    ready: bool
    models: list[ReadyModel]
