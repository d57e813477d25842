"""What a page is made of: plain data, no HTML. How each block looks stands in ``page_files/page.html``.

Whoever writes a section fills these in; names of files and classes go in as they are. Since no section
writes markup, none can forget to escape it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

Cell = str | int | float | None
"""What a table holds; None shows as an empty cell."""


class Block(Protocol):
    """A part of a section."""

    kind: ClassVar[str]
    """Name of the macro in the template that shows it."""


class Drawing(Protocol):
    """A figure that can be written in two forms."""

    def svg(self) -> bytes:
        """As SVG: sharp at any size, small, and text stays text."""

    def png(self) -> bytes:
        """As PNG, for documents that take no SVG."""


@dataclass(frozen=True)
class Numbers:
    """The numbers behind a plot or a table."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    kind: ClassVar[str] = "text"
    text: str


@dataclass(frozen=True)
class Notice:
    """A sentence that must not be overlooked, or that says why something is not there."""

    kind: ClassVar[str] = "notice"
    text: str
    command: str = ""
    """What to type, if anything; several commands are separated by line ends."""


@dataclass(frozen=True)
class Tile:
    """One figure with its range."""

    name: str
    value: str
    note: str
    """What it means, in a few words."""
    span: tuple[float, float, float] | None = None
    """Low, value and high on the scale 0 to 1, drawn as a bar; None draws none."""


@dataclass(frozen=True)
class Tiles:
    """The figures that a person looks for first; the first of them is shown large."""

    kind: ClassVar[str] = "tiles"
    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class Facts:
    """Names and values, one a line."""

    kind: ClassVar[str] = "facts"
    rows: tuple[tuple[str, str], ...]
    long: bool = False
    """Whether values are sentences, which take the whole width."""


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    form: str = ""
    """A format such as ``.3f`` for numbers; empty for text and whole numbers."""
    bar: bool = False
    """Whether a value from 0 to 1 is drawn as a bar as well."""
    note: str = ""
    """What the column means, shown where the pointer rests."""


@dataclass(frozen=True)
class TableBlock:
    """Rows that can be sorted, filtered and saved."""

    kind: ClassVar[str] = "table"
    name: str
    """Names the file that its numbers are saved in; unique in the page."""
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    shown: int = 15
    """Rows that are there before somebody asks for all."""

    @property
    def numbers(self) -> Numbers:
        """The rows as they are saved."""
        return Numbers(tuple(column.name for column in self.columns), self.rows)


@dataclass(frozen=True)
class Picture:
    """A plot with its words and numbers."""

    kind: ClassVar[str] = "picture"
    name: str
    """Names its files; unique in the page."""
    alt: str
    """What it shows, for whoever cannot see it: the finding, not the axes alone."""
    caption: str
    drawing: Drawing
    numbers: Numbers
    wide: bool = False
    """Whether it takes the width of two."""


@dataclass(frozen=True)
class Shot:
    """A photo in small."""

    image: bytes
    """Encoded by :mod:`fieldguide.images.thumbnails`; empty where it can no longer be read."""
    title: str
    lines: tuple[str, ...] = ()
    file: str = ""
    """The photo's name, shown on one line."""
    heat: bytes = b""
    """The same size and form, transparent where nothing was looked at; empty where there is none."""


@dataclass(frozen=True)
class Gallery:
    """Photos side by side."""

    kind: ClassVar[str] = "gallery"
    shots: tuple[Shot, ...]
    small: bool = False

    @property
    def has_heat(self) -> bool:
        """Whether any photo can show where the model looked."""
        return any(shot.heat for shot in self.shots)


@dataclass(frozen=True)
class Step:
    """Something to do."""

    title: str
    why: str
    gain: str = ""
    """What it may bring, in few words; empty where that cannot be told."""
    command: str = ""


@dataclass(frozen=True)
class Steps:
    """Things to do, the most rewarding first."""

    kind: ClassVar[str] = "steps"
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Point:
    """A photo's place on a map."""

    x: float
    """From 0 (left) to 1."""
    y: float
    """From 0 (bottom) to 1."""
    group: int
    """Number of its true class."""
    answer: int
    """Number of the class that the model names."""
    probability: float
    name: str


@dataclass(frozen=True)
class Sheet:
    """Many small square pictures in one image, row by row."""

    image: bytes
    columns: int
    side: int
    """Of one picture, in pixels."""


@dataclass(frozen=True)
class PointMap:
    """Photos as points; the pointer shows the photo."""

    kind: ClassVar[str] = "point_map"
    name: str
    alt: str
    caption: str
    points: tuple[Point, ...]
    groups: tuple[str, ...]
    """Names of the classes by number."""
    sheet: Sheet
    """A picture a point, in the same order."""
    drawing: Drawing
    """The same map as a plot, for saving."""
    called: tuple[str, str] = ("class", "classes")
    """What a group is called, and several."""

    @property
    def numbers(self) -> Numbers:
        """Place, truth and answer of each point."""
        rows = tuple(
            (p.name, p.x, p.y, self.groups[p.group], self.groups[p.answer], p.probability)
            for p in self.points
        )
        return Numbers(("image", "x", "y", "label", "answer", "probability"), rows)


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading."""

    name: str
    """Its place in links (``#name``): small letters and hyphens."""
    title: str
    lead: str
    """What is to be seen here and how to read it, in one or two sentences."""
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Page:
    """A whole page."""

    title: str
    subtitle: str
    sections: Sequence[Section]
    closing: str
    """What made it, at the foot."""
