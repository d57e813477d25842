"""The page of each kind of finding, part of the package: how it is found, why it matters, what to do."""

import re
from importlib import resources

from fieldguide.audit.checks import CHECKS, CHECKS_OF_TAGS
from fieldguide.errors import OptionError


def finding_page(code: str) -> str:
    """The page of a kind of finding, in Markdown without links.

    Raises
    ------
    OptionError
        If there is no such kind.

    Examples
    --------
    >>> finding_page("fg003").splitlines()[0]
    '# FG003: Exact duplicates'
    """
    codes = {check.CODE: check.TITLE for check in (*CHECKS, *CHECKS_OF_TAGS)}
    wanted = code.strip().upper()
    if wanted not in codes:
        known = ", ".join(f"{name} {title}" for name, title in codes.items())
        raise OptionError(f"must be the code of a finding, got {code!r}; there are: {known}")
    file = resources.files("fieldguide.audit") / "pages" / f"{wanted}.md"
    return re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", file.read_text(encoding="utf-8"))
