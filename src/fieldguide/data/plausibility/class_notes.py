"""What there is to say of the names of classes."""

import unicodedata
from collections.abc import Iterator, Sequence


def class_notes(classes: Sequence[str], learned: Sequence[str]) -> Iterator[str]:
    """Class names that look the same to a person, and classes that training will not see.

    Parameters
    ----------
    classes
        All of DATA.
    learned
        Those that have photos to learn from.

    Examples
    --------
    >>> list(class_notes(["cat", "Cat"], ["Cat", "cat"]))
    ["the classes 'cat' and 'Cat' look alike; they are kept apart, merge them if they are one"]
    """
    alike: dict[str, list[str]] = {}
    for name in classes:
        key = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold()).strip()
        alike.setdefault(key, []).append(name)
    for names in alike.values():
        if len(names) > 1:
            twins = " and ".join(map(ascii, names))
            yield f"the classes {twins} look alike; they are kept apart, merge them if they are one"
    unseen = sorted(set(classes) - set(learned))
    if unseen:
        yield f"not in train, so never predicted: {', '.join(map(repr, unseen))}"
