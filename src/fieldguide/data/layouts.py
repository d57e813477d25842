"""From the folders below DATA to labels and splits: which folder names are classes, which are splits."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from fieldguide.data.plausibility.doubts import Doubt
from fieldguide.data.scan import Scan, count_of, shown_names
from fieldguide.data.split_names import (
    SplitChoice,
    hints_at_split,
    means_nothing_else,
    split_of,
    splits_among,
)
from fieldguide.errors import DataError

_AUTOMATIC = SplitChoice()


@dataclass
class Layout:
    """The images of a folder with what their places say."""

    root: str
    """The folder that classes or splits lie in; below DATA where single folders were entered."""
    paths: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    splits: list[str] | None = None
    notes: list[str] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    """What may have been understood in another way than it was meant."""


@dataclass(frozen=True)
class _Place:
    """Where an image lies, as the layout reads it."""

    split: str | None
    label: str
    """Empty where it lies in no class folder."""


def read_layout(scan: Scan, *, unlabelled: bool = False, splits: SplitChoice = _AUTOMATIC) -> Layout:
    """Read classes, and splits where there are some, from where the images lie.

    The first folder below DATA is the class, or the split and then the class, or the class and then the
    split. It is a split layout if a name of train stands beside that of another split
    (:mod:`fieldguide.data.split_names`), and the images of train lie in folders; else a class may well be
    called `test`. A folder that holds nothing but one folder, which holds several, is entered.

    Parameters
    ----------
    scan : Scan
        Of the whole folder.
    unlabelled : bool
        Keep images that lie in no class folder, with an empty label; otherwise they are left out, with a
        note.
    splits : SplitChoice
        What the person says about splits.

    Raises
    ------
    DataError
        If all folders are named like splits, yet hold no class folders; if folders look like splits, yet
        their names do not say which; or if `splits` names a folder that is not there.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from fieldguide.data.scan import scan
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("Training/cat", "Training/dog", "Testing/cat"):
    ...         Path(folder, name).mkdir(parents=True)
    ...         Path(folder, name, "a.jpg").touch()
    ...     layout = read_layout(scan(folder))
    >>> sorted(zip(layout.splits, layout.labels))
    [('test', 'cat'), ('train', 'cat'), ('train', 'dog')]
    """
    tree = _Tree(scan)
    layout = Layout(tree.entered())
    if layout.root != scan.root:
        layout.notes.append(f"entered the only folder, {os.path.relpath(layout.root, scan.root)!r}")
    tops = _splits_of_tops(tree, layout.root, splits)
    below = {} if tops or splits.named or splits.ignored else _splits_below_classes(tree, layout.root)
    if tops:
        _take_splits(tree, layout, tops, unlabelled=unlabelled)
    elif below:
        _take_splits_of_classes(tree, layout, below)
    else:
        if not unlabelled and not splits.ignored:
            _check_not_splits(tree, layout)
        _take_classes(tree, layout, unlabelled=unlabelled)
    return layout


class _Tree:
    """The folders of a scan, by parent; and which of them hold images themselves."""

    def __init__(self, scan: Scan) -> None:
        self.scan = scan
        self.children: dict[str, list[str]] = {}
        for folder in scan.folders:
            self.children.setdefault(os.path.dirname(folder), []).append(folder)  # noqa: PTH120
        self.holders = {path.rpartition(os.sep)[0] for path in scan.images}
        self.top = os.path.dirname(os.path.join(scan.root, ""))  # noqa: PTH118, PTH120
        self.closed = {refusal.path for refusal in scan.refused}
        self.full = self._full()

    def entered(self) -> str:
        """The folder at the end of a chain of only folders, if it holds several; else the top."""
        folder = self.top
        while folder not in self.holders and len(self.children.get(folder, ())) == 1:
            (folder,) = self.children[folder]
        deeper = folder not in self.holders and len(self.children.get(folder, ())) > 1
        return folder if deeper and folder != self.top else self.scan.root

    def class_root(self, split: str) -> str:
        """The folder of a split that its classes lie in: `seg_train/seg_train`, `train/images`."""
        folder = split
        while folder not in self.holders and len(self.children.get(folder, ())) == 1:
            (deeper,) = self.children[folder]
            if not means_nothing_else(_name(deeper)) and _name(deeper) != _name(folder):
                break
            folder = deeper
        return folder

    def below(self, folder: str) -> list[str]:
        """The folders directly in a folder."""
        return self.children.get(os.path.join(folder, "")[:-1], [])  # noqa: PTH118

    def full_below(self, folder: str) -> list[str]:
        """Those of them that images lie in, at whatever depth."""
        return [child for child in self.below(folder) if child in self.full]

    def relative(self, root: str) -> Iterator[tuple[str, str]]:
        """Each image below `root` with its path from there."""
        start = len(os.path.join(root, ""))  # noqa: PTH118
        return ((path, path[start:]) for path in self.scan.images)

    def empty(self, folders: list[str]) -> list[str]:
        """Those of the folders below which there is no image, unless they could not be read."""
        return [folder for folder in folders if folder not in self.full and folder not in self.closed]

    def _full(self) -> set[str]:
        full: set[str] = set()
        for holder in self.holders:
            while len(holder) > len(self.top) and holder not in full:
                full.add(holder)
                holder = holder.rpartition(os.sep)[0]
        return full


def _splits_of_tops(tree: _Tree, root: str, choice: SplitChoice) -> dict[str, str]:
    """The folders at the top that are splits, by name; none if it is no split layout."""
    if choice.ignored:
        return {}
    folders = {_name(folder): folder for folder in tree.below(root)}
    if choice.named:
        missing = [name for name in choice.named if name not in folders]
        if missing:
            raise DataError(
                f"{root}: splits must name folders in it, which are {shown_names(folders)}; got "
                f"{missing[0]!r}"
            )
        return dict(choice.named)
    found = splits_among(name for name, folder in folders.items() if folder in tree.full or not tree.full)
    train = [tree.class_root(folders[name]) for name, split in found.items() if split == "train"]
    return found if all(tree.full_below(folder) for folder in train) else {}


def _splits_below_classes(tree: _Tree, root: str) -> dict[str, str]:
    """The folders inside every class that are splits: `cat/train/1.jpg`, `cat/test/2.jpg`."""
    tops = tree.full_below(root)
    names = {_name(folder) for top in tops for folder in tree.full_below(top)}
    found = splits_among(names)
    loose = any(top in tree.holders or not tree.full_below(top) for top in tops)
    return found if len(tops) > 1 and not loose and set(found) == names else {}


def _take_splits(tree: _Tree, layout: Layout, tops: dict[str, str], *, unlabelled: bool) -> None:
    roots = {_name(f): tree.class_root(f) for f in tree.below(layout.root) if _name(f) in tops}
    inside = {name: len(os.path.relpath(root, layout.root)) + 1 for name, root in roots.items()}

    def place(relative: str) -> _Place | None:
        top, _, rest = relative.partition(os.sep)
        if not rest or top not in tops:
            return None
        label, nested, _ = relative[inside[top] :].partition(os.sep)
        return _Place(tops[top], label if nested else "")

    _take(tree, layout, place, unlabelled=unlabelled)
    _note_unlabelled_splits(tree, layout, roots, tops, unlabelled=unlabelled)
    _note_empty(tree, layout, [folder for root in roots.values() for folder in tree.below(root)])


def _take_splits_of_classes(tree: _Tree, layout: Layout, below: dict[str, str]) -> None:
    def place(relative: str) -> _Place | None:
        label, _, rest = relative.partition(os.sep)
        split, nested, _ = rest.partition(os.sep)
        return _Place(below[split], label) if nested and split in below else None

    _take(tree, layout, place, unlabelled=False)
    layout.notes.append(f"the splits were found inside the class folders: {shown_names(sorted(below))}")


def _take(tree: _Tree, layout: Layout, place: Callable[[str], _Place | None], *, unlabelled: bool) -> None:
    """Sort the images into the layout; what is in no split, or in no class folder, is left out and named."""
    layout.splits = []
    names: dict[str, str] = {}  # of a million images of one class, one text
    strange: Counter[str] = Counter()
    loose: list[str] = []
    for path, relative in tree.relative(layout.root):
        found = place(relative)
        if found is None or found.split is None:
            top, _, rest = relative.partition(os.sep)
            strange[top if rest else "."] += 1
        elif found.label or unlabelled:
            layout.paths.append(path)
            layout.labels.append(names.setdefault(found.label, found.label))
            layout.splits.append(found.split)
        else:
            loose.append(relative)
    for top, count in sorted(strange.items()):
        layout.notes.append(f"{count_of(count, 'image')} in {top!r} left out: it is not a split")
    _note_loose(layout, loose)


def _take_classes(tree: _Tree, layout: Layout, *, unlabelled: bool) -> None:
    names: dict[str, str] = {}
    loose: list[str] = []
    for path, relative in tree.relative(layout.root):
        label, nested, _ = relative.partition(os.sep)
        if nested or unlabelled:
            layout.paths.append(path)
            layout.labels.append(names.setdefault(label, label) if nested else "")
        else:
            loose.append(relative)
    if not unlabelled and len(names) > 1 and all(map(split_of, names)):
        raise DataError(
            f"{layout.root}: the folders {', '.join(sorted(names))} must hold one folder a class, got images "
            "that lie in them directly; sort the images into class folders or give a table with labels"
        )
    _note_loose(layout, loose)
    _note_empty(tree, layout, tree.below(layout.root))


def _check_not_splits(tree: _Tree, layout: Layout) -> None:
    """Stop where the folders at the top may be splits: read as classes, they would make a worthless model."""
    tops = tree.full_below(layout.root)
    below = {_name(top): {_name(folder) for folder in tree.full_below(top)} for top in tops}
    if len(tops) < 2:
        return
    repeated = _repeated(below) if not any(top in tree.holders for top in tops) else set()
    train = [
        _name(top)
        for top in tops
        if split_of(_name(top)) == "train" and top not in tree.holders and len(below[_name(top)]) > 1
    ]
    nested = repeated and all(map(_is_plain, repeated)) and not any(map(hints_at_split, below))
    if train or (repeated and not nested):
        why = (
            f"hold folders of the same names ({shown_names(sorted(repeated))})"
            if repeated
            else f"are others than train, and {train[0]!r} holds folders"
        )
        first, second, *_ = sorted(below, key=lambda name: (name not in train, name))
        raise DataError(
            f"{layout.root}: the folders {shown_names(sorted(below))} {why}, so they may be splits or "
            "classes; "
            f"say --splits train={first},test={second} or the like, or --no-splits if they are classes"
        )
    if nested:
        layout.doubts.append(
            Doubt(
                "folders_repeat",
                "the folders of the classes hold folders of the same names "
                f"({shown_names(sorted(repeated))}); they were taken for parts of the classes",
            )
        )


def _repeated(below: dict[str, set[str]]) -> set[str]:
    """Names of folders that the folders at the top share, if every one of them shares most of its own."""
    counts = Counter(name for names in below.values() for name in names)
    shared = {name for name, count in counts.items() if count > 1}
    if all(len(names & shared) >= max(2, len(names) / 2) for names in below.values()):
        return shared
    return set()


def _is_plain(name: str) -> bool:
    """Whether a name of a folder says when or where rather than what: `2019`, `new`, `left`, `b`."""
    return len(name) < 2 or name.casefold() in _PLAIN or not any(letter.isalpha() for letter in name)


# fmt: off
_PLAIN = frozenset((
    "old", "new", "left", "right", "front", "back", "top", "bottom", "side",
    "day", "night", "summer", "winter", "spring", "autumn", "original", "originals", "raw",
    "edited", "cropped", "small", "large", "big", "morning", "evening", "inside", "outside",
    "indoor", "outdoor", "indoors", "outdoors", "january", "february", "march", "april", "may",
    "june", "july", "august", "september", "october", "november", "december",
))
# fmt: on


def _note_unlabelled_splits(
    tree: _Tree, layout: Layout, roots: dict[str, str], tops: dict[str, str], *, unlabelled: bool
) -> None:
    """A split of loose images alone, as Kaggle's test, has no labels: said louder than a stray image."""
    for name, root in roots.items():
        if unlabelled or tops[name] == "train" or root not in tree.holders or tree.full_below(root):
            continue
        layout.doubts.append(
            Doubt(
                "unlabelled_split",
                f"the images in {os.path.relpath(root, layout.root)!r} lie in no class folders, so "
                f"DATA has no labels for {tops[name]}: they were left out",
            )
        )


def _note_loose(layout: Layout, loose: list[str]) -> None:
    if loose:
        layout.notes.append(
            f"{count_of(len(loose), 'image')} in no class folder left out: {shown_names(loose)}"
        )


def _note_empty(tree: _Tree, layout: Layout, folders: list[str]) -> None:
    empty = [os.path.relpath(folder, layout.root) for folder in tree.empty(folders)]
    if empty:
        layout.notes.append(
            f"{count_of(len(empty), 'class folder')} without images left out: {shown_names(empty)}"
        )


def _name(folder: str) -> str:
    return folder.rpartition(os.sep)[2]
