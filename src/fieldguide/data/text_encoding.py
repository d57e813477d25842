"""Bytes of a table as text: UTF-8, UTF-16 and UTF-32 by their marks, and the code page that Excel calls ANSI.

A file that is no UTF-8 does not say which code page it is in. Detectors guess from the frequency of letters,
which a table of a dozen labels does not show; so one page is read, Windows-1252, and only where what comes
of it looks like words of a language that is written with it. All else has to be saved as UTF-8.
"""

import codecs
import re

CODE_PAGE = "cp1252"
"""Windows-1252: what spreadsheets of Western Europe and America call ANSI."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PUNCTUATION = frozenset("–—‘’‚“”„•…€£§°©®«»¿¡·\xa0")
# Letters of Windows-1252 that words of its languages hold inside; Cyrillic, Greek and Asian code pages give
# long runs of them, Central European ones signs between letters.
_LONGEST_RUN = re.compile(r"[^\W\x00-\x7f]{3,}")


def decoded(content: bytes) -> tuple[str, tuple[str, ...]]:
    r"""A table's bytes as text, and sentences on what was found out.

    Bytes that are no UTF-8 are kept as :func:`os.fsdecode` keeps them, so that file names match;
    :func:`as_code_page` reads them where they are words.

    Examples
    --------
    >>> decoded(b"\xff\xfec\0a\0t\0"), decoded("Hüte".encode("cp1252"))
    (('cat', ()), ('H\udcfcte', ()))
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            if encoding == "utf-8":
                return content[len(mark) :].decode("utf-8", errors="surrogateescape"), ()
            return content.decode(encoding, errors="replace"), ()
    if b"\0" in content[:2]:
        encoding = "utf-16-be" if content[:1] == b"\0" else "utf-16-le"
        return content.decode(encoding, errors="replace"), ("the table was read as UTF-16",)
    return content.decode("utf-8", errors="surrogateescape"), ()


def has_odd_bytes(text: str) -> bool:
    r"""Whether a text holds bytes that are no UTF-8.

    Examples
    --------
    >>> has_odd_bytes("H\udcfcte"), has_odd_bytes("Hüte")
    (True, False)
    """
    return not text.isascii() and any("\udc80" <= letter <= "\udcff" for letter in text)


def as_code_page(text: str) -> str | None:
    r"""A text with odd bytes read as Windows-1252; None where nothing sensible comes of it.

    Examples
    --------
    >>> as_code_page("H\udcfcte"), as_code_page("\udcea\udcee\udcf8\udcea\udce0")  # Cyrillic
    ('Hüte', None)
    """
    try:
        plain = text.encode("utf-8", "surrogateescape").decode(CODE_PAGE)
    except UnicodeError:
        return None
    odd = {letter for letter in plain if not letter.isascii()}
    if any(not letter.isalpha() and letter not in _PUNCTUATION for letter in odd):
        return None
    return None if _LONGEST_RUN.search(plain) or "ß" in plain[:1] else plain
