"""The tags of photos: as names, and as a matrix with a row a photo and a column a tag."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ABSENT, PRESENT, NOT_KNOWN = 0, 1, -1
"""What the matrix says of a photo and a tag; what is not known counts neither way."""

Indicators = NDArray[np.int8]
"""Of shape (n_images, n_tags): :data:`PRESENT`, :data:`ABSENT` or :data:`NOT_KNOWN`."""


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of one photo; all others are absent from it.

    Examples
    --------
    >>> Tags.of(["dog", "beach", "dog"]).present
    ('beach', 'dog')
    """

    present: tuple[str, ...] = ()
    """What the photo shows, sorted; nothing at all is an answer."""
    not_known: tuple[str, ...] = ()
    """What it may show or not, sorted: nobody has looked."""

    @staticmethod
    def of(present: Iterable[str], not_known: Iterable[str] = ()) -> "Tags":
        """Tags in any order; what is present counts as known, and empty names as none."""
        shown = {name for name in present if name}
        return Tags(tuple(sorted(shown)), tuple(sorted({name for name in not_known if name} - shown)))


def indicators(tags: Sequence[Tags], names: Sequence[str]) -> Indicators:
    """The matrix of photos and tags; tags that are not among `names` are left out.

    Examples
    --------
    >>> indicators([Tags(("dog",)), Tags((), ("dog",)), Tags()], ["beach", "dog"]).tolist()
    [[0, 1], [0, -1], [0, 0]]
    """
    place = {name: column for column, name in enumerate(names)}
    matrix = np.zeros((len(tags), len(names)), dtype=np.int8)
    for row, one in enumerate(tags):
        for value, listed in ((PRESENT, one.present), (NOT_KNOWN, one.not_known)):
            columns = [place[name] for name in listed if name in place]
            matrix[row, columns] = value
    return matrix


def names_of(tags: Iterable[Tags]) -> tuple[str, ...]:
    """The tags that any of the photos has, sorted.

    Examples
    --------
    >>> names_of([Tags(("dog", "sea")), Tags(("dog",), ("cat",))])
    ('dog', 'sea')
    """
    return tuple(sorted({name for one in tags for name in one.present}))
