"""Which names mean train, validation and test: of folders, and of cells in a table.

The words are those that Hugging Face's `datasets` takes for splits (``data_files.py``: `dev` is validation,
`eval` is test), with the ones that Kaggle's data sets use besides. What such names carry around the word
(`set`, `images`, a size, a year, what all of them begin with) is passed over.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fieldguide.errors import OptionError

SPLITS = ("train", "validation", "test")
"""The splits that a data set may have."""

KEYWORDS = {
    "train": "train",
    "training": "train",
    "trn": "train",
    "tr": "train",
    "trainval": "train",
    "trainset": "train",
    "trainingset": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "validate": "validation",
    "dev": "validation",
    "development": "validation",
    "valset": "validation",
    "validationset": "validation",
    "devset": "validation",
    "test": "test",
    "testing": "test",
    "tst": "test",
    "ts": "test",
    "te": "test",
    "testset": "test",
    "eval": "test",
    "evaluation": "test",
    "evalset": "test",
    "holdout": "test",
    "heldout": "test",
}
"""Words that name a split, in lower case."""

# fmt: off
_BESIDES = frozenset((
    "set", "sets", "data", "dataset", "datasets", "split", "splits", "image", "images",
    "img", "imgs", "photo", "photos", "picture", "pictures", "pics", "pic", "jpg",
    "jpeg", "png", "folder", "dir", "file", "files", "sample", "samples", "resized",
    "cropped", "raw", "processed", "x", "the", "final", "new", "small", "full",
))
# fmt: on
_HELD_OUT = re.compile(r"\b(hold|held)[\s_\-.]+out\b", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_GLUED = re.compile(
    r"(train|training|val|valid|validation|dev|test|testing)(?=(images?|imgs?|data|photos?)$)"
)
_NUMBER = re.compile(r"\d+(x\d+)?(px)?")
# fmt: off
_WORD_OF_PARTS = frozenset((
    "fold", "part", "split", "set", "subset", "batch", "learn", "learning", "predict",
    "prediction",
))
# fmt: on


@dataclass(frozen=True)
class SplitChoice:
    """What a person says about the splits of DATA; without arguments, nothing."""

    named: Mapping[str, str] = field(default_factory=dict)
    """Name of a folder, or text of a cell → `train`, `validation` or `test`."""
    ignored: bool = False
    """Whether nothing in DATA is a split: folders are classes, a column `split` is not looked at."""

    @staticmethod
    def of(value: "SplitChoice | Mapping[str, str | Iterable[str]] | bool | None") -> "SplitChoice":
        """Read what a caller gave: None leaves it to the names, False ignores splits, a mapping names them.

        Raises
        ------
        OptionError
            If a key is no split, or a name stands for two.

        Examples
        --------
        >>> SplitChoice.of({"train": ["fold1", "fold2"], "test": "fold3"}).named
        {'fold1': 'train', 'fold2': 'train', 'fold3': 'test'}
        """
        if isinstance(value, SplitChoice):
            return value
        if isinstance(value, bool) or value is None:
            return SplitChoice(ignored=value is False)
        pairs = [
            (split, name)
            for split, names in value.items()
            for name in ([names] if isinstance(names, str) else names)
        ]
        return SplitChoice(_checked(pairs))

    def split_of(self, name: str) -> str | None:
        """The split that a cell of a table names, None if it names none."""
        return self.named.get(name) if self.named else split_of(name)


def read_choice(text: str) -> SplitChoice:
    """Read ``train=NAME,test=NAME``; a split may be given several times.

    Raises
    ------
    OptionError
        If it has another form.

    Examples
    --------
    >>> read_choice("train=old, photos,train=new,test=Pruefung").named
    {'old, photos': 'train', 'new': 'train', 'Pruefung': 'test'}
    """
    parts = re.split(r",(?=\s*\w+=)", text)
    return SplitChoice(
        _checked([(split.strip(), name) for split, _, name in (p.partition("=") for p in parts)])
    )


def split_of(name: str) -> str | None:
    """The split that a name means by itself, None if it means none.

    Examples
    --------
    >>> [split_of(name) for name in ("Training", "test_set", "val2017", "hold-out", "test bench", "cat")]
    ['train', 'test', 'validation', 'test', None, None]
    """
    split, rest = _parsed(name)
    return split if not rest else None


def splits_among(names: Iterable[str]) -> dict[str, str]:
    """Those of several names that are splits together: train and another, alike but for the word.

    Examples
    --------
    >>> splits_among(["seg_train", "seg_test", "seg_pred"])
    {'seg_train': 'train', 'seg_test': 'test'}
    >>> splits_among(["alphabet_train", "alphabet_test", "README"])
    {'alphabet_train': 'train', 'alphabet_test': 'test'}
    >>> splits_among(["train", "bus", "car"]), splits_among(["train cats", "test dogs"])
    ({}, {})
    """
    alike: dict[tuple[str, ...], dict[str, str]] = {}
    for name in names:
        split, rest = _parsed(name)
        if split is not None:
            alike.setdefault(rest, {})[name] = split
    whole = {rest: found for rest, found in alike.items() if {"train"} < set(found.values())}
    return whole.get((), next(iter(whole.values()), {}))


def means_nothing_else(name: str) -> bool:
    """Whether a folder of this name only holds a split's classes, such as `images` or `seg_train`.

    Examples
    --------
    >>> means_nothing_else("images"), means_nothing_else("train"), means_nothing_else("cat")
    (True, True, False)
    """
    return not _parsed(name)[1]


def hints_at_split(name: str) -> bool:
    """Whether a name speaks of a part of the data, if not clearly: `fold 3`, `test bench`, `part_b`."""
    words = _words(name)
    return any(word in KEYWORDS or word.rstrip("0123456789") in _WORD_OF_PARTS for word in words)


def _parsed(name: str) -> tuple[str | None, tuple[str, ...]]:
    """The split that one word of a name says, and the words that say something else."""
    words = [word for word in _words(name) if word not in _BESIDES and not _NUMBER.fullmatch(word)]
    found = {KEYWORDS[word] for word in words if word in KEYWORDS}
    if found == {"train", "validation"}:  # train_val, as where test is all that is held out
        found = {"train"}
    rest = tuple(word for word in words if word not in KEYWORDS)
    return (found.pop() if len(found) == 1 else None), rest


def _words(name: str) -> list[str]:
    spaced = _HELD_OUT.sub("holdout", _CAMEL.sub(" ", name)).casefold()
    words = [word for word in re.split(r"[\s_\-.()+,&]+", spaced) if word]
    plain = [_without_number(word) for word in words]
    return [part for word in plain for part in _GLUED.sub(r"\1 ", word).split()]


def _without_number(word: str) -> str:
    """`val2017` and `test1` as `val` and `test`; other words keep their numbers."""
    bare = word.rstrip("0123456789")
    return bare if bare in KEYWORDS else word


def _checked(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    named: dict[str, str] = {}
    for key, name in pairs:
        split = {"val": "validation", "valid": "validation"}.get(key, key)
        if split not in SPLITS or not name:
            raise OptionError(
                "splits: must be train=NAME,validation=NAME,test=NAME (names of folders, or of cells in the "
                f"column split), got {f'{key}={name}'!r}"
            )
        if named.setdefault(name, split) != split:
            raise OptionError(f"splits: {name!r} can be one split only, got {named[name]} and {split}")
    if named and "train" not in named.values():
        raise OptionError("splits: must say which is train, got none; write train=NAME,test=NAME")
    return named
