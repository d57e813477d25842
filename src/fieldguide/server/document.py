"""The OpenAPI document: what FastAPI knows of the routes, made complete and true.

Bodies are read by this package's own code, so they are described here; the limits in the document are those
of the server that it comes from.
"""

from typing import Any

from fastapi import FastAPI

from fieldguide.server.access import OPEN_TO_ALL
from fieldguide.server.bodies import FIELD
from fieldguide.server.context import Context
from fieldguide.server.inference_protocol.schemas import InferenceError, InferRequest
from fieldguide.server.inference_protocol.tensors import LENGTH_HEADER
from fieldguide.server.problems import PROBLEMS
from fieldguide.server.schemas import Error, PredictRequest

_EVERYWHERE = (400, 403, 413, 415, 500)
_BODIES = (408, 503)
_DATA_IN_JSON_OR_BEHIND = [
    {
        "required": ["data"],
        "properties": {
            "data": {"type": "array"},
            "parameters": {
                "anyOf": [{"type": "null"}, {"properties": {"binary_data_size": {"type": "null"}}}]
            },
        },
    },
    {
        "required": ["parameters"],
        "properties": {
            "data": {"type": "null"},
            "parameters": {
                "type": "object",
                "required": ["binary_data_size"],
                "properties": {"binary_data_size": {"type": "integer"}},
            },
        },
    },
]
"""A tensor has either `data` or the bytes that `binary_data_size` counts."""
_REFERENCE = "#/components/schemas/{model}"


def install(app: FastAPI, context: Context) -> None:
    """Have the application describe itself by :func:`complete`."""
    plain = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = complete(plain(), context)
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def complete(document: dict[str, Any], context: Context) -> dict[str, Any]:
    """Add bodies, errors, headers and the token to what FastAPI wrote."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for model in (Error, InferenceError, PredictRequest, InferRequest):
        described = model.model_json_schema(ref_template=_REFERENCE)
        schemas |= described.pop("$defs", {})
        schemas[model.__name__] = described
    schemas["PredictRequest"]["properties"][FIELD] |= {"minItems": 1, "maxItems": context.settings.images}
    schemas["InputTensor"] |= {"oneOf": _DATA_IN_JSON_OR_BEHIND}
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            _complete_operation(operation, path, method, context)
    if context.settings.token is not None:
        document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return document


def _complete_operation(operation: dict[str, Any], path: str, method: str, context: Context) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    statuses = {*_EVERYWHERE, *(_BODIES if method == "post" else ()), *((404,) if "{" in path else ())}
    if path.endswith("/infer"):
        statuses.add(422)
    if context.settings.token is not None and path not in OPEN_TO_ALL:
        operation["security"] = [{"token": []}]
        statuses.add(401)
    for parameter in operation.get("parameters", []):
        parameter["schema"] = _parameter(parameter, context)
    model = InferenceError if path.startswith("/v2") else Error
    for status in sorted(statuses):
        responses.setdefault(str(status), _error(status, model.__name__))
    if method == "post":
        operation["requestBody"] = {"required": True, "content": _content(path, context)}
    if path.endswith("/infer"):
        responses["200"]["content"]["application/octet-stream"] = {
            "schema": {"type": "string", "format": "binary"}
        }
    for status, response in responses.items():
        response["headers"] = _headers(status)


def _parameter(parameter: dict[str, Any], context: Context) -> dict[str, Any]:
    """A parameter's schema: names of models are those there are, and nothing is null in an address."""
    schema: dict[str, Any] = parameter["schema"]
    if parameter["name"] == "name":
        return {"type": "string", "enum": [place.name for place in context.registry.places()]}
    for kind in schema.get("anyOf", []):
        if kind.get("type") != "null":
            return dict(kind)
    return schema


def _error(status: int, model: str) -> dict[str, Any]:
    codes = [f"{code}: {meaning}" for code, (known, meaning) in PROBLEMS.items() if known == status]
    reference = {"$ref": _REFERENCE.format(model=model)}
    return {"description": "; ".join(codes), "content": {"application/json": {"schema": reference}}}


def _headers(status: str) -> dict[str, Any]:
    text, number = {"schema": {"type": "string"}}, {"schema": {"type": "integer"}}
    headers: dict[str, Any] = {
        "X-Request-Id": {"required": True, "description": "The client's own, where it is harmless.", **text}
    }
    if status == "503":
        headers["Retry-After"] = {"required": True, "description": "Seconds.", **number}
    if status == "401":
        headers["WWW-Authenticate"] = {"required": True, **text}
    return headers


def _content(path: str, context: Context) -> dict[str, Any]:
    if path.endswith(":predict"):
        images = {
            "type": "array",
            "items": {"type": "string", "format": "binary"},
            "minItems": 1,
            "maxItems": context.settings.images,
            "description": "Image files, one a part, each with a file name; the name is not looked at.",
        }
        form = {
            "type": "object",
            "properties": {FIELD: images},
            "required": [FIELD],
            "additionalProperties": False,
        }
        json = {"$ref": _REFERENCE.format(model="PredictRequest")}
        return {"multipart/form-data": {"schema": form}, "application/json": {"schema": json}}
    json = {"$ref": _REFERENCE.format(model="InferRequest")}
    binary = {
        "type": "string",
        "format": "binary",
        "description": f"JSON of {LENGTH_HEADER} bytes, then tensors.",
    }
    return {"application/json": {"schema": json}, "application/octet-stream": {"schema": binary}}
