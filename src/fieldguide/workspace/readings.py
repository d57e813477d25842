"""How a person said that a data set is to be read, kept for all pages and for the commands they start."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from fieldguide.data.options import DataOptions
from fieldguide.errors import OptionError
from fieldguide.files import atomic_write
from fieldguide.workspace.folder import Workspace

_FILE = "readings.json"
_MOST_KEPT = 100


def reading_of(space: Workspace, data: Path) -> DataOptions:
    """What was said of a data set; nothing where nothing was."""
    return _options(_kept(space).get(str(data)))


def keep_reading(space: Workspace, data: Path, options: DataOptions) -> None:
    """Keep what was said of a data set, instead of what was said before.

    Raises
    ------
    OutputError
        If DIR cannot be written to.
    """
    kept, said = _kept(space), _said(options)
    if kept.get(str(data), {}) == said:
        return
    kept.pop(str(data), None)
    if said:
        kept[str(data)] = said
    with atomic_write(_file(space)) as file:
        file.write(json.dumps(dict(list(kept.items())[-_MOST_KEPT:])).encode("ascii"))


def as_arguments(options: DataOptions) -> list[str]:
    """The same as options of a command.

    Examples
    --------
    >>> as_arguments(DataOptions(form="coco", label_column="kind", crops=True))
    ['--form', 'coco', '--label-column', 'kind', '--crops']
    """
    arguments = []
    for name, value in _said(options).items():
        flag = f"--{name.replace('_', '-')}"
        arguments += [flag] if value is True else [flag, str(value)]
    return arguments


def _said(options: DataOptions) -> dict[str, Any]:
    return {name: value for name, value in dataclasses.asdict(options).items() if value}


def _options(said: Any) -> DataOptions:
    known = {field.name for field in dataclasses.fields(DataOptions)}
    if not isinstance(said, dict):
        return DataOptions()
    try:
        return DataOptions(**{name: value for name, value in said.items() if name in known})
    except (OptionError, TypeError):  # edited by hand
        return DataOptions()


def _kept(space: Workspace) -> dict[str, Any]:
    try:
        kept = json.loads(_file(space).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _file(space: Workspace) -> Path:
    return space.jobs.parent / _FILE
