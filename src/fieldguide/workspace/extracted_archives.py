"""An archive becomes a folder that stays, so that its photos can be looked at page by page."""

import re
import secrets
import shutil
from pathlib import Path

from fieldguide.data.archives import unpacked
from fieldguide.errors import DataError
from fieldguide.files import remove_folder
from fieldguide.progress import Progress, silent

_NOT_PLAIN = re.compile(r"[^\w.-]+")


def file_name(text: str, otherwise: str = "photos") -> str:
    """A name for a file or folder made from whatever somebody typed: letters, digits, dots, dashes.

    Parameters
    ----------
    text
        Any text.
    otherwise
        Taken where nothing is left.
    """
    return _NOT_PLAIN.sub("-", text).strip("-.")[:60].strip("-.") or otherwise


def extracted(archive: Path, name: str, into: Path, progress: Progress = silent) -> Path:
    """Unpack an archive for good.

    Parameters
    ----------
    archive
        As :func:`fieldguide.data.archives.unpacked` takes it; it stays where it is.
    name
        What the person calls it; becomes the folder's name, with a number behind it where that is taken.
    into
        Folder that the new one goes to.
    progress
        Callback for progress: the unpacking.

    Returns
    -------
    Path
        The new folder.

    Raises
    ------
    DataError
        If the archive is damaged or hostile, or there is no room; nothing of it stays.
    """
    staging = into / f".{secrets.token_hex(6)}.partial"
    try:
        with unpacked(archive, progress=progress) as found:
            staging.mkdir(parents=True)
            for item in found.folder.iterdir():
                shutil.move(item, staging / item.name)
        return staging.rename(_free(into, file_name(Path(name).stem)))
    except OSError as error:
        raise DataError(
            f"{name}: cannot be unpacked to {into} ({error.strerror}); make room there"
        ) from error
    finally:
        remove_folder(staging)


def _free(folder: Path, name: str) -> Path:
    number = 1
    while (place := folder / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return place
