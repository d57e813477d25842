"""The checks of the audit, one file each: ``CODE``, ``TITLE``, ``SEVERITY`` and ``check(evidence)``.

A new check is one file, one line in :data:`CHECKS` and one page, audit/pages/CODE.md.
"""

from fieldguide.audit.checks import (
    blank,
    blur,
    brightness,
    class_names,
    colour,
    deep_grey,
    doubts,
    exact_duplicates,
    extension,
    grave_doubts,
    groups,
    imbalance,
    label_errors,
    leaks,
    missing_classes,
    near_duplicates,
    refused,
    shape,
    size,
    tiny_classes,
    two_labels,
    unlike,
)
from fieldguide.audit.checks.common import Check
from fieldguide.audit.checks.tags import different_tags, few_photos, missing_tags, pairs, wrong_tags
from fieldguide.tasks.task import Task

CHECKS: tuple[Check, ...] = (
    refused,
    extension,
    exact_duplicates,
    near_duplicates,
    two_labels,
    leaks,
    groups,
    imbalance,
    tiny_classes,
    missing_classes,
    size,
    shape,
    brightness,
    blur,
    colour,
    blank,
    label_errors,
    unlike,
    class_names,
    grave_doubts,
    doubts,
    deep_grey,
)
"""Of photos with one label each, in the order of their codes."""
OF_LABELS = frozenset({"FG005", "FG008", "FG009", "FG010", "FG017", "FG019"})
"""Those that look at the one label of a photo."""
CHECKS_OF_TAGS: tuple[Check, ...] = (
    *(check for check in CHECKS if check.CODE not in OF_LABELS),
    pairs,
    few_photos,
    different_tags,
    missing_tags,
    wrong_tags,
)
"""Of photos with any number of tags, in the order of their codes."""


def checks_for(task: Task) -> tuple[Check, ...]:
    """The checks that look at data of a task."""
    return CHECKS_OF_TAGS if task is Task.MULTIPLE else CHECKS
