"""The JSON of the Open Inference Protocol, version 2, as this server speaks it.

Source: https://github.com/kserve/open-inference-protocol (specification/protocol/inference_rest.md), with
the binary tensor extension of NVIDIA Triton.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

OUTPUTS = ("label", "probabilities", "typicality", "embedding")


class InferenceError(BaseModel):
    """The protocol has a text where the rest of this server has an object."""

    error: str = Field(description="A sentence, then the code and the id of the request in brackets.")


class TensorParameters(BaseModel):
    """How a tensor travels."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)

    binary_data_size: Annotated[int, Field(ge=0)] | None = None
    """Bytes of this tensor after the JSON; it then has no `data`."""
    content_type: Literal["base64"] | None = None
    """Said by some clients; images in JSON are base64 anyway."""


class InputTensor(BaseModel):
    """Images: BYTES of shape [n], each an image file, or UINT8 of shape [n, height, width, 3], RGB."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)

    name: Literal["image"]
    datatype: Literal["BYTES", "UINT8"]
    shape: Annotated[
        list[Annotated[int, Field(ge=1, le=65_535)]], Field(min_length=1, max_length=4, fail_fast=True)
    ]
    parameters: TensorParameters | None = None
    data: list[Any] | None = None
    """BYTES: base64 of image files. UINT8: numbers, nested as the shape says or flat."""


class OutputParameters(BaseModel):
    """How an output is wanted."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)

    binary_data: bool | None = None


class WantedOutput(BaseModel):
    """An output by its name."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)

    name: Literal["label", "probabilities", "typicality", "embedding"]
    parameters: OutputParameters | None = None


class InferParameters(BaseModel):
    """Of the whole request; others are not known here and are ignored, as the protocol wants."""

    model_config: ClassVar[ConfigDict] = ConfigDict(strict=True)

    binary_data_output: bool | None = None


class InferRequest(BaseModel):
    """A request for inference."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)

    id: Annotated[str, Field(max_length=256)] | None = None
    parameters: InferParameters | None = None
    inputs: Annotated[list[InputTensor], Field(min_length=1, max_length=1, fail_fast=True)]
    outputs: Annotated[list[WantedOutput], Field(max_length=16, fail_fast=True)] | None = None
    """None or empty asks for all."""


class OutputTensor(BaseModel):
    """An output: with `data`, or with `binary_data_size` in its parameters."""

    name: str
    datatype: str
    shape: list[int]
    parameters: dict[str, Any] | None = None
    data: list[Any] | None = None


class InferAnswer(BaseModel):
    """An answer with its tensors."""

    model_name: str
    model_version: str
    id: str | None = None
    outputs: list[OutputTensor]


class TensorMetadata(BaseModel):
    """A tensor of a model."""

    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(BaseModel):
    """A model and its tensors."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]
    parameters: dict[str, str]


class ServerMetadata(BaseModel):
    """The server."""

    name: str
    version: str
    extensions: list[str]


class ServerLive(BaseModel):
    """The process runs."""

    live: bool


class ServerReady(BaseModel):
    """Requests are answered."""

    ready: bool


class ModelReady(BaseModel):
    """A model answers."""

    name: str
    ready: bool
