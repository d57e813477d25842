"""How a model of tags would react to a tag that it never saw.

The model learns from the photos that lack the tag, and is asked about those that have it. What counts are the
photos that have no other tag: nothing on them was ever seen. A photo that has others as well shows something
known, and calling it unknown would be no better than naming that, so these are told apart and only counted.
"""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from fieldguide import recipes
from fieldguide.data.dataset import Dataset
from fieldguide.errors import DataError
from fieldguide.experiments.fold_predictions import FoldAnswers, answer
from fieldguide.experiments.left_out import LeftOutTag, compared
from fieldguide.learning.card import UNKNOWN_THRESHOLD
from fieldguide.metrics.intervals import share
from fieldguide.recipes.common import Fitted, Options, Run
from fieldguide.tasks.tags import Tags, names_of

RECIPE = "linear-probe"
FEWEST_LEFT = 2
"""Tags that a model can be of."""


def left_out_tag(
    dataset: Dataset, label: str, options: Options, run: Run
) -> tuple[LeftOutTag, tuple[str, ...]]:
    """Leave a tag out, and see what becomes of the photos that have it.

    Parameters
    ----------
    dataset
        Photos with tags that can be read.
    label
        The tag.
    options, run
        As for :func:`fieldguide.experiments.leave_one_class_out.leave_one_class_out`.

    Returns
    -------
    LeftOutTag, tuple of str
        What the model makes of the photos, and how it was made.

    Raises
    ------
    DataError
        If no photo has only this tag, or too little is left to learn from.
    """
    tags = [one or Tags() for one in dataset.tags or ()]
    alone = [row for row, one in enumerate(tags) if one.present == (label,)]
    beside = [row for row, one in enumerate(tags) if label in one.present and len(one.present) > 1]
    if not alone:
        have = "1 photo has" if len(beside) == 1 else f"{len(beside)} photos have"
        raise DataError(
            f"{have} this tag, each beside others, which the model knows; only photos "
            "with no other tag can show whether it would be noticed"
        )
    lacking = [row for row, one in enumerate(tags) if label not in (*one.present, *one.not_known)]
    left = names_of(tags[row] for row in lacking)
    if len(left) < FEWEST_LEFT:
        named = ", ".join(map(repr, left)) or "none"
        raise DataError(
            f"two tags must be left on photos without it, so that they can be told apart; got {named}"
        )
    fitted = recipes.find(RECIPE).fit(dataset.take(np.array(lacking)), options, run)
    answers = answer(fitted, [dataset.paths[row] for row in alone], run)
    others = answer(fitted, [dataset.paths[row] for row in beside], run).typicality
    given = _given(fitted, answers)
    counts = {name: int(n) for name, n in zip(fitted.classes, given.sum(0), strict=True) if n}
    found = {**compared(fitted, answers), "taken_for": tuple(Counter(counts).most_common())}
    unknown = int((others < UNKNOWN_THRESHOLD).sum())
    return LeftOutTag(
        label=label,
        **found,
        tagged=share(int(given.any(1).sum()), len(given)),
        with_others=len(others),
        unknown_with_others=share(unknown, len(others)) if len(others) else None,
    ), fitted.choices


def _given(fitted: Fitted, answers: FoldAnswers) -> NDArray[np.bool_]:
    """Tags given to photos that are not called unknown, of shape (n_images, n_tags)."""
    assert fitted.tag_thresholds is not None, "a model of tags has them"
    given = answers.probabilities.astype(np.float32) >= fitted.tag_thresholds.astype(np.float32)
    return np.asarray(given & (answers.typicality >= UNKNOWN_THRESHOLD)[:, None])
