"""A model made of class names: what it was made of, what photos said of it, what it cannot promise."""

from collections.abc import Iterator

from fieldguide.displays import html as page
from fieldguide.displays import summary
from fieldguide.learning.zero_shot.result import ZeroShotResult
from fieldguide.plain_text import shortened


def lines(result: ZeroShotResult) -> Iterator[str]:
    """What the command shows."""
    yield _heading(result)
    yield from (f"  {choice}" for choice in result.card["choices"])
    if result.validation is not None:
        yield "measured on labelled photos, each held out of what answered it"
        yield from summary.lines(result.validation.as_dict())
    yield from result.limits


def html(result: ZeroShotResult) -> str:
    """The same as a page."""
    warned = [page.paragraph(sentence, "warn") for sentence in result.limits]
    chosen = [page.paragraph(choice, "dim") for choice in result.card["choices"]]
    measured = [] if result.validation is None else list(summary.lines(result.validation.as_dict()))
    return page.whole(_heading(result), *map(page.paragraph, measured), *warned, *chosen)


def _heading(result: ZeroShotResult) -> str:
    names = shortened(", ".join(result.card["classes"]), 60)
    return (
        f"{result.out}: {len(result.card['classes'])} classes ({names}) by {result.card['backbone']['name']}"
    )
