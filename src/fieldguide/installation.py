"""How this program is called and what is missing is installed: one place that knows, for every message.

Every command that a message names runs as it stands. A library has not been called by any name, so it says
``fieldguide``; the command line's door says otherwise once, with :func:`remember_program`.

fieldguide is not on the package index, so no message may say ``pip install "fieldguide[torch]"``: that finds
nothing there, and one day somebody else's package. What an extra holds is read from the installed package's
own metadata and named, which works however fieldguide was installed.
"""

import importlib.metadata
import os
import re
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

NAME = "fieldguide"
_called: list[str] = [NAME]

DOWNLOADS = {
    "torch": "with PyTorch, 3 GB on Linux, most of it CUDA; less elsewhere",
    "app": "100 MB beside what [train] holds",
    "report": "20 MB",
}
"""What the larger extras download; the sum of the wheels for Linux on x86-64 with Python 3.11, 2026-11-29."""
_MARKED = re.compile(r"""^(?P<requirement>[^;]+?)\s*;.*\bextra\s*==\s*['"](?P<extra>[\w-]+)['"]""")


def requirements(extra: str) -> tuple[str, ...]:
    """What an extra holds, such as ``("torch>=2.6", "timm>=1.0.15")``; extras in extras are followed.

    Examples
    --------
    >>> [requirement.partition(">")[0] for requirement in requirements("parquet")]
    ['pyarrow']
    """
    found: list[str] = []
    for line in importlib.metadata.requires("fieldguide") or []:
        marked = _MARKED.match(line)
        if marked is None or marked["extra"] != extra:
            continue
        nested = re.match(r"fieldguide\[([\w,-]+)\]", marked["requirement"])
        if nested is None:
            found.append(marked["requirement"])
        else:
            found += [one for name in nested[1].split(",") for one in requirements(name)]
    return tuple(dict.fromkeys(found))


def missing(extra: str) -> tuple[str, ...]:
    """Those of an extra's requirements that are not installed."""
    return tuple(one for one in requirements(extra) if not _is_installed(one))


def command_for(extra: str) -> str:
    """The command that installs what an extra lacks, and what it downloads.

    Examples
    --------
    >>> command_for("heic").startswith("pip install 'pillow-heif>=")
    True
    """
    wanted = " ".join(f"'{one}'" for one in missing(extra) or requirements(extra))
    size = DOWNLOADS.get(extra)
    return f"pip install {wanted}" + (f" ({size})" if size else "")


def _is_installed(requirement: str) -> bool:
    name = re.match(r"[\w.-]+", requirement)
    assert name is not None, requirement
    try:
        importlib.metadata.version(name[0])
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def program_command(*words: str) -> str:
    """A command of this program, as a person can type it.

    Parameters
    ----------
    words
        What follows the program's name, as it stands: quoted already where it must be.

    Examples
    --------
    >>> program_command("train DATA", "--out model.onnx")
    'fieldguide train DATA --out model.onnx'
    """
    return " ".join([shlex.join(_called), *words])


def program_line(*words: str | os.PathLike[str]) -> str:
    """A command whose words are taken literally, such as names of files that hold spaces.

    Examples
    --------
    >>> program_line("info", "my model.onnx")
    "fieldguide info 'my model.onnx'"
    """
    return program_command(shlex.join(os.fspath(word) for word in words))


def remember_program(words: Sequence[str]) -> None:
    """Have commands begin with these words, as :func:`program_words` gives them; none changes nothing."""
    if words:
        _called[:] = words


def program_words(script: str, original: Sequence[str]) -> list[str]:
    """The words by which a process was called, its arguments left out.

    The bare name where the shell finds this very program by it, else the path as it was typed; the
    interpreter with ``-m fieldguide`` where it was started so. Anything else, such as a test or a notebook,
    is the bare name.

    Examples
    --------
    >>> program_words("/opt/fieldguide/__main__.py", ["python3", "-m", "fieldguide", "demo"])
    ['python3', '-m', 'fieldguide']
    >>> program_words(".venv/bin/fieldguide", ["/usr/bin/python3", ".venv/bin/fieldguide", "demo"])
    ['.venv/bin/fieldguide']
    """
    name = Path(script).name
    if name == "__main__.py" and original:
        return [original[0], "-m", NAME]
    if Path(name).stem != NAME:
        return [NAME]
    found = shutil.which(NAME)
    return [NAME] if found is not None and _same(found, script) else [script]


def _same(one: str, other: str) -> bool:
    try:
        return Path(one).samefile(other) or Path(one) == Path(other).with_suffix(Path(one).suffix)
    except OSError:
        return Path(one) == Path(other).with_suffix(Path(one).suffix)  # Windows: argv names no .exe
