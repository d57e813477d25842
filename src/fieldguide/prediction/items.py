"""An input as it waits for the model: a path, an object's URL, an image out of a table, or a refusal."""

from dataclasses import dataclass
from typing import TypeAlias

from fieldguide.errors import Refusal


@dataclass(frozen=True)
class EmbeddedImage:
    """An image that stood in a table or an archive."""

    name: str
    """What results call it: the table or archive and its name there."""
    file: str
    """Where it lies for the time being."""


Item: TypeAlias = str | Refusal | EmbeddedImage
"""A text that is an :class:`~fieldguide.storage.object_store.ObjectUrl` is fetched; any other is a file."""


def path_of(item: Item) -> str:
    """The input as it is named in results."""
    if isinstance(item, EmbeddedImage):
        return item.name
    return item.path if isinstance(item, Refusal) else item
