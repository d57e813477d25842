"""From names as tables and tools write them to the images below a folder.

A table that was made elsewhere names its images with the folders of the machine it was made on, with a tool's
prefix, without an ending, or in another case. An image is taken only where one file fits best; a folder that
exists here and is named in the row must be the folder that the file lies in.
"""

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cached_property

from fieldguide.data.scan import suffix_of
from fieldguide.images.decoding import IMAGE_SUFFIXES

_UPLOAD_PREFIX = re.compile(r"^(?:[0-9a-f]{8}-|[0-9a-f]{32}[-_])", re.IGNORECASE)
"""What Label Studio and others put before the name of a file that was uploaded."""

_NUMBER = re.compile(r"0*(0|[1-9]\d*)(?:\.0)?", re.ASCII)

AMBIGUOUS = ""
"""What :meth:`FileIndex.find` gives where several files fit equally well; no path is empty."""


class FileIndex:
    r"""The images below a folder, to be found by their names.

    Parameters
    ----------
    root : str
        The folder.
    paths : iterable of str
        Its images, each beginning with `root`.
    folders : iterable of str
        Folders below it, also those without images; a row that names one of them means no file elsewhere.

    Examples
    --------
    >>> index = FileIndex("photos", ["photos/train/a.jpg", "photos/train/b.png"])
    >>> index.find("C:\\old\\a.jpg"), index.find("b"), index.find("c")
    ('photos/train/a.jpg', 'photos/train/b.png', None)
    """

    def __init__(self, root: str, paths: Iterable[str], folders: Iterable[str] = ()) -> None:
        self._start = len(os.path.join(root, ""))  # noqa: PTH118
        self._paths, self._also = list(paths), list(folders)

    def __len__(self) -> int:
        return len(self._paths)

    # A million names: each table is made only when it is asked for, and shares the paths' own strings.

    @cached_property
    def _named(self) -> dict[str, str | list[str]]:
        """Name of a file to its path, or to several."""
        return _table((_key(path[path.rfind(os.sep) + 1 :]), path) for path in self._paths)

    @cached_property
    def _stems(self) -> dict[str, str | list[str]]:
        """Name without its ending to its path, or to several."""
        # every path ends as images do, so what follows its last dot is the ending
        return _table((_key(path[path.rfind(os.sep) + 1 : path.rfind(".")]), path) for path in self._paths)

    @cached_property
    def _numbers(self) -> dict[str, str | list[str]]:
        """Number without zeros before it to the path whose name without its ending it is, or to several."""
        stems = ((path[path.rfind(os.sep) + 1 : path.rfind(".")], path) for path in self._paths)
        return _table((stem.lstrip("0") or "0", path) for stem, path in stems if stem.isdecimal())

    @cached_property
    def _folders(self) -> set[str]:
        """The names of all folders, those of images among them."""
        relative = {path.rpartition(os.sep)[0][self._start :] for path in self._paths}
        relative.update(folder[self._start :] for folder in self._also)
        return {_key(part) for folder in relative for part in _parts(folder)}

    def find(self, name: str) -> str | None:
        """The image that a name means.

        Returns
        -------
        str or None
            Its path; None if there is none, :data:`AMBIGUOUS` if several fit equally well.
        """
        if "/" in name or "\\" in name:
            exact = self._exact(name)
            if exact is not None:
                return exact
            parts = [part for part in re.split(r"[/\\]+", name) if part not in ("", ".")]
        else:
            key = _key(name)
            found = (self._named if suffix_of(key) in IMAGE_SUFFIXES else self._stems).get(key)
            if isinstance(found, str):  # the usual case, without a folder to agree with
                return found
            parts = [name] if name not in ("", ".") else []
        if not parts or ".." in parts:
            return None
        *folders, last = map(_key, parts)
        for candidates in self._candidates(last):
            if not folders and len(candidates) == 1:
                return candidates[0]
            fitting = [path for path in candidates if self._fits(folders, path[self._start :])]
            if fitting:
                return self._nearest(folders, fitting)
        return None

    def find_number(self, name: str) -> str | None:
        """The image whose number, in the last part of the path, is this one but for zeros.

        Excel takes ``00012`` for a number and writes ``12`` or ``12.0``.
        """
        folder, slash, last = name.replace("\\", "/").rpartition("/")
        number = _NUMBER.fullmatch(last)
        found = _several(self._numbers.get(number[1])) if number else []
        if len(found) > 1:
            return AMBIGUOUS
        return self.find(f"{folder}{slash}{os.path.basename(found[0])}") if found else None  # noqa: PTH119

    def _exact(self, name: str) -> str | None:
        """The file whose path is this name as it stands."""
        found = _several(self._named.get(_key(name.rpartition(os.sep)[2])))
        return next((path for path in found if path[self._start :] == name), None)

    def _candidates(self, last: str) -> Iterator[list[str]]:
        suffix = suffix_of(last)
        if suffix in IMAGE_SUFFIXES:
            yield _several(self._named.get(last))
        else:  # every image has an ending, so no name without one is that of a file
            yield _several(self._stems.get(last))
        bare = _UPLOAD_PREFIX.sub("", last)
        if bare != last:
            yield _several(self._named.get(bare))

    def _fits(self, folders: list[str], relative: str) -> bool:
        """Whether the file's folder is the one that the name gives, where such a folder exists at all."""
        if not folders or folders[-1] not in self._folders:
            return True
        return _parts(_key(relative))[-2:-1] == folders[-1:]

    def _nearest(self, folders: list[str], fitting: list[str]) -> str:
        if len(fitting) == 1:
            return fitting[0]
        whole = [path for path in fitting if not folders and os.sep not in path[self._start :]]
        if len(whole) == 1:  # the file that lies in the folder itself is what the bare name says
            return whole[0]
        shared = [_shared_end(folders, _parts(_key(path[self._start :]))[:-1]) for path in fitting]
        best = max(shared)
        return fitting[shared.index(best)] if shared.count(best) == 1 else AMBIGUOUS


def _table(pairs: Iterable[tuple[str, str]]) -> dict[str, str | list[str]]:
    found: dict[str, str | list[str]] = {}
    for key, path in pairs:
        earlier = found.setdefault(key, path)
        if isinstance(earlier, list):
            earlier.append(path)
        elif earlier is not path:
            found[key] = [earlier, path]
    return found


def _several(found: str | list[str] | None) -> list[str]:
    return found if isinstance(found, list) else [] if found is None else [found]


def _key(name: str) -> str:
    """A name without what differs between machines: letter case, composed and decomposed accents."""
    return name.lower() if name.isascii() else unicodedata.normalize("NFC", name).casefold()


def _parts(path: str) -> list[str]:
    return path.split(os.sep)  # noqa: PTH206 - a million times, and names need not be Unicode


def _shared_end(first: list[str], second: list[str]) -> int:
    count = 0
    for one, other in zip(reversed(first), reversed(second), strict=False):
        if one != other:
            break
        count += 1
    return count
