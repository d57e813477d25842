"""From class names to the texts that an encoder reads."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fieldguide.errors import OptionError
from fieldguide.modelfile.card import MAX_NAME, may_be_class

PROMPT = "a photo of a {}"
NOTHING = frozenset({"none of these", "none of the above", "none", "other", "something else"})
"""Names of a class for what none of the others is; letter case does not count."""
BACKGROUND = ("a photo", "a photo of something", "a photo of some other thing", "an image")
"""What such a class is compared with."""


@dataclass(frozen=True)
class ClassTexts:
    """Which texts stand for which class."""

    classes: tuple[str, ...]
    """Sorted, as in every model."""
    texts: tuple[tuple[str, ...], ...]
    """Those of each class."""

    @property
    def background(self) -> int | None:
        """The class for what none of the others is."""
        found = [number for number, name in enumerate(self.classes) if is_background(name)]
        return found[0] if found else None

    def flat(self) -> list[str]:
        """All texts, each once."""
        return list(dict.fromkeys(text for texts in self.texts for text in texts))

    def vectors(self, embedded: NDArray[np.float64]) -> NDArray[np.float64]:
        """The mean direction of each class's texts.

        Parameters
        ----------
        embedded
            Of shape (n_texts, width), in the order of :meth:`flat`.

        Returns
        -------
        ndarray of shape (n_classes, width)
            Each of length 1.

        Raises
        ------
        OptionError
            If two classes have the same: the encoder knows none of the words that tell them apart.
        """
        place = {text: row for row, text in enumerate(self.flat())}
        means = np.stack([embedded[[place[text] for text in texts]].mean(0) for texts in self.texts])
        found = np.asarray(means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12))
        _check_apart(self.classes, found)
        return found


def is_background(name: str) -> bool:
    """Whether a class is for what none of the others is.

    Examples
    --------
    >>> is_background("None of these"), is_background("oak")
    (True, False)
    """
    return name.strip().casefold() in NOTHING


def class_texts(classes: Sequence[str], prompts: Sequence[str] = ()) -> ClassTexts:
    """Put class names into prompts.

    Parameters
    ----------
    classes
        At least two names; one of them may be for what none of the others is, such as "none of these".
    prompts
        Each with ``{}`` where the name belongs; none: :data:`PROMPT`. The vectors of several are averaged.

    Raises
    ------
    OptionError
        If there are fewer than two names, one twice, one that no class can have, or a prompt without ``{}``.

    Examples
    --------
    >>> class_texts(["oak", "beech"], ["a leaf of {}"]).texts
    (('a leaf of beech',), ('a leaf of oak',))
    """
    names = [name.strip() for name in classes]
    _check(names)
    for prompt in prompts:
        if prompt.count("{}") != 1:
            raise OptionError(f"prompt: must hold {{}} once, where the class name belongs; got {prompt!r}")
    ordered = tuple(sorted(names))
    used = tuple(prompts) or (PROMPT,)
    texts = (
        BACKGROUND if is_background(name) else tuple(prompt.replace("{}", name) for prompt in used)
        for name in ordered
    )
    return ClassTexts(ordered, tuple(texts))


def named_classes(text: str) -> list[str]:
    """The names that a person gives in one word: separated by commas, or a text file with a name a line.

    Raises
    ------
    OptionError
        If there is no such file, or it is no text.

    Examples
    --------
    >>> named_classes("oak, beech,none of these")
    ['oak', 'beech', 'none of these']
    """
    if not text.endswith(".txt"):
        return [name.strip() for name in text.split(",") if name.strip()]
    try:
        lines = Path(text).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(f"classes: {text}: cannot be read as text with a name a line ({error})") from error
    return [line.strip() for line in lines if line.strip()]


def _check_apart(names: Sequence[str], vectors: NDArray[np.float64]) -> None:
    first: dict[bytes, str] = {}
    for name, vector in zip(names, vectors, strict=True):
        other = first.setdefault(vector.tobytes(), name)
        if other != name:
            raise OptionError(
                f"classes: this encoder reads {other!r} and {name!r} as the same (letter case, words that it "
                "does not know, or more words than it reads), so no photo could tell them apart; give other "
                "names"
            )


def _check(names: Sequence[str]) -> None:
    if len(names) < 2:
        raise OptionError(
            f"classes: need two names at least, separated by commas, got {', '.join(names) or 'none'}; for "
            'one class, say also what is not it: --classes "oak,none of these"'
        )
    counts = Counter(names)
    for name in names:
        if not may_be_class(name):
            raise OptionError(f"classes: a name has 1 to {MAX_NAME:,} characters, got {name[:40]!r}")
        if counts[name] > 1:
            raise OptionError(f"classes: {name!r} stands twice; give each name once")
    if sum(map(is_background, names)) > 1:
        several = ", ".join(filter(is_background, names))
        raise OptionError(f"classes: one name at most may stand for all else, got {several}")
