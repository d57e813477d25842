"""Parts of a data set kept apart for measuring: stratified, with what belongs together on one side."""

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fieldguide.data.dataset import Dataset
from fieldguide.data.folds import contents_of
from fieldguide.data.splits import classes_without, duplicate_groups, split_groups
from fieldguide.data.tagged.stratification import stratified_parts
from fieldguide.errors import DataError, OptionError, Refusal
from fieldguide.installation import program_command
from fieldguide.mixins.display import DisplayMixin
from fieldguide.progress import Progress, silent
from fieldguide.tasks.tags import Tags

_NAMES = ("test", "validation")


@dataclass(frozen=True, repr=False)
class DealtSplits(DisplayMixin):
    """A data set whose images are dealt into splits."""

    dataset: Dataset
    """The images that can be read, with their splits."""
    refused: tuple[Refusal, ...]
    """Images that cannot be read, by the name the person knows."""
    tied: int
    """Images that stay together with another one: near-duplicates and members of groups."""
    lacking: dict[str, tuple[str, ...]]
    """Split to the classes of which it has no image, since they are too few to divide."""

    @property
    def counts(self) -> dict[str, int]:
        """Images of each split."""
        names, counts = np.unique(np.array(self.dataset.splits), return_counts=True)
        return dict(zip(names.tolist(), counts.tolist(), strict=True))


def hold_out(
    dataset: Dataset, test: float, validation: float = 0.0, seed: int = 0, progress: Progress = silent
) -> DealtSplits:
    """Deal images into train, test and if wanted validation.

    Near-duplicates, copies and images of one group stay on one side; every class is divided in the same
    shares as far as it has separate images.

    Parameters
    ----------
    dataset : Dataset
        Labelled images; splits that it has are dealt anew.
    test, validation : float
        Share of the images for each, together below 1; 0 for none.
    seed : int
        The same images and seed give the same splits.
    progress : Progress, optional
        Callback for progress: every image is read once.

    Raises
    ------
    OptionError
        If the shares leave nothing to learn from, or ask for nothing.
    DataError
        If no image can be read, or nothing can be held out.
    """
    if not (0 <= test < 1 and 0 <= validation < 1 and 0 < test + validation < 1):
        raise OptionError(
            f"--test and --validation must be shares that leave images to learn from, got {test:g} and "
            f"{validation:g}; 0.2 and 0.1 are usual"
        )
    contents = contents_of(dataset.paths, progress)
    kept = dataset.take(contents.rows)
    if not len(kept):
        raise DataError(
            f"{dataset.called}: DATA must hold images that can be read, got none; see "
            f"{program_command('check')}"
        )
    groups = duplicate_groups(len(kept), contents.digests, contents.signatures, kept.groups)
    splits = _dealt(kept, groups, (test, validation), seed)
    if set(splits.tolist()) == {"train"}:
        raise DataError(
            f"{dataset.called}: no class has two separate photos, so nothing can be held out; add photos "
            "(duplicates and images of one group count once)"
        )
    sizes = np.unique(groups, return_counts=True)[1]
    refused = tuple(
        Refusal(dataset.display(refusal.path), refusal.code, refusal.message) for refusal in contents.refused
    )
    return DealtSplits(
        dataclasses.replace(kept, splits=tuple(splits.tolist())),
        refused,
        int(sizes[sizes > 1].sum()),
        {
            name: _without(kept, splits == name)
            for name, share in zip(_NAMES, (test, validation), strict=True)
            if share
        },
    )


def _without(dataset: Dataset, chosen: NDArray[np.bool_]) -> tuple[str, ...]:
    """Classes or tags of which no image is chosen."""
    if dataset.tags is None:
        return classes_without(dataset.labels, chosen)
    return tuple(sorted(set(dataset.classes) - set(dataset.take(np.flatnonzero(chosen)).classes)))


def _dealt(
    dataset: Dataset, groups: NDArray[np.int64], shares: tuple[float, float], seed: int
) -> NDArray[np.str_]:
    """The split of each image, of shape (n_images,): test first, validation from what is left."""
    labels = dataset.labels
    if dataset.tags is not None:
        names = np.array(["train", *(name for name, share in zip(_NAMES, shares, strict=True) if share)])
        parts = (1 - sum(shares), *filter(None, shares))
        return names[stratified_parts([one or Tags() for one in dataset.tags], groups, parts, seed)]
    splits = np.full(len(labels), "train", dtype="<U10")
    left, rest = np.arange(len(labels)), 1.0
    for name, share in zip(_NAMES, shares, strict=True):
        if not share:
            continue
        chosen = split_groups([labels[place] for place in left], groups[left], share / rest, seed)
        splits[left[chosen]] = name
        left, rest = left[~chosen], rest - share
    return splits
