"""DATA in an object store: copied into a temporary folder for as long as it is used, and read like any.

So every form, check and report works as on this machine, and each photo is fetched once, however often it is
read. It takes the room that the photos take.
"""

import contextlib
import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fieldguide.data.archives import is_archive
from fieldguide.data.scan import is_hidden, may_be_dicom, may_hold_labels, skipped_notes, suffix_of
from fieldguide.errors import DataError, Refusal, RefusedInput
from fieldguide.files import scratch_folder
from fieldguide.images.decoding import IMAGE_SUFFIXES, MAX_FILE_BYTES
from fieldguide.progress import Progress
from fieldguide.storage.object_store import Listed, ObjectUrl, check_url, list_objects, read_object
from fieldguide.threads import in_order

FETCHED_AT_ONCE = 16
MOST_BYTES = 4 * 2**30
"""Of a table or an archive."""
_REPORT_EVERY = 100


@dataclass
class _Copy:
    """Where DATA lies for the time being, and what of it does not."""

    folder: Path
    prefix: ObjectUrl
    refused: list[Refusal] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    hidden: int = 0

    def named(self, text: str) -> str:
        """A sentence or path with the URL in place of the temporary folder."""
        return text.replace(str(self.folder), self.prefix.rstrip("/"))


@contextlib.contextmanager
def opened_from_store(
    text: str, open_here: Callable[[Path], AbstractContextManager[Any]], progress: Progress
) -> Iterator[Any]:
    """Open DATA that a person named by a URL.

    Parameters
    ----------
    text
        A prefix, whose objects are read as a folder's files; a table or export of annotations, which is read
        with all that lies beside it; or an archive.
    open_here
        Opens a path of this machine.
    progress
        Callback for progress: the objects fetched.

    Yields
    ------
    Dataset
        Objects that could not be fetched are among its refusals.

    Raises
    ------
    DataError
        If the store does not answer, or what it holds cannot be used.
    """
    url = check_url(text)
    file = "" if url.key.endswith("/") or not _is_file(url.name) else url.name
    prefix = ObjectUrl(url.removesuffix(f"/{file}")) if file else url
    with scratch_folder() as folder, contextlib.ExitStack() as stack:
        copy = _Copy(folder, prefix)
        _fetch_all(copy, [Listed(url, 0)] if is_archive(Path(file)) else _wanted(copy), progress)
        if file and not (folder / file).is_file():
            reason = next((one.message for one in copy.refused if one.path == url), "there is no such object")
            raise DataError(f"{url}: cannot be read: {reason}")
        try:
            dataset = stack.enter_context(open_here(folder / file if file else folder))
        except DataError as error:
            raise DataError(copy.named(str(error))) from error
        refused = [dataclasses.replace(one, path=copy.named(one.path)) for one in dataset.refused]
        yield dataclasses.replace(
            dataset,
            refused=(*refused, *copy.refused),
            notes=(*map(copy.named, dataset.notes), *skipped_notes(copy.others, copy.hidden)),
            name=url.name or url.root,
        )


def _is_file(name: str) -> bool:
    return may_hold_labels(name) or is_archive(Path(name))


def _wanted(copy: _Copy) -> Iterator[Listed]:
    """Images and what may say what they show, as a walk through a folder finds them."""
    for listed in list_objects(copy.prefix):
        parts = _parts(copy, listed)
        name = parts[-1]
        if any(map(is_hidden, parts)):
            copy.hidden += 1
        elif suffix_of(name) in IMAGE_SUFFIXES or may_hold_labels(name) or may_be_dicom(name):
            yield listed
        else:
            copy.others[suffix_of(name)] += 1


def _parts(copy: _Copy, listed: Listed) -> list[str]:
    return listed.url.key[len(copy.prefix.key.strip("/")) :].strip("/").split("/")


def _fetch_all(copy: _Copy, wanted: Iterable[Listed], progress: Progress) -> None:
    def fetch(listed: Listed) -> Refusal | None:
        try:
            _fetch(copy, listed)
        except RefusedInput as refused:
            return Refusal(listed.url, refused.code, refused.message)
        return None

    with contextlib.closing(in_order(fetch, wanted, FETCHED_AT_ONCE, FETCHED_AT_ONCE)) as results:
        for done, refusal in enumerate(results, start=1):
            if refusal is not None:
                copy.refused.append(refusal)
            if done % _REPORT_EVERY == 0:
                progress("fetching", done, None)


def _fetch(copy: _Copy, listed: Listed) -> None:
    parts = _parts(copy, listed)
    if any(part in ("", ".", "..") or "\\" in part or "\0" in part or ":" in part for part in parts):
        raise RefusedInput("outside", "its name is none that a file can have everywhere; rename the object")
    most = MAX_FILE_BYTES if suffix_of(parts[-1]) in IMAGE_SUFFIXES else MOST_BYTES
    content = read_object(listed.url, most)
    place = copy.folder.joinpath(*parts)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    except OSError as error:
        raise RefusedInput(
            "unreadable",
            f"it cannot be kept in the temporary folder ({error.strerror}); make room",
        ) from error
