"""Names that strangers gave, as text that can only be read.

File names and class names may hold control, escape and bidirectional characters, and bytes that are no text.
What is shown to a person, on a terminal or a page, has them spelled out.
"""

import unicodedata

SHOWN_AS_ESCAPES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that a terminal or a browser might obey instead of show."""


def escaped(text: str) -> str:
    r"""Spell out characters that would be obeyed (``\x1b``, ``\u202e``) and bytes that are no text."""
    return "".join(
        _spelled(char) if unicodedata.category(char) in SHOWN_AS_ESCAPES else char for char in text
    )


def _spelled(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # how Python holds a byte of a file name that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")
