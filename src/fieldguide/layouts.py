"""From the folders below DATA to labels and splits: which folder names are classes, which are splits."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from fieldguide.errors import DataError
from fieldguide.scan import Scan, count_of

SPLIT_NAMES = {
    "train": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "test": "test",
}
"""Folder names and table cells that name a split, in lower case, and the split they name."""


@dataclass
class Layout:
    """The images of a folder with what their places say."""

    root: str
    """The folder that classes or splits lie in; below DATA where single folders were entered."""
    paths: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    splits: list[str] | None = None
    notes: list[str] = field(default_factory=list)


def read_layout(scan: Scan, *, unlabelled: bool = False) -> Layout:
    """Read classes, and splits where there are some, from where the images lie.

    The first folder below DATA is the class, or the split and then the class. It is a split layout if `train`
    stands beside another split name, letter case ignored, and has its images in folders and none outside
    them; else a class may well be called `test`. A folder that holds nothing but one folder, which holds
    several, is entered.

    Parameters
    ----------
    scan : Scan
        Of the whole folder.
    unlabelled : bool
        Keep images that lie in no class folder, with an empty label; otherwise they are left out, with a
        note.

    Raises
    ------
    DataError
        If all folders are named like splits, yet hold no class folders.
    """
    tree = _Tree(scan)
    layout = Layout(tree.entered())
    if layout.root != scan.root:
        layout.notes.append(f"entered the only folder, {os.path.relpath(layout.root, scan.root)!r}")
    if _has_splits(tree, layout.root):
        _take_splits(tree, layout, unlabelled=unlabelled)
    else:
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

    def entered(self) -> str:
        """The folder at the end of a chain of only folders, if it holds several; else the top."""
        folder = self.top
        while folder not in self.holders and len(self.children.get(folder, ())) == 1:
            (folder,) = self.children[folder]
        deeper = folder not in self.holders and len(self.children.get(folder, ())) > 1
        return folder if deeper and folder != self.top else self.scan.root

    def below(self, folder: str) -> list[str]:
        """The folders directly in a folder."""
        return self.children.get(os.path.join(folder, "")[:-1], [])  # noqa: PTH118

    def relative(self, root: str) -> Iterator[tuple[str, str]]:
        """Each image below `root` with its path from there."""
        start = len(os.path.join(root, ""))  # noqa: PTH118
        return ((path, path[start:]) for path in self.scan.images)

    def empty(self, folders: list[str]) -> list[str]:
        """Those of the folders below which there is no image, unless they could not be read."""
        full: set[str] = set()
        for holder in self.holders:
            while len(holder) > len(self.top) and holder not in full:
                full.add(holder)
                holder = holder.rpartition(os.sep)[0]
        return [folder for folder in folders if folder not in full and folder not in self.closed]


def _split_of(name: str) -> str | None:
    return SPLIT_NAMES.get(name.lower())


def _has_splits(tree: _Tree, root: str) -> bool:
    named = {folder: _split_of(_name(folder)) for folder in tree.below(root)}
    train = [folder for folder, split in named.items() if split == "train"]
    others = set(named.values()) - {"train", None}
    return bool(train and others) and all(
        tree.below(folder) and folder not in tree.holders for folder in train
    )


def _take_splits(tree: _Tree, layout: Layout, *, unlabelled: bool) -> None:
    layout.splits = []
    names: dict[str, str] = {}
    strange: Counter[str] = Counter()
    loose = 0
    for path, relative in tree.relative(layout.root):
        top, _, rest = relative.partition(os.sep)
        label, nested, _ = rest.partition(os.sep)
        split = _split_of(top) if rest else None
        if split is None:
            strange[top if rest else "."] += 1
        elif nested or unlabelled:
            _append(layout, path, names.setdefault(label, label) if nested else "")
            layout.splits.append(split)
        else:
            loose += 1
    for top, count in sorted(strange.items()):
        layout.notes.append(f"{count_of(count, 'image')} in {top!r} left out: it is no split")
    _note_loose(layout, loose)
    tops = [folder for folder in tree.below(layout.root) if _split_of(_name(folder))]
    _note_empty(tree, layout, [folder for top in tops for folder in tree.below(top)])


def _take_classes(tree: _Tree, layout: Layout, *, unlabelled: bool) -> None:
    names: dict[str, str] = {}
    loose = 0
    for path, relative in tree.relative(layout.root):
        label, nested, _ = relative.partition(os.sep)
        if nested or unlabelled:
            _append(layout, path, names.setdefault(label, label) if nested else "")
        else:
            loose += 1
    if not unlabelled and len(names) > 1 and all(map(_split_of, names)):
        raise DataError(
            f"{layout.root}: the folders {', '.join(sorted(names))} must hold one folder a class, got images "
            "that lie in them directly; sort the images into class folders or give a table with labels"
        )
    _note_loose(layout, loose)
    _note_empty(tree, layout, tree.below(layout.root))


def _append(layout: Layout, path: str, label: str) -> None:
    layout.paths.append(path)
    layout.labels.append(label)


def _note_loose(layout: Layout, count: int) -> None:
    if count:
        layout.notes.append(f"{count_of(count, 'image')} in no class folder left out")


def _note_empty(tree: _Tree, layout: Layout, folders: list[str]) -> None:
    empty = [os.path.relpath(folder, layout.root) for folder in tree.empty(folders)]
    if empty:
        shown = ", ".join(repr(name) for name in empty[:10]) + (", …" if len(empty) > 10 else "")
        layout.notes.append(f"{count_of(len(empty), 'class folder')} without images left out: {shown}")


def _name(folder: str) -> str:
    return folder.rpartition(os.sep)[2]
