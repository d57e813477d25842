"""A page that stands alone: one HTML file that asks nobody for anything.

Everything it needs lies inside it, and its Content-Security-Policy forbids the browser to fetch, frame or
run anything else: ``default-src 'none'``, pictures from ``data:`` alone, and exactly the one style sheet
and the one script whose hashes it names. Markup stands in ``page_files/page.html`` alone; Jinja2 escapes
whatever is put into it, and control and bidirectional characters are spelled out. Jinja2 and not our own
templates, because escaping by default is what it is known for, and a template can be read by whoever knows
HTML.
"""

import base64
import hashlib
import io
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fieldguide.errors import OptionError, OutputError
from fieldguide.files import atomic_write
from fieldguide.images.thumbnails import data_url
from fieldguide.installation import command_for
from fieldguide.plain_text import cell_of, escaped
from fieldguide.report.blocks import Block, Drawing, Numbers, Page, PointMap

if TYPE_CHECKING:
    from jinja2 import Environment

LOOK, DEEDS, SKELETON = "page.css", "page.js", "page.html"


def write_page(page: Page, out: Path) -> None:
    """Write a page as one HTML file.

    Raises
    ------
    OptionError
        If Jinja2 is not installed.
    OutputError
        If the file cannot be written.
    """
    content = render(page)
    with atomic_write(out) as file:
        file.write(content)


def write_plots(page: Page, folder: Path) -> list[Path]:
    """Write every plot as SVG and PNG, and the numbers of plots and tables as CSV.

    Parameters
    ----------
    page
        The page.
    folder
        Made if it is not there; files of the same names in it are replaced.

    Returns
    -------
    list of Path
        The files, in the order of the page.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder}: no folder can be made ({error.strerror}); choose another place"
        ) from error
    written = []
    for block in (block for section in page.sections for block in section.blocks):
        for name, content in _files_of(block):
            written.append(folder / name)
            with atomic_write(written[-1]) as file:
                file.write(content)
    return written


def render(page: Page) -> bytes:
    """Give a page as HTML.

    Raises
    ------
    OptionError
        If Jinja2 is not installed.
    """
    look, deeds = _text(LOOK), _text(DEEDS)
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hash(look)}'; script-src '{_hash(deeds)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    from markupsafe import Markup  # Jinja2's own

    template = _environment().get_template(SKELETON)
    whole = template.render(page=page, policy=policy, look=Markup(look), deeds=Markup(deeds))
    return whole.lstrip().encode("utf-8")


def require_jinja() -> None:
    """See that pages can be made, before work begins.

    Raises
    ------
    OptionError
        If Jinja2 is not installed.
    """
    try:
        import jinja2  # noqa: F401
    except ImportError as error:
        raise OptionError(
            f"--report: needs Jinja2, which is not installed; run: {command_for('report')}"
        ) from error


def csv_text(numbers: Numbers) -> str:
    """Numbers as CSV; names that a spreadsheet would compute are made text, as in ``predict --out x.csv``."""
    import csv

    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([cell_of(name) for name in numbers.columns])
    for row in numbers.rows:
        writer.writerow([cell_of(cell) if isinstance(cell, str) else _short(cell) for cell in row])
    return file.getvalue()


def _files_of(block: Block) -> Iterator[tuple[str, bytes]]:
    """Names and contents of what can be saved of a block."""
    name, numbers, drawing = (getattr(block, key, None) for key in ("name", "numbers", "drawing"))
    if drawing is not None:
        yield f"{name}.svg", drawing.svg()
        yield f"{name}.png", drawing.png()
    if isinstance(numbers, Numbers):
        yield f"{name}.csv", csv_text(numbers).encode("utf-8", "surrogateescape")


def _short(value: float | None) -> str:
    """Enough digits for any plot; a whole number stays whole."""
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


@cache
def _environment() -> "Environment":
    require_jinja()
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(_text),
        autoescape=True,
        finalize=_shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: Mapping[str, Any] = {
        "picture_data": data_url,
        "svg_data": _svg_data,
        "csv": csv_text,
        "cell": _cell,
        "point_rows": _point_rows,
    }
    environment.filters.update(filters)
    return environment


def _shown(value: Any) -> Any:
    """What every expression of the template passes through before it is escaped."""
    return escaped(value) if type(value) is str else value  # Markup is a str of another type


def _text(name: str) -> str:
    return files("fieldguide.report").joinpath("page_files", name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode()


def _svg_data(drawing: Drawing) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(drawing.svg()).decode()


def _point_rows(block: PointMap) -> dict[str, Any]:
    """What the pointer tells of each point; the script sets it as text."""
    rows = [[p.group, p.answer, round(p.probability, 3), escaped(p.name)] for p in block.points]
    return {"groups": [escaped(group) for group in block.groups], "rows": rows}


def _cell(value: Any, form: str) -> str:
    return "" if value is None else format(value, form) if form and not isinstance(value, str) else str(value)
