"""Names of classes as names of folders: safe on every system, and each its own.

A class may be called anything. Its folder is called the same where every system can have it so; else what is
in the way is replaced, and where two names would fall together on a disk that ignores letter case or the
way accents are written, a number sets them apart.
"""

import hashlib
import itertools
import os
import re
import unicodedata
from collections.abc import Iterable, Sequence

from fieldguide.plain_text import SHOWN_AS_ESCAPES

UNKNOWN, REFUSED = "unknown", "refused"
"""Folders of photos that the model knows no class for, and of those that could not be read."""
UNTAGGED = "untagged"
"""Of photos to which a model of tags gives none, which is an answer."""
MOST_BYTES = 100
"""Of a folder's name in UTF-8, so that paths stay within what Windows and backups can take."""
_MOST_FILE_BYTES = 240
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
_DEVICE = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\..*)?", re.IGNORECASE | re.DOTALL
)
_OWN_FILES = re.compile(r"sorted(-\d+)?\.csv.*", re.IGNORECASE | re.DOTALL)


def folder_names(labels: Sequence[str]) -> dict[str, str]:
    """A safe folder's name for each label, no two of which any disk takes for the same.

    Labels that may stay as they are come first, so that no other takes their name; `unknown` and `refused`
    are taken. The same labels give the same names.

    Examples
    --------
    >>> folder_names(["cat", "Cat", "a/b", "..", "NUL", "unknown"])
    {'cat': 'cat', 'Cat': 'Cat-2', 'a/b': 'a_b', '..': '_', 'NUL': '_NUL', 'unknown': 'unknown-2'}
    """
    taken = {UNKNOWN, REFUSED}
    names: dict[str, str] = {}
    for label in sorted(dict.fromkeys(labels), key=lambda label: safe_name(label) != label):
        names[label] = _apart(safe_name(label), taken)
    return {label: names[label] for label in labels}


def untagged_name(names: Iterable[str]) -> str:
    """The folder of photos without tags, beside folders of these names.

    Examples
    --------
    >>> untagged_name(["dog", "Untagged"])
    'untagged-2'
    """
    return _apart(UNTAGGED, {key_of(name) for name in names})


def changes(names: dict[str, str]) -> list[str]:
    """A sentence for each label whose folder has another name."""
    return [
        f"the folder of the label {label[:60]!r} is called {name!r}"
        for label, name in names.items()
        if name != label
    ]


def safe_name(label: str) -> str:
    r"""The label as one name of a folder that every system allows.

    Examples
    --------
    >>> safe_name("../x"), safe_name(".git"), safe_name("aux.h"), safe_name("a\0b. "), safe_name("")
    ('_x', '_git', '_aux.h', 'a_b', '_')
    """
    text = unicodedata.normalize("NFC", label)
    text = "".join("_" if unicodedata.category(letter) in SHOWN_AS_ESCAPES else letter for letter in text)
    text = _FORBIDDEN.sub("_", text).strip().rstrip(". ")
    if text.startswith((".", "-")):  # hidden, a way up, or an option of `rm *`
        text = "_" + text.lstrip(".-_ ")
    if not text or _DEVICE.fullmatch(text) or _OWN_FILES.fullmatch(text):
        text = f"_{text}"
    if len(text.encode()) <= MOST_BYTES:
        return text
    mark = hashlib.sha256(label.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{shortest(text, MOST_BYTES - 9).rstrip('. ')}-{mark}"


def shortest(text: str, most: int) -> str:
    """The beginning of a name that has at most so many bytes as a file system counts them."""
    while len(os.fsencode(text)) > most:
        text = text[:-1]
    return text


def key_of(name: str) -> str:
    """The same for two names that some disk takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def numbered(name: str) -> Iterable[str]:
    """The name of a file, then the same with a number, without an end.

    Examples
    --------
    >>> list(itertools.islice(numbered("a.jpg"), 3))
    ['a.jpg', 'a-2.jpg', 'a-3.jpg']
    """
    yield name
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - a name need not be Unicode
    suffix = suffix if len(os.fsencode(suffix)) < 40 else ""
    stem = stem if suffix else name
    for number in itertools.count(2):
        end = f"-{number}{suffix}"
        yield shortest(stem, _MOST_FILE_BYTES - len(os.fsencode(end))) + end


def _apart(name: str, taken: set[str]) -> str:
    number, candidate = 1, name
    while key_of(candidate) in taken:
        number += 1
        candidate = f"{name}-{number}"
    taken.add(key_of(candidate))
    return candidate
