"""From a request's body to its images: multipart files, or base64 in JSON. Nothing is written to disk."""

import binascii
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from fieldguide.server.problems import Problem
from fieldguide.server.schemas import PredictRequest

FIELD = "images"
"""Of the multipart form, as often as there are images."""
MOST_SHOWN = 3
"""Mistakes named in one answer."""

MOST_NAMES = 200
"""Names of fields in one request in JSON; an honest one has some twenty."""

Checked = TypeVar("Checked", bound=BaseModel)


def images_in(content_type: str | None, body: bytes, most: int) -> list[bytes]:
    """Take the images out of a body.

    Parameters
    ----------
    content_type
        The header as it came.
    body
        All of it.
    most
        Images that one request may have.

    Raises
    ------
    Problem
        ``malformed`` or ``unsupported_media``.
    """
    kind, options = _parsed_type(content_type)
    if kind == "multipart/form-data":
        images = _in_form(options.get(b"boundary", b""), body, most)
    elif kind == "application/json":
        request = checked(PredictRequest, body, most + MOST_NAMES)
        images = [from_base64(text, f"images.{place}") for place, text in enumerate(request.images)]
    else:
        raise Problem(
            "unsupported_media",
            "the Content-Type must be multipart/form-data (files in fields named 'images') "
            'or application/json ({"images": ["<base64>"]})',
        )
    if not 1 <= len(images) <= most:
        raise Problem("malformed", f"a request has 1 to {most} images; this one has {len(images)}")
    return images


def checked(kind: type[Checked], body: bytes, most: int) -> Checked:
    """Parse JSON and check it against a schema.

    Parameters
    ----------
    kind
        The schema. Its lists stop at their first mistake (`fail_fast`), or a mistake an item would
        cost a hundred times the body.
    body
        The JSON.
    most
        Items and names it may have. They are counted in the bytes, before anything is made of them; a text
        that holds commas or braces counts as several.

    Raises
    ------
    Problem
        ``malformed``, naming fields but nothing that they hold.
    """
    if body.count(b",") + body.count(b"[") + body.count(b"{") > most or body.count(b":") > MOST_NAMES:
        raise Problem(
            "malformed", f"the JSON has more than the {most:,} items or {MOST_NAMES} names that are read"
        )
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        shown = error.errors(include_url=False, include_input=False, include_context=False)
        raise Problem("malformed", sentence_of(shown)) from None


def sentence_of(errors: Any) -> str:
    """Mistakes found by pydantic as one sentence, without what was sent."""
    found = [f"{_place(error['loc'])}: {error['msg']}" for error in errors[:MOST_SHOWN]]
    more = f" (and {len(errors) - MOST_SHOWN} more)" if len(errors) > MOST_SHOWN else ""
    return "the request does not match /openapi.json: " + "; ".join(found)[:600] + more


def from_base64(text: str, place: str) -> bytes:
    """Decode standard base64 with its padding, and nothing that only looks like it."""
    try:
        if len(text) % 4:  # which even strict decoding lets pass where padding is too long
            raise binascii.Error
        return binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise Problem(
            "malformed",
            f"{place}: must be standard base64 with padding, without line breaks or a 'data:' prefix",
        ) from error


def _place(steps: tuple[int | str, ...]) -> str:
    return ".".join(str(step)[:40] for step in steps[:6]) or "body"


def _parsed_type(content_type: str | None) -> tuple[str, dict[bytes, bytes]]:
    kind, options = parse_options_header(content_type)
    return kind.decode("latin-1"), options


def _in_form(boundary: bytes, body: bytes, most: int) -> list[bytes]:
    if not boundary:
        raise Problem("malformed", "the Content-Type of a multipart body must name its boundary")
    form = _Form(most)
    try:
        parser = MultipartParser(boundary, form.callbacks(), max_size=max(len(body), 1))
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise Problem("malformed", "the multipart body is damaged, or its boundary is another one") from error
    if not form.ended:
        raise Problem("malformed", "the multipart body ends before its last boundary")
    return form.images


class _Form:
    """Gathers the parts of a form; the parser calls it for each piece of them."""

    def __init__(self, most: int) -> None:
        self.images: list[bytes] = []
        self.ended = False
        self._most = most
        self._name = self._value = b""
        self._field = b""
        self._pieces: list[bytes] = []

    def callbacks(self) -> Any:
        names = ("part_begin", "part_data", "part_end", "header_field", "header_value", "header_end")
        listed: dict[str, Callable[..., None]] = {f"on_{name}": getattr(self, name) for name in names}
        return {**listed, "on_headers_finished": self.headers_finished, "on_end": self.end}

    def part_begin(self) -> None:
        if len(self.images) >= self._most:
            raise Problem("malformed", f"a request has at most {self._most} images; send several requests")
        self._name = self._value = self._field = b""
        self._pieces = []

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._field = self._value
        self._name = self._value = b""

    def headers_finished(self) -> None:
        _, options = parse_options_header(self._field.decode("latin-1"))
        if options.get(b"name") != FIELD.encode() or b"filename" not in options:
            raise Problem("malformed", f"each part must be a file in a field named '{FIELD}'")

    def part_data(self, data: bytes, start: int, end: int) -> None:
        self._pieces.append(data[start:end])

    def part_end(self) -> None:
        self.images.append(b"".join(self._pieces))

    def end(self) -> None:
        self.ended = True
