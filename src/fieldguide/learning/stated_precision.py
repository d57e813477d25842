"""Tags given with a stated precision: the thresholds of whatever a recipe has learned, chosen anew."""

import dataclasses
from typing import cast

from fieldguide.errors import OptionError
from fieldguide.heads.promises import COVERAGE
from fieldguide.heads.stated_precision import check_precision, precision_summary, precision_thresholds
from fieldguide.heads.tag_promises import GIVEN, SET, missed_share_threshold, set_summary
from fieldguide.recipes.common import Fitted, Options
from fieldguide.tasks.tags import Indicators
from fieldguide.tasks.task import Task, refuse_unsupported


def check_stated(options: Options, task: Task) -> None:
    """See that a precision, where one was stated, can be; before minutes are spent on learning.

    Raises
    ------
    OptionError
        If it is out of range, or the data have single labels.
    """
    if options.precision is not None:
        check_precision(options.precision)
        refuse_unsupported(task, {Task.MULTIPLE}, "--precision", OptionError)


def with_stated_precision(fitted: Fitted, options: Options) -> Fitted:
    """Give each tag from the least probability on at which its held-out precision is what was stated.

    The set follows: it holds the tags given, so its common threshold is chosen anew as well. Without a stated
    precision nothing changes.

    Parameters
    ----------
    fitted
        What a recipe gave, with its answers to held-out images.
    options
        The stated precision.
    """
    if options.precision is None or fitted.tag_thresholds is None:
        return fitted
    held = fitted.out_of_fold
    tags = cast(Indicators, held.labels)
    thresholds = precision_thresholds(held.probabilities, tags, options.precision)
    floor = missed_share_threshold(held.probabilities, tags, thresholds, 1 - COVERAGE)
    kept = (said for said in fitted.choices if not said.startswith((GIVEN, SET)))
    given = precision_summary(thresholds, fitted.classes, options.precision)
    return dataclasses.replace(
        fitted,
        tag_thresholds=thresholds,
        set_threshold=floor,
        choices=(*kept, given, set_summary(floor)),
    )
