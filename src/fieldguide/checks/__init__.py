"""The checks of the audit, one file each: ``CODE``, ``TITLE``, ``SEVERITY`` and ``check(evidence)``.

A new check is one file, one line in :data:`CHECKS` and one page, docs/findings/CODE.md.
"""

from fieldguide.checks import (
    blank,
    blur,
    brightness,
    class_names,
    colour,
    exact_duplicates,
    extension,
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
from fieldguide.checks.common import Check

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
)
"""In the order of their codes."""
