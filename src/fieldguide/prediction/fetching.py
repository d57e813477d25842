"""Objects of a store fetched ahead of their decoding, many at once: waiting for a network takes no core."""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fieldguide.errors import Refusal, RefusedInput
from fieldguide.images.decoding import read_bytes
from fieldguide.storage.object_store import ObjectUrl
from fieldguide.threads import in_order

FETCHED_AT_ONCE = 16
"""Requests under way: at 50 ms each, 320 objects a second."""


@dataclass(frozen=True)
class FetchedObject:
    """An object that is here."""

    name: str
    """Its URL."""
    content: bytes


def with_objects_fetched(sources: Iterable[Any], first: Sequence[Any]) -> Generator[Any]:
    """Sources in their order, objects of a store replaced by their bytes or by a refusal.

    Parameters
    ----------
    sources
        What is to be predicted.
    first
        The first of them. Where none is in a store nothing is done; decoding threads fetch what may come.

    Yields
    ------
    Source
        One a source; at most :data:`FETCHED_AT_ONCE` objects are held besides.
    """
    if any(isinstance(source, ObjectUrl) for source in first):
        yield from in_order(_fetched, sources, FETCHED_AT_ONCE, FETCHED_AT_ONCE)
    else:
        yield from sources


def _fetched(source: Any) -> Any:
    if not isinstance(source, ObjectUrl):
        return source
    try:
        return FetchedObject(source, read_bytes(source))
    except RefusedInput as refused:
        return Refusal(source, refused.code, refused.message)
